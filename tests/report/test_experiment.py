"""Tables of experiments: what is recommended, on which rows, and what is never looked at."""

from __future__ import annotations

import numpy as np
import pytest

from interlock.core.contract import Contract
from interlock.core.contract_file import parse_contract
from interlock.core.dataset import Dataset, Example
from interlock.core.errors import InputError
from interlock.report.arms import Arm, Rows
from interlock.report.experiment import Table, compare_arms
from interlock.report.experiment_page import cells, page
from interlock.report.models import bench
from interlock.report.seeds import over_seeds
from interlock.train.experiments.run import Failed
from interlock.train.experiments.trial import Outcome

N, K = 120, 3
CONTRACT = """\
contract: 1
name: shop
label_version: v1
labels: {order: {route: tracking}, refund: {route: returns}, hello: {route: smalltalk}}
money: {misroute_usd: 0.5, review_usd: 0.25, monthly_messages: 1000000}
limits: {latency_p95_ms: {at_most: 15}}
"""


def contract() -> Contract:
    return parse_contract(CONTRACT.encode())


def rows(part: str = "calibration") -> Rows:
    data = Dataset(tuple(Example(f"r{i}", f"message {i}", (contract().label_names[i % K],)) for i in range(N)))
    return Rows(contract(), "test" if part == "test" else "calibration", data, data, (2,))


def outcome(wrong: int, *, test_wrong: int | None = None, ms: float = 1.0, broken_test: bool = False) -> Outcome:
    """Return a model that is wrong on the first ``wrong`` rows."""
    parts = []
    for errors in (wrong, wrong if test_wrong is None else test_wrong):
        said = np.array([(i % K + (i < errors)) % K for i in range(N)])
        parts.append(np.eye(K)[said] * 2 + np.linspace(0, 0.5, N)[:, None] * np.eye(K)[said])
    test = np.full((N, K), np.nan) if broken_test else parts[1]
    return Outcome(parts[0], test, np.full(N, ms), {"train_minutes": 0.5})


def arm(name: str, *outcomes: Outcome | Failed) -> Arm:
    return Arm(name, {"gamma": name}, outcomes)


def test_a_change_is_recommended_when_and_only_when_it_is_shown_to_be_better() -> None:
    arms = [arm("a", outcome(30)), arm("b", outcome(5)), arm("c", outcome(28, broken_test=True))]
    found = compare_arms(arms, rows(), rows("test"), kind="ablate")

    assert [line.contest.shown if line.contest else "" for line in found.lines] == ["", "better", "no difference shown"]
    assert found.recommended == "b"
    assert found.why.startswith("change to b: accuracy +20.8 points")
    assert "of one model each" in found.why
    assert "more rows would show" in found.lines[2].reading
    assert "better" not in found.lines[2].reading
    assert found.to_json()["recommendation"]["change"] is True


def test_the_test_rows_are_measured_for_the_baseline_and_the_recommended_arm_alone() -> None:
    broken = outcome(20, broken_test=True)  # measuring it would raise: its test logits are no numbers
    found = compare_arms([arm("a", outcome(20)), arm("b", broken)], rows(), rows("test"), kind="ablate")

    assert found.recommended == "a"
    assert list(found.test) == ["a"]
    assert found.test_contest is None
    with pytest.raises(ValueError, match="finite"):
        rows("test").measure(broken)


def test_what_the_calibration_rows_recommend_is_not_unsaid_by_the_test_rows_but_told() -> None:
    arms = [arm("a", outcome(40, test_wrong=5)), arm("b", outcome(2, test_wrong=60))]
    found = compare_arms(arms, rows(), rows("test"), kind="ablate")

    assert found.recommended == "b"
    assert found.test_contest is not None
    assert found.test_contest.shown == "worse"
    assert "a difference of -45.8 points" in page(found, about={"data": "d", "contract": "c"}, notes=[])


def test_an_arm_that_could_not_be_trained_says_why_and_is_compared_with_nothing() -> None:
    arms = [arm("a", outcome(20)), arm("b", Failed("no such layer"))]
    found = compare_arms(arms, rows(), rows("test"), kind="tracks")
    body = found.to_json()["rows"][1]

    assert body["failed"] == "no such layer"
    assert "p" not in body
    assert found.lines[1].reading == "not trained: no such layer"
    assert cells(found)[1][1][-1] == "failed"


def test_by_rare_recall_only_rows_of_the_rarest_labels_count() -> None:
    good = outcome(0)
    bad = outcome(0)
    bad.calibration[2::K] = bad.calibration[2::K][:, [2, 0, 1]]  # every rare row wrong, no other
    found = compare_arms([arm("a", bad), arm("b", good)], rows(), rows("test"), kind="ablate", by="rare_recall")

    assert found.lines[1].contest is not None
    assert found.lines[1].contest.difference.value == 1.0
    assert found.lines[1].contest.difference.n == N // K
    assert found.lines[0].measurements["rare_recall"].value == 0.0


def test_seeds_tell_their_spread_beside_that_of_the_rows() -> None:
    arms = [arm(f"seed {i}", outcome(wrong)) for i, wrong in enumerate((12, 24, 36))]
    found = over_seeds(arms, rows("test"))

    assert found.means["accuracy"].value == pytest.approx(1 - 24 / N)
    assert found.accuracy.seed_sd == pytest.approx(0.1)  # accuracies 0.9, 0.8, 0.7
    assert found.accuracy.sampling_sd == pytest.approx(np.sqrt((0.09 + 0.16 + 0.21) / 3 / N))
    assert 0 <= found.means["accuracy"].low <= found.means["accuracy"].high <= 1
    assert "compare recipes over several seeds" in found.why
    with pytest.raises(InputError, match="seed"):
        over_seeds([*arms, arm("seed 9", Failed("disk full"))], rows("test"))


def test_the_most_accurate_model_within_the_latency_budget_is_chosen() -> None:
    arms = [
        arm("small", outcome(40, ms=2.0)),
        arm("large", outcome(2, ms=30.0)),
        arm("middle", outcome(10, ms=9.0)),
    ]
    found = bench(arms, rows(), rows("test"), budget_ms=15, core_hour_usd=0.36)
    prices = {row["name"]: row for row in found.to_json()["rows"]}

    assert found.table.recommended == "middle"
    assert not prices["large"]["within_budget"]
    # 1,000,000 messages of 9 ms are 2.5 hours of a core; 1/12 of the rows at half a dollar each
    assert prices["middle"]["serving_usd"]["value"] == pytest.approx(2.5 * 0.36)
    assert prices["middle"]["misroute_usd"]["value"] == pytest.approx(1_000_000 / 12 * 0.5)
    # 25 points more than the cheapest, for 7 ms a message more
    assert prices["middle"]["usd_per_quality_point"]["value"] == pytest.approx(1e6 * 7 / 3.6e6 * 0.36 / 25)
    assert prices["small"]["usd_per_quality_point"] is None


def test_no_model_is_chosen_when_none_is_shown_to_keep_the_budget() -> None:
    found = bench([arm("slow", outcome(2, ms=30.0))], rows(), rows("test"), budget_ms=15, core_hour_usd=0.05)

    assert found.table.recommended is None
    assert found.table.why.startswith("choose none")


def test_a_cheaper_model_that_is_not_shown_to_be_worse_is_named() -> None:
    arms = [arm("small", outcome(12, ms=2.0)), arm("middle", outcome(10, ms=9.0))]
    found = bench(arms, rows(), rows("test"), budget_ms=15, core_hour_usd=0.05)

    assert found.table.recommended == "middle"
    assert "small is cheaper" in found.table.why
    assert "not shown to be worse" in found.table.why


def test_a_model_that_states_no_confidence_has_no_calibration_error() -> None:
    plain = Outcome(
        np.eye(K)[np.arange(N) % K],
        np.eye(K)[np.arange(N) % K],
        np.ones(N),
        {"train_minutes": 0.0},
        states_confidence=False,
    )
    found = rows().measure(plain)

    assert found["accuracy"].value == 1.0
    assert not found["ece_debiased"].known


def test_a_table_is_one_object_without_infinities() -> None:
    import json

    found: Table = compare_arms([arm("a", outcome(20)), arm("b", outcome(20))], rows(), rows("test"), kind="ablate")

    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["n"] == N
