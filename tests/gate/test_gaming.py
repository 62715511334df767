"""Every known way to make a receipt look better is refused or held, each for a reason of its own."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.canonical import canonical, digest
from interlock.core.contract import Contract
from interlock.core.errors import InputError
from interlock.core.receipt import Matrix, Receipt, Row
from interlock.core.verdict import Judgement, Status
from interlock.data.twins import twins
from interlock.gate.derive import Derived, measurements
from interlock.gate.judge import Beside, judge
from interlock.gate.record import Record, judge_on_record
from interlock.testing import FrozenClock, MemoryLedger, logits_for, tiny_contract

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LIMITS = tiny_contract(limits="{accuracy: {at_least: 0.9}}")
SURE, WRONG, UNSURE = logits_for(0.95, 0.05), logits_for(0.05, 0.95), logits_for(0.51, 0.49)


def receipt(right: int = 192, wrong: int = 8, *, contract: Contract = LIMITS, **changes: Any) -> Receipt:
    """Return an honest receipt: rows of the label yes, ``right`` of them called yes."""
    count = right + wrong
    rows = tuple(Row(id=f"r{i:04d}", labels=("yes",)) for i in range(count))
    made = Receipt(
        receipt=1,
        name="tiny",
        created=NOW.isoformat(),
        identity={
            "label_version": contract.label_version,
            "dataset_digest": "sha256:test",
            "train_digest": "sha256:train",
            "calibration_digest": "sha256:calibration",
        },
        contract=contract.to_json(),
        fixtures=tuple(row.id for row in rows),
        rows=rows,
        logits=Matrix.of(np.array([SURE] * right + [WRONG] * wrong)),
    )
    return printed(made.model_copy(update=changes))


def printed(made: Receipt) -> Receipt:
    """Print what the rows give, as whoever games the gate would too."""
    found = {name: one.to_json() for name, one in measurements(Derived(made)).items()}
    return made.model_copy(update={"measurements": found})


def judged(made: Receipt, **beside: Any) -> Judgement:
    return judge(made, claimed_digest=made.digest, beside=Beside(**{"now": NOW, **beside}))


def codes(judgement: Judgement) -> set[str]:
    assert not judgement.eligible
    return {reason.partition(":")[0] for reason in judgement.reasons}


def test_the_honest_receipt_passes() -> None:
    assert judged(receipt()).eligible


# Padding, copies and near duplicates


def padded(copies: int) -> Receipt:
    """Return a receipt of 180 in 200 whose easiest row was copied, registered and all."""
    rows = [Row(id=f"r{i:04d}", labels=("yes",)) for i in range(200)]
    rows += [Row(id=f"s{i:04d}", labels=("yes",), copy_of="r0000") for i in range(copies)]
    logits = np.array([SURE] * 180 + [WRONG] * 20 + [SURE] * copies)
    ids = tuple(row.id for row in rows)
    return printed(receipt().model_copy(update={"rows": tuple(rows), "logits": Matrix.of(logits), "fixtures": ids}))


@settings(deadline=None, max_examples=15)
@given(copies=st.integers(5, 400))
def test_padding_with_copies_is_refused_however_many(copies: int) -> None:
    assert codes(judged(padded(copies))) == {"copies"}


def test_a_few_copies_are_let_through_but_count_once() -> None:
    (verdict,) = judged(padded(4)).verdicts

    assert verdict.evidence is not None
    assert verdict.evidence.n == 200


def test_copies_are_known_under_every_disguise() -> None:
    from interlock.core.dataset import Dataset, Example

    disguised = [
        "where is my order",
        "Where is my order?",
        "where  is my\u200b order",
        "ｗｈｅｒｅ is my order",
        "where is my order!!",
    ]
    near = ["where is my order now", "something else entirely"]
    rows = Dataset(tuple(Example(id=f"{i}", text=text, labels=("a",)) for i, text in enumerate([*disguised, *near])))
    found = twins(rows)

    assert found.copies == {"1": "0", "2": "0", "3": "0", "4": "0"}
    assert found.near == {"5": "0"}


@settings(deadline=None, max_examples=15)
@given(near=st.integers(1, 190))
def test_near_duplicates_add_no_rows_to_an_interval(near: int) -> None:
    rows = [Row(id=f"r{i:04d}", labels=("yes",), near="r0000" if 1 <= i <= near else None) for i in range(200)]
    (verdict,) = judged(receipt(rows=tuple(rows))).verdicts

    assert verdict.evidence is not None
    assert verdict.evidence.n == 200 - near


# Leaks, and fitting on the rows that judge


@settings(deadline=None, max_examples=20)
@given(kind=st.sampled_from(["exact", "normalised", "group", "unheard_of"]), count=st.integers(1, 10**6))
def test_any_row_that_training_has_too_is_refused(kind: str, count: int) -> None:
    assert codes(judged(receipt(crossings={kind: count}))) == {"leak"}


@pytest.mark.parametrize("field", ["train_digest", "calibration_digest"])
def test_what_was_fitted_on_the_rows_that_judge_is_refused(field: str) -> None:
    made = receipt()
    same = made.model_copy(update={"identity": {**made.identity, field: made.identity["dataset_digest"]}})

    assert judged(same).reasons == [f"fitted_on_test:{field}"]


# Rows dropped, relabelled, exchanged


@settings(deadline=None, max_examples=20)
@given(dropped=st.sets(st.integers(192, 199), min_size=1, max_size=8))
def test_hard_rows_cannot_be_dropped(dropped: set[int]) -> None:
    made = receipt()
    assert made.logits is not None
    kept = [i for i in range(200) if i not in dropped]

    assert codes(judged(printed(made.only(kept)))) == {"missing"}


def with_labels_changed(made: Receipt, changed: set[int]) -> Receipt:
    """Return the receipt with rows called right that were wrong, and every number printed anew."""
    rows = tuple(row.model_copy(update={"labels": ("no",)}) if i in changed else row for i, row in enumerate(made.rows))
    return printed(made.model_copy(update={"rows": rows}))


def on_record(ledger: MemoryLedger, made: Receipt) -> tuple[Judgement, int | None]:
    found = judge_on_record(made, Record(ledger, "ann", FrozenClock(NOW)), claimed_digest=made.digest)
    return found.judgement, found.attempt


@settings(deadline=None, max_examples=15)
@given(relabelled=st.sets(st.integers(180, 199), min_size=1, max_size=20))
def test_rows_relabelled_after_they_were_judged_are_refused_and_buy_no_attempts(relabelled: set[int]) -> None:
    ledger, honest = MemoryLedger(), receipt(180, 20)
    assert on_record(ledger, honest)[1] == 1
    judgement, attempt = on_record(ledger, with_labels_changed(honest, relabelled))

    assert codes(judgement) == {"relabelled"}
    assert attempt == 2


@settings(deadline=None, max_examples=15)
@given(relabelled=st.sets(st.integers(180, 199), min_size=1, max_size=20))
def test_rows_that_are_not_the_contract_s_are_refused_without_a_ledger(relabelled: set[int]) -> None:
    pinned = tiny_contract(
        limits="{accuracy: {at_least: 0.8}}", evaluation=f"{{rows: '{receipt(180, 20).evaluation_set}'}}"
    )
    honest = receipt(180, 20, contract=pinned)

    assert judged(honest).eligible
    assert codes(judged(with_labels_changed(honest, relabelled))) == {"rows"}


def test_a_row_moved_out_of_a_required_slice_is_another_row() -> None:
    made = receipt()
    moved = made.model_copy(update={"rows": (made.rows[0].model_copy(update={"slice": "calm"}), *made.rows[1:])})
    ledger = MemoryLedger()
    on_record(ledger, made)

    assert codes(on_record(ledger, moved)[0]) == {"relabelled"}


def test_corrected_labels_count_once_the_contract_names_them_but_attempts_go_on() -> None:
    ledger, wrong = MemoryLedger(), receipt(190, 10)
    on_record(ledger, wrong)
    right = with_labels_changed(wrong, {190, 191})
    named = tiny_contract(limits="{accuracy: {at_least: 0.9}}", evaluation=f"{{rows: '{right.evaluation_set}'}}")
    judgement, attempt = on_record(ledger, right.model_copy(update={"contract": named.to_json()}))

    assert judgement.eligible
    assert attempt == 2


def test_another_router_s_rows_may_have_the_same_ids() -> None:
    ledger = MemoryLedger()
    on_record(ledger, receipt())
    other = {**receipt().contract, "name": "other"}
    judgement, attempt = on_record(ledger, with_labels_changed(receipt(), {199}).model_copy(update={"contract": other}))

    assert judgement.eligible
    assert attempt == 1


@pytest.mark.parametrize("said", ["8", ""])
@pytest.mark.parametrize("field", ["seed", "code_version", "environment_digest"])
def test_whatever_the_contract_pins_of_the_identity_must_be_that(field: str, said: str) -> None:
    contract = tiny_contract(limits="{accuracy: {at_least: 0.9}}", evaluation=f"{{identity: {{{field}: '7'}}}}")
    made = receipt(contract=contract)
    there = made.model_copy(update={"identity": {**made.identity, field: "7"}})
    other = made.model_copy(update={"identity": {**made.identity, **dict.fromkeys([field] if said else [], said)}})

    assert judged(there).eligible
    assert judged(other).reasons == [f"identity:{field}={said or 'missing'}"]


@pytest.mark.parametrize("field", ["dataset_version", "split_manifest_version", "model_version"])
@pytest.mark.parametrize("value", ["another", None])
def test_a_receipt_of_another_model_or_dataset_is_refused(field: str, value: str | None) -> None:
    contract = tiny_contract(limits="{accuracy: {at_least: 0.9}}", evaluation=f"{{{field}: pinned}}")
    made = receipt(contract=contract)
    there = made.model_copy(update={"identity": {**made.identity, field: "pinned"}})
    said = {**made.identity, **({field: value} if value is not None else {})}

    assert judged(there).eligible
    assert codes(judged(made.model_copy(update={"identity": said}))) == {field}


# Numbers edited, and values that are none


@settings(deadline=None, max_examples=25)
@given(data=st.data(), by=st.floats(1e-8, 1) | st.floats(-1, -1e-8))
def test_any_printed_number_off_by_more_than_a_billionth_is_refused(data: st.DataObject, by: float) -> None:
    made = receipt()
    name = data.draw(st.sampled_from(sorted(made.measurements)))
    value = made.measurements[name]["value"]
    edited = {**made.measurements, name: {**made.measurements[name], "value": (value or 0.0) + by}}

    assert judged(made.model_copy(update={"measurements": edited})).reasons == [f"metric_mismatch:{name}"]


BAD: dict[str, Any] = {
    "null": None,
    "true": True,
    "text": "0.95",
    "NaN as text": "NaN",
    "a list": [],
    "an object": {},
    "negative": -1,
    "minus zero": -0.0,
    "above one": 1.5,
    "huge": 2**53 - 1,
    "empty": "",
}


def fields(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a JSON document, of what has more than 15 items the first and the last."""
    items = list(body.items()) if isinstance(body, dict) else list(enumerate(body)) if isinstance(body, list) else []
    shown = items if len(items) <= 15 else [items[0], items[-1]]
    return [found for key, value in shown for found in ((*path, key), *fields(value, (*path, key)))]


def spoilt(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(body)
    here = made
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = copy.deepcopy(value)
    return made


def outcome(body: dict[str, Any]) -> str:
    """Judge a document whose digest was computed anew; what does not read counts as held."""
    try:
        found, claimed = Receipt.from_bytes(canonical({**body, "digest": digest(canonical(body))}), where="r")
        return judge(found, claimed_digest=claimed, beside=Beside(now=NOW)).verdict
    except InputError:
        return "hold"


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_no_bad_value_in_any_field_lets_a_bad_receipt_pass(every: int) -> None:
    body = json.loads(receipt(60, 40).to_bytes())
    body.pop("digest")
    assert outcome(body) == "hold"
    rules = {("contract",), ("contract", "limits"), ("contract", "limits", "accuracy"),
             ("contract", "limits", "accuracy", "at_least"), ("contract", "limits", "accuracy", "at_most")}  # fmt: skip
    tried = [(path, name) for path in fields(body) if path not in rules for name in BAD]
    tried = tried[::every]  # eleven values, so every fourth is another one in each field
    assert {name for _, name in tried} == set(BAD)

    assert [(path, name) for path, name in tried if outcome(spoilt(body, path, BAD[name])) != "hold"] == []


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e309", "01", "+1", ".5", "0x1"])
def test_numbers_that_json_does_not_have_do_not_read(text: str) -> None:
    data = receipt().to_bytes().replace(b'"receipt":1', f'"receipt":{text}'.encode(), 1)

    with pytest.raises(InputError):
        Receipt.from_bytes(data, where="r")


# Shopping, peeking, several gates at once


def test_a_gate_takes_no_eleventh_candidate_and_counts_across_seeds_and_people() -> None:
    ledger = MemoryLedger()
    for attempt in range(1, 12):
        made = receipt(180, 20, name=f"seed{attempt}")
        record = Record(ledger, f"person{attempt % 3}", FrozenClock(NOW))
        found = judge_on_record(made, record, claimed_digest=made.digest)
        assert found.attempt == attempt
    assert found.judgement.reasons == ["attempts:11"]


def test_two_gates_at_once_are_two_attempts_and_one_candidate_is_one() -> None:
    ledger = MemoryLedger()

    def gate(name: str) -> int | None:
        made = receipt(name=name)
        return judge_on_record(made, Record(ledger, "ann", FrozenClock(NOW)), claimed_digest=made.digest).attempt

    with ThreadPoolExecutor(4) as pool:
        a, b, c, again = pool.map(gate, ["a", "b", "c", "c"])
    assert {a, b, c} == {1, 2, 3}
    assert again == c


def test_a_clock_set_back_between_gates_changes_no_order() -> None:
    ledger, clock = MemoryLedger(), FrozenClock(NOW)
    first = receipt(name="first")
    assert judge_on_record(first, Record(ledger, "ann", clock), claimed_digest=first.digest).attempt == 1
    clock.move(-86_400)
    second = receipt(name="second", created=(NOW - timedelta(days=2)).isoformat())

    assert judge_on_record(second, Record(ledger, "ann", clock), claimed_digest=second.digest).attempt == 2


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=1), timedelta(days=40_000)])
def test_a_receipt_from_the_future_is_refused(ahead: timedelta) -> None:
    assert codes(judged(receipt(created=(NOW + ahead).isoformat()))) == {"created"}


@pytest.mark.parametrize("created", ["soon", "", "2026-06-01", "2026-06-01T00:00:00", "99999-01-01T00:00:00+00:00"])
def test_a_date_that_says_no_moment_is_refused(created: str) -> None:
    assert codes(judged(receipt(created=created))) == {"created"}


def test_clocks_of_two_machines_may_differ_a_little() -> None:
    assert judged(receipt(created=(NOW + timedelta(minutes=4)).isoformat())).eligible
    assert judged(receipt(created="2026-06-01T09:00:00+09:00")).eligible


# Policies that decide nothing, or everything


def test_a_policy_that_routes_nothing_is_refused() -> None:
    made = receipt(logits=Matrix.of(np.array([UNSURE] * 200)))

    assert codes(judged(printed(made))) == {"coverage"}


def test_a_policy_that_can_never_abstain_is_refused_and_one_that_did_not_have_to_is_not() -> None:
    everything = "{auto: {confidence: 0.5, margin: 0}, guarded: {confidence: 0.5}}"
    never = tiny_contract(limits="{accuracy: {at_least: 0.9}}", decide=everything)

    assert judged(receipt(contract=never)).reasons == ["coverage:1"]
    assert judged(receipt(contract=never, unknown_threshold=5.0)).eligible  # a gate could have stopped some
    assert judged(receipt()).eligible  # all routed, but only as all are sure


@pytest.mark.parametrize(("threshold", "coverage"), [("0.999999", "0"), ("0.000001", "1")])
def test_a_threshold_that_calls_every_row_the_same_is_refused(threshold: str, coverage: str) -> None:
    contract = tiny_contract(limits="{accuracy: {at_least: 0}}", decide=f"{{positive: yes, threshold: {threshold}}}")
    made = receipt(contract=contract)
    rows = tuple(Row(id=row.id, labels=("yes" if i % 2 else "no",)) for i, row in enumerate(made.rows))

    assert judged(printed(made.model_copy(update={"rows": rows}))).reasons == [f"coverage:{coverage}"]


def test_rows_of_one_label_may_all_be_called_that() -> None:
    contract = tiny_contract(limits="{accuracy: {at_least: 0}}", decide="{positive: yes, threshold: 0.5}")

    assert judged(receipt(200, 0, contract=contract)).eligible


@pytest.mark.parametrize("threshold", ["0", "1", "-0.1", "1.1", ".nan", ".inf", "true"])
def test_thresholds_outside_the_open_interval_are_no_contract(threshold: str) -> None:
    with pytest.raises(InputError):
        tiny_contract(decide=f"{{positive: yes, threshold: {threshold}}}")


# What small samples can and cannot say


@pytest.mark.parametrize(("n", "least"), [(29, 0.90), (59, 0.95), (149, 0.98), (299, 0.99)])
def test_all_of_n_found_shows_no_more_than_n_can_carry(n: int, least: float) -> None:
    def status(count: int) -> Status:
        contract = tiny_contract(
            slices=f"{{critical_min_recall: {{yes: {least}}}}}", limits="{accuracy: {at_least: 0}}"
        )
        found = judged(receipt(count, 0, contract=contract))
        return next(one.status for one in found.verdicts if one.limit == "critical_min_recall.yes")

    assert status(n // 2) is Status.INCONCLUSIVE
    assert status(3 * n) is Status.PASS


def test_a_hundred_of_a_hundred_are_never_called_a_hundred_percent() -> None:
    (verdict,) = judged(receipt(100, 0)).verdicts

    assert verdict.evidence is not None
    assert verdict.evidence.low < 0.98


def test_a_perfectly_calibrated_router_is_judged_on_the_unbiased_error() -> None:
    random = np.random.default_rng(5)
    confidence = random.uniform(0.55, 0.99, size=200)
    right = random.random(200) < confidence
    logits = [logits_for(p, 1 - p) if ok else logits_for(1 - p, p) for p, ok in zip(confidence, right, strict=True)]
    contract = tiny_contract(limits="{ece: {at_most: 0.06}}")
    found = judged(printed(receipt(100, 100, contract=contract, logits=Matrix.of(np.array(logits)))))

    assert found.verdicts[0].evidence is not None
    assert math.isclose(found.verdicts[0].evidence.value, found.measurements["ece_debiased"].value)


def test_comparisons_are_paired_row_by_row() -> None:
    contract = tiny_contract(limits="{accuracy_vs_champion: {at_least: 0}}")
    mine = receipt(960, 40, contract=contract)
    theirs = tuple("yes" if i < 940 else "no" for i in range(1000))  # the same rows wrong, and twenty more
    (verdict,) = judged(mine.model_copy(update={"predicted": {"champion": theirs}})).verdicts

    assert verdict.status is Status.PASS
    assert verdict.evidence is not None
    assert verdict.evidence.high - verdict.evidence.low < 0.03  # unpaired it would be about 0.04


REASONS: dict[str, Callable[[], Judgement]] = {
    "digest": lambda: judge(receipt(), claimed_digest="sha256:0", beside=Beside(now=NOW)),
    "label_version": lambda: judged(receipt(identity={"label_version": "v9"})),
    "contract_digest": lambda: judged(receipt(identity={"label_version": "tiny-v1", "contract_digest": "sha256:0"})),
    "no_fixtures": lambda: judged(receipt(fixtures=())),
    "unexpected": lambda: judged(receipt(fixtures=tuple(f"r{i:04d}" for i in range(199)))),
    "duplicate": lambda: judged(printed(receipt(rows=tuple(Row(id="r0000", labels=("yes",)) for _ in range(200))))),
}


@pytest.mark.parametrize("code", REASONS)
def test_every_refusal_has_its_own_code(code: str) -> None:
    assert code in codes(REASONS[code]())
