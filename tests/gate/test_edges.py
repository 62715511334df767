"""Where one judgement turns into another: the last candidate, the last listed row, the rarest labels."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from interlock.core.contract import Contract
from interlock.core.errors import InputError
from interlock.core.measurement import Measurement
from interlock.core.receipt import Intents, Matrix, Receipt, Row
from interlock.core.verdict import Status
from interlock.gate.derive import Derived, cost_matrix, measurements
from interlock.gate.judge import Beside, judge
from interlock.gate.refusals import MOST_ATTEMPTS, Known, listed, refusals
from interlock.gate.rules import Evidence, judge_rules
from interlock.gate.versus import Versus
from interlock.testing import logits_for, tiny_contract


def receipt(contract: Contract, labels: list[str], logits: Any, **changes: Any) -> Receipt:
    """Return evidence of a row for each of ``labels``."""
    rows = tuple(Row(id=f"r{i:03d}", labels=(label,)) for i, label in enumerate(labels))
    made = Receipt(
        receipt=1,
        name="tiny",
        identity={"label_version": contract.label_version},
        contract=contract.to_json(),
        fixtures=tuple(row.id for row in rows),
        rows=rows,
        logits=Matrix.of(np.asarray(logits, dtype=float)),
    )
    return made.model_copy(update=changes)


def plain(**changes: Any) -> Receipt:
    return receipt(tiny_contract(), ["yes", "no"] * 10, [logits_for(0.9, 0.1), logits_for(0.1, 0.9)] * 10, **changes)


def test_the_tenth_candidate_is_the_last_that_may_be_judged() -> None:
    derived = Derived(plain())
    said = {
        attempt: [
            reason
            for reason in refusals(derived, claimed_digest=derived.receipt.digest, known=Known(attempt=attempt))
            if reason.startswith("attempts")
        ]
        for attempt in (1, MOST_ATTEMPTS, MOST_ATTEMPTS + 1)
    }

    assert said == {1: [], 10: [], 11: ["attempts:11"]}


def test_of_many_ids_the_first_twenty_are_listed_and_all_are_counted() -> None:
    ids = [f"r{n}" for n in range(22)]

    assert listed([]) == ""
    assert listed(ids[:20]) == ",".join(ids[:20])
    assert listed(ids[:21]) == ",".join(ids[:20]) + ",... (21 in all)"
    assert listed(ids, most=2) == "r0,r1,... (22 in all)"


def verdict(limits: str, found: Mapping[str, Measurement], attested: Mapping[str, list[str]] | None = None) -> Any:
    (made,) = judge_rules(tiny_contract(limits=limits).limits, Evidence(0.95, lambda _level: found, attested or {}))
    return made


def test_a_bar_of_nothing_is_a_bar() -> None:
    for value, status in ((0.0, Status.PASS), (0.5, Status.FAIL)):
        found = {"nll": Measurement("nll", value, 100, value, value)}
        made = verdict("{nll: {at_most: 0}}", found)
        assert (made.status, made.limit, made.rule, made.reason) == (status, "nll", "at most 0", f"{status.value}:nll")


def test_calibration_is_judged_on_the_unbiased_error() -> None:
    found = {
        "ece": Measurement("ece", 0.9, 100, 0.9, 0.9),
        "ece_debiased": Measurement("ece_debiased", 0.01, 100, 0.01, 0.01),
    }

    assert verdict("{ece: {at_most: 0.04}}", found).status is Status.PASS
    assert verdict("{nll: {at_most: 0.04}}", found).status is Status.INCONCLUSIVE


def test_an_attestation_says_who_attested_what() -> None:
    rule = "{seen: {attested: confusion review}}"

    assert verdict(rule, {}).rule == "attested: confusion review"
    assert verdict(rule, {}, {"confusion review": ["eve", "ada"]}).rule == "attested: confusion review (by ada, eve)"


def test_a_group_says_how_its_rules_are_joined_and_asks_for_rows_only_while_it_is_open() -> None:
    open_ = Measurement("accuracy", 0.92, 100, 0.86, 0.98, method="wilson")
    good, bad = Measurement("coverage", 0.99, 100, 0.95, 1.0), Measurement("coverage", 0.1, 100, 0.05, 0.2)
    inside = "{accuracy: {at_least: 0.9}, coverage: {at_least: 0.9}}"

    every = verdict(f"{{g: {{all: {inside}}}}}", {"accuracy": open_, "coverage": good})
    assert (every.status, every.rule) == (Status.INCONCLUSIVE, "accuracy and coverage")
    assert every.rows_needed is not None
    failed = verdict(f"{{g: {{all: {inside}}}}}", {"accuracy": open_, "coverage": bad})
    assert (failed.status, failed.rows_needed) == (Status.FAIL, None)
    one = verdict(f"{{g: {{any: {inside}}}}}", {"accuracy": open_, "coverage": good})
    assert (one.status, one.rule, one.rows_needed) == (Status.PASS, "accuracy or coverage", None)


def test_one_way_to_pass_is_judged_at_the_level_of_a_single_limit() -> None:
    evidence = Evidence(0.95, lambda _level: {})

    assert evidence.shared_by(1) is evidence
    assert [evidence.shared_by(n).level for n in (2, 5)] == pytest.approx([0.975, 0.99])


def versus(labels: int, gold: list[int], **changes: Any) -> Versus:
    names = [f"l{n:02d}" for n in range(labels)]
    contract = tiny_contract(labels="{" + ", ".join(f"{name}: {{route: {name}}}" for name in names) + "}", **changes)
    made = receipt(contract, [names[column] for column in gold], np.zeros((len(gold), labels)))
    columns = np.array(gold)
    return Versus(columns, columns, columns, Derived(made), 0.95)


def test_a_tenth_of_the_labels_with_the_fewest_rows_are_rare_and_one_at_least() -> None:
    gold = [column for column in range(20) for _ in range(20 - column)]  # the last labels have the fewest rows
    pair = versus(20, gold)
    assert sorted(set(pair.gold[pair.rare()].tolist())) == [18, 19]

    few = versus(2, [0, 0, 0, 1])
    assert few.rare().tolist() == [False, False, False, True]
    alike = versus(3, [2, 1, 0])  # as many rows of each: the first label, so that it is always the same
    assert alike.rare().tolist() == [False, False, True]


def test_a_label_is_never_costly_when_it_is_right_whatever_a_pair_says() -> None:
    contract = tiny_contract(costs="{levels: {low: 1, high: 7}, default: low, pairs: [[yes, yes, high]]}")

    assert cost_matrix(contract.costs, contract).diagonal().tolist() == [0, 0]


def test_intents_count_only_where_a_detector_looked_and_had_a_threshold() -> None:
    made = plain()
    seen = Intents(score=0.99, labels=("yes", "no"), confidence=0.9)
    rows = (made.rows[0].model_copy(update={"several": seen}), *made.rows[1:])

    def intents(**changes: Any) -> list[int]:
        return [len(decision.intents) for decision in Derived(plain(rows=rows, **changes)).decisions]

    assert set(intents()) == {0}  # nobody said from which score on there are several
    assert intents(several_threshold=0.5)[0] == 2
    assert set(intents(several_threshold=0.5)[1:]) == {0}


def test_the_second_column_of_scores_is_the_positive_label_s_wherever_it_stands() -> None:
    for labels in ("{no: {route: no}, yes: {route: yes}}", "{yes: {route: yes}, no: {route: no}}"):
        contract = tiny_contract(labels=labels, decide="{positive: yes, threshold: 0.5}")
        rows = tuple(Row(id=f"r{i}", labels=("yes",), score=score) for i, score in enumerate((0.1, 0.7, 0.9)))
        made = plain().model_copy(update={"contract": contract.to_json(), "rows": rows, "logits": None})
        chosen = Derived(made).probabilities[:, contract.index["yes"]]
        assert chosen == pytest.approx([0.1, 0.7, 0.9])


def test_levels_asked_for_rise_with_the_attempt() -> None:
    made = plain()
    widths = []
    for attempt in (1, 2, 10):
        judged = judge(made, claimed_digest=made.digest, beside=Beside(attempt=attempt))
        found = judged.measurements["coverage"]
        widths.append(found.high - found.low)

    assert all(one < two for one, two in pairwise(widths))


def test_a_required_slice_says_of_how_many_critical_rows_it_speaks() -> None:
    contract = tiny_contract(
        labels="{yes: {route: yes, critical: true}, no: {route: no}}",
        slices="{required: [night]}",
        limits="{accuracy: {at_least: 0.1}}",
    )
    made = receipt(contract, ["yes"] * 3 + ["no"] * 3, [logits_for(0.9, 0.1)] * 3 + [logits_for(0.1, 0.9)] * 3)
    rows = tuple(row.model_copy(update={"slice": "night" if i else "day"}) for i, row in enumerate(made.rows))
    made = made.model_copy(update={"rows": rows})
    judged = judge(made, claimed_digest=made.digest)
    (found,) = [one for one in judged.verdicts if one.limit == "slices.required.night"]

    assert (found.status, found.reason, found.rule) == (Status.PASS, "pass:slice.night", "no critical row missed")
    assert found.evidence is not None
    assert (found.evidence.value, found.evidence.n, found.evidence.slice) == (1.0, 2, "slice=night")


def test_intervals_rest_on_rows_apart_and_what_is_shown_on_all_of_them() -> None:
    made = plain()
    rows = (*made.rows[:10], *(row.model_copy(update={"near": "r000"}) for row in made.rows[10:]))
    made = made.model_copy(update={"rows": rows})
    judged = judge(made, claimed_digest=made.digest)
    evidence = judged.verdicts[0].evidence

    assert evidence is not None
    assert (evidence.n, judged.measurements["accuracy"].n) == (10, 20)


def test_rows_of_several_labels_are_measured_as_sets_and_the_detector_on_its_own() -> None:
    rows = tuple(
        Row(id=f"r{i}", labels=labels, several=Intents(score=score, labels=("yes", "no"), confidence=0.9))
        for i, (labels, score) in enumerate([(("yes", "no"), 0.9), (("yes", "no"), 0.1), (("yes",), 0.2)])
    )
    changes = {"rows": rows, "logits": Matrix.of(np.array([logits_for(0.9, 0.1)] * 3)), "several_threshold": 0.5}
    found = measurements(Derived(plain().model_copy(update=changes)))

    assert found["exact_match"].value == pytest.approx(2 / 3)  # of the second one label was found
    assert found["micro_f1"].value == pytest.approx(2 * 4 / (4 + 5))  # 4 found, all wanted, of 5
    assert (found["several_recall"].value, found["several_recall"].n) == (0.5, 2)
    assert (found["several_false"].value, found["several_false"].n) == (0.0, 1)
    nowhere = measurements(Derived(plain().model_copy(update={**changes, "several_threshold": None})))
    assert nowhere["several_recall"].value == 0.0  # nobody said from which score on


def test_every_comparison_is_with_the_champion_on_the_rows_it_names() -> None:
    contract = tiny_contract(
        labels="{a: {route: a, critical: true}, b: {route: b}, c: {route: c}}",
        limits="""{g: {all: {macro_f1_vs_champion: {at_least: -1}, critical_recall_vs_champion: {at_least: -1},
        rare_recall_vs_champion: {at_least: -1}, recall_vs_champion.b: {at_least: -1},
        cost_vs_champion: {at_most: 9}}}}""",
    )
    gold = ["a"] * 10 + ["b"] * 8 + ["c"] * 6
    theirs = ["a"] * 10 + ["c"] * 8 + ["c"] * 6  # every b wrong
    mine = ["b"] * 2 + ["a"] * 8 + ["b"] * 8 + ["a"] * 3 + ["c"] * 3

    def said(labels: list[str]) -> list[list[float]]:
        return [[8.0 * (name == label) for name in "abc"] for label in labels]

    made = receipt(contract, gold, said(mine))
    champion = receipt(contract, gold, said(theirs), name="old")
    judged = judge(made, claimed_digest=made.digest, beside=Beside(champion=champion))
    found = judged.measurements

    assert found["critical_recall_vs_champion"].value == pytest.approx(-0.2)
    assert found["rare_recall_vs_champion"].value == pytest.approx(-0.5)
    assert found["recall_vs_champion.b"].value == pytest.approx(1.0)
    assert found["cost_vs_champion"].value == pytest.approx(5 / 8)
    f1 = {"a": 2 * 8 / (10 + 11), "b": 2 * 8 / (8 + 10), "c": 2 * 3 / (6 + 3)}
    assert found["macro_f1_vs_champion"].value == pytest.approx(sum(f1.values()) / 3 - (1 + 2 * 6 / (6 + 14)) / 3)
    assert found["recall_vs_champion.b"].slice == "champion=old"

    alone = judge(made, claimed_digest=made.digest)
    (group,) = alone.verdicts
    assert (group.status, alone.measurements["cost_vs_champion"].known) == (Status.INCONCLUSIVE, False)
    other = champion.model_copy(update={"rows": champion.rows[::-1]})  # the same rows, in another order
    unpaired = judge(made, claimed_digest=made.digest, beside=Beside(champion=other)).measurements
    assert not unpaired["cost_vs_champion"].known


def test_evidence_that_contradicts_its_contract_is_no_receipt() -> None:
    made = plain()
    wide = made.model_copy(update={"logits": Matrix.of(np.zeros((20, 3)))})
    with pytest.raises(InputError, match="2 columns"):
        measurements(Derived(wide))
    scored = tuple(row.model_copy(update={"score": 0.5}) for row in made.rows)
    with pytest.raises(InputError, match="threshold policy"):
        measurements(Derived(made.model_copy(update={"logits": None, "rows": scored})))


def test_sets_are_measured_where_labels_or_a_detector_make_sets_and_nowhere_else() -> None:
    made = plain()
    seen = Intents(score=0.1, labels=("yes", "no"), confidence=0.9)
    looked = (made.rows[0].model_copy(update={"several": seen}), *made.rows[1:])
    double = (made.rows[0].model_copy(update={"labels": ("yes", "no")}), *made.rows[1:])

    assert not {"exact_match", "several_recall"} & set(measurements(Derived(made)))
    assert {"exact_match", "several_recall"} <= set(measurements(Derived(plain(rows=looked))))
    both = measurements(Derived(plain(rows=double)))
    assert "exact_match" in both
    assert "several_recall" not in both


def test_latencies_are_quantiles_of_milliseconds() -> None:
    found = measurements(Derived(plain(latency_ms=tuple(float(n) for n in range(20)))))

    assert [found[f"latency_p{p}_ms"].value for p in (50, 95, 99)] == pytest.approx([9.5, 18.05, 18.81], abs=1)


def test_latencies_are_the_shares_of_messages_they_are_named_for() -> None:
    found = measurements(Derived(plain(latency_ms=tuple(float(ms) for ms in range(1, 1001)))))

    assert [found[f"latency_p{percent}_ms"].value for percent in (50, 95, 99)] == pytest.approx(
        [500.5, 950.5, 990.5], abs=0.6
    )


def test_without_a_calibrator_probabilities_are_the_plain_softmax() -> None:
    found = Derived(plain()).probabilities

    assert found[:2] == pytest.approx(np.array([[0.9, 0.1], [0.1, 0.9]]), abs=1e-6)
