"""Judging on the record: attempts are counted before anybody looks, and later candidates have more to prove."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from interlock.core.ledger import Deed, breaks
from interlock.core.receipt import Matrix, Receipt, Row
from interlock.core.verdict import Status
from interlock.gate.judge import ALPHA, Beside, attempt_level, judge
from interlock.gate.record import Record, judge_on_record
from interlock.gate.refusals import MOST_ATTEMPTS
from interlock.measure.proportion import wilson
from interlock.testing import FrozenClock, MemoryLedger, logits_for, tiny_contract

NOW = FrozenClock().now()
CONTRACT = tiny_contract(limits="{accuracy: {at_least: 0.9}}")


def candidate(right: int, *, of: int = 200, seed: str = "0", first: int = 0) -> Receipt:
    """Return a receipt of ``of`` rows of the label yes, ``right`` of them found."""
    rows = tuple(Row(id=f"r{first + i}", labels=("yes",)) for i in range(of))
    logits = np.array([logits_for(0.95, 0.05)] * right + [logits_for(0.05, 0.95)] * (of - right))
    return Receipt(
        receipt=1,
        name="tiny",
        identity={"label_version": "tiny-v1", "seed": seed},
        contract=CONTRACT.to_json(),
        fixtures=tuple(row.id for row in rows),
        rows=rows,
        logits=Matrix.of(logits),
    )


def record() -> Record:
    return Record(MemoryLedger(), "ann", FrozenClock())


def test_every_candidate_of_the_same_rows_is_counted_once() -> None:
    on = record()

    assert [on.attempt(candidate(190, seed=str(n))) for n in (0, 1, 1, 0, 2)] == [1, 2, 2, 1, 3]
    assert on.attempt(candidate(190, first=1)) == 1  # other rows
    assert Record(on.ledger, "bob", FrozenClock()).attempt(candidate(190, seed="3")) == 4  # whoever asks


def test_the_rows_are_known_again_in_any_order_and_by_what_they_are_labelled() -> None:
    whole = candidate(190)
    turned = whole.model_copy(update={"rows": whole.rows[::-1]})
    relabelled = whole.model_copy(update={"rows": (Row(id="r0", labels=("no",)), *whole.rows[1:])})

    assert turned.evaluation_set == whole.evaluation_set != relabelled.evaluation_set


def test_gates_at_once_get_different_numbers() -> None:
    on = record()
    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(lambda n: on.attempt(candidate(190, seed=str(n))), range(8)))

    assert found == list(range(1, 9))
    assert breaks(on.ledger.entries()) == []


def test_without_a_record_a_judgement_is_only_a_judgement() -> None:
    receipt = candidate(190)
    judged = judge_on_record(receipt, None, claimed_digest=receipt.digest)

    assert (judged.attempt, judged.entry) == (None, None)
    assert judged.judgement.eligible


def test_the_verdict_s_entry_says_what_it_rests_on() -> None:
    on, receipt, champion = record(), candidate(190), candidate(180, seed="champion")
    judged = judge_on_record(receipt, on, claimed_digest=receipt.digest, beside=Beside(champion=champion))
    assert judged.entry is not None
    said = judged.entry.deed

    assert said.subject == said.evidence["receipt"] == receipt.digest
    assert said.evidence["champion"] == champion.digest
    assert said.evidence["contract"] == CONTRACT.digest
    assert said.note == "eligible_for_shadow: exact_receipt_pass"


def test_the_entry_says_by_which_gate_and_with_what_was_counted_elsewhere() -> None:
    contract = tiny_contract(gates="{promote: {accuracy: {at_least: 0.9}, load_error_rate: {at_most: 0.01}}}")
    receipt = candidate(190).model_copy(update={"contract": contract.to_json()})
    evidence = {}
    for errors in (3, 4):
        beside = Beside(gate="promote", counts={"load_error_rate": (errors, 100_000)})
        judged = judge_on_record(receipt, record(), claimed_digest=receipt.digest, beside=beside)
        assert judged.entry is not None
        assert judged.judgement.eligible
        assert judged.judgement.measurements["load_error_rate"].n == 100_000
        evidence[errors] = judged.entry.deed.evidence

    assert {one["gate"] for one in evidence.values()} == {"promote"}
    assert len({one["counts"] for one in evidence.values()}) == 2
    plain = judge_on_record(candidate(190), record(), claimed_digest=candidate(190).digest).entry
    assert plain is not None
    assert plain.deed.evidence.keys() == {"receipt", "evaluation_set", "contract", "judgement"}


def test_what_persons_attested_counts_for_the_receipt_and_for_bundles_packed_with_it_alone() -> None:
    on, receipt, other = record(), candidate(190), candidate(190, seed="other")
    on.packed("sha256:" + "1" * 64, receipt)
    on.packed("sha256:" + "2" * 64, other)
    for actor, subject in (
        ("ann", receipt.digest),
        ("bob", "sha256:" + "1" * 64),
        ("eve", "sha256:" + "2" * 64),
        ("mallory", other.digest),
    ):
        on.ledger.append(Deed.of("attested: confusion review", subject, actor=actor), at=NOW)
    on.ledger.append(Deed.of("revoked", receipt.digest, actor="eve"), at=NOW)

    assert on.attested(receipt) == {"confusion review": {"ann", "bob"}}
    assert on.attested(candidate(190, seed="third")) == {}


def test_a_router_is_held_until_a_person_attests_what_its_contract_asks_for() -> None:
    contract = tiny_contract(limits="{accuracy: {at_least: 0.9}, review: {attested: confusion review}}")
    on, receipt = record(), candidate(190).model_copy(update={"contract": contract.to_json()})
    held = judge_on_record(receipt, on, claimed_digest=receipt.digest).judgement
    assert held.reasons == ["inconclusive:review"]

    on.ledger.append(Deed.of("attested: confusion review", receipt.digest, actor="bob"), at=NOW)
    assert judge_on_record(receipt, on, claimed_digest=receipt.digest).judgement.eligible


def test_other_entries_about_the_same_rows_are_no_attempts() -> None:
    on, receipt = record(), candidate(190)
    rows = {"evaluation_set": receipt.evaluation_set}
    on.ledger.append(Deed.of("looked", "sha256:" + "3" * 64, actor="ann", evidence=rows), at=NOW)
    on.attempt(candidate(190, first=1000))  # other rows

    assert on.attempt(receipt) == 1


def test_a_later_candidate_of_the_same_rows_has_more_to_prove() -> None:
    receipt = candidate(189)  # Wilson's lower bound of 189 in 200: 0.904 at 95 %, 0.878 at the fourth's level
    first = judge(receipt, claimed_digest=receipt.digest)
    fourth = judge(receipt, claimed_digest=receipt.digest, beside=Beside(attempt=4))

    assert first.eligible
    assert [verdict.status for verdict in fourth.verdicts] == [Status.INCONCLUSIVE]
    found = fourth.verdicts[0].evidence
    assert found is not None
    assert found.level == pytest.approx(1 - 0.05 / 12)
    assert found.value == 0.945


def test_levels_rise_and_their_errors_sum_to_a_tenth_at_most() -> None:
    levels = [attempt_level(k) for k in range(1, 1000)]

    assert levels[0] == 1 - ALPHA
    assert levels[1:] == sorted(levels[1:])
    assert sum(1 - level for level in levels) <= 2 * ALPHA  # two-sided: half of it is at the end that a limit looks at


def test_the_eleventh_candidate_of_the_same_rows_is_refused_however_good() -> None:
    on = record()
    for n in range(MOST_ATTEMPTS):
        on.attempt(candidate(150, seed=str(n)))
    perfect = candidate(200, seed="perfect")
    judged = judge_on_record(perfect, on, claimed_digest=perfect.digest)

    assert judged.judgement.reasons == ["attempts:11"]
    assert judged.entry is not None
    assert judged.entry.deed.note == "hold: attempts:11"


def passed(accuracy: float, *, rows: int, bar: float, tries: int, runs: int, spend: bool) -> float:
    """Return the share of runs in which any of ``tries`` equally good candidates passes."""
    right = np.random.default_rng(3).binomial(rows, accuracy, size=(runs, tries))
    least = [
        next(n for n in range(rows + 1) if wilson(n, rows, level=attempt_level(k) if spend else 0.95)[0] >= bar)
        for k in range(1, tries + 1)
    ]
    return float((right >= np.array(least)).any(axis=1).mean())


def test_trying_ten_candidates_a_point_below_the_bar_passes_none_in_95_of_100_runs() -> None:
    spent = passed(0.89, rows=1000, bar=0.90, tries=10, runs=20_000, spend=True)
    at_the_bar = passed(0.8999, rows=1000, bar=0.90, tries=10, runs=20_000, spend=True)
    unspent = passed(0.8999, rows=1000, bar=0.90, tries=10, runs=20_000, spend=False)

    assert spent <= 0.01
    assert at_the_bar <= 0.05
    assert unspent > 0.15  # what shopping would do


def test_a_record_on_a_store_counts_across_openings(tmp_path: Path) -> None:
    from interlock.store.ledger import open_ledger

    for n in range(3):
        with open_ledger(tmp_path / "s.db") as ledger:
            assert Record(ledger, "ann", FrozenClock()).attempt(candidate(190, seed=str(n))) == n + 1
