"""Bounds fitted to an aim: what each promises, and when there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from interlock.bundle.open import Bundle
from interlock.calibrate.policy import Aim, Rows, fit_policy
from interlock.core.contract import Contract, Threshold
from interlock.core.errors import InputError
from interlock.predict.predictor import Predictor
from interlock.report.policy import write_sweep
from interlock.sweep import sweep
from interlock.testing import FrozenClock, logits_for, tiny_contract, tiny_predictor

BINARY = tiny_contract(decide="{positive: 'yes', threshold: 0.5}", costs="{levels: {low: 1, high: 9}, default: low}")


@dataclass
class StandIn:
    """What a sweep asks of a bundle."""

    predictor: Predictor
    neighbours: Any = None

    @property
    def contract(self) -> Contract:
        return self.predictor.contract

    @property
    def manifest(self) -> Any:
        return SimpleNamespace(name="stand-in", identity={"label_version": "v1"})

    def receipt(self) -> Any:
        return SimpleNamespace(rows=(), fixtures=("judged",))


def bundle(contract: Contract) -> Bundle:
    """Return a router that reads the probability of ``yes`` off the message."""

    def say(text: str) -> np.ndarray:
        p = float(text.split(maxsplit=1)[0])
        return logits_for(p, 1 - p)

    return cast("Bundle", StandIn(tiny_predictor(say, contract=contract)))


def messages(path: Path, count: int, *, seed: int = 0) -> Path:
    """Write rows whose chance of being ``yes`` is what they say."""
    chance = np.random.default_rng(seed)
    stated = np.clip(chance.beta(0.5, 0.5, count), 0.001, 0.999)
    rows = [
        {"id": f"m{i}", "text": f"{p:.6f} m{i}", "label": "yes" if chance.random() < p else "no"}
        for i, p in enumerate(stated)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rows(confidence: list[float], right: list[bool], *, passed: list[bool] | None = None) -> Rows:
    n = len(confidence)
    cost = np.where(right, 0.0, 1.0)
    let = np.array(passed) if passed else np.ones(n, dtype=bool)
    return Rows(np.array(confidence), np.array(right), let, np.zeros(n, dtype=np.int64), cost, np.zeros(n))


def fitted(given: Rows, aim: Aim, *, binary: bool = False) -> Any:
    return fit_policy(given, aim, labels=("a", "b"), review_usd=0.3, binary=binary)


def test_the_cheapest_bound_by_hand() -> None:
    # a wrong route costs 1, a review 0.3: reviewing the two rows at 0.5 and 0.6 saves one wrong route for 0.6
    given = rows([0.5, 0.6, 0.9, 0.95], [False, True, True, True])

    assert fitted(given, Aim("cost")).threshold == 0.6
    assert fitted(given, Aim("cost", capacity=0.0)).threshold == 0.5


def test_a_capacity_that_other_gates_have_used_up_leaves_no_policy() -> None:
    given = rows([0.5, 0.6, 0.9, 0.95], [True] * 4, passed=[False, False, True, True])

    assert fitted(given, Aim("cost", capacity=0.25)).threshold is None
    assert fitted(given, Aim("cost", capacity=0.5)).threshold == 0.9


def test_a_label_that_is_often_wrong_loses_its_automatic_band_and_the_others_keep_theirs() -> None:
    n = 3000
    leading = np.repeat([0, 1], n)
    right = np.concatenate([np.ones(n, dtype=bool), np.arange(n) % 4 != 0])
    given = Rows(np.full(2 * n, 0.95), right, np.ones(2 * n, dtype=bool), leading, np.zeros(2 * n), np.zeros(2 * n))

    assert fitted(given, Aim("precision", 0.95)).threshold is None
    found = fitted(given, Aim("precision", 0.95, per_label=True))
    assert found.labels["a"] <= 0.95
    assert found.labels["b"] == 1.0


def test_no_missed_positive_is_the_lowest_positive_score() -> None:
    found = fitted(rows([0.2, 0.4, 0.9], [False, True, True]), Aim("no-missed-positive"), binary=True)

    assert found.threshold == pytest.approx(0.4)
    assert "0.3333" in found.why
    assert fitted(rows([0.2], [False]), Aim("no-missed-positive"), binary=True).threshold is None


@pytest.mark.parametrize(
    ("aim", "binary"),
    [
        (Aim("no-missed-positive"), False),
        (Aim("risk", 0.1), True),
        (Aim("precision", 0.3, per_label=True), True),  # it once came to a threshold of 1, which no contract can have
    ],
)
def test_aims_of_another_policy_are_refused(aim: Aim, binary: bool) -> None:
    with pytest.raises(InputError):
        fitted(rows([0.5] * 99, [True] * 99), aim, binary=binary)
    with pytest.raises(InputError, match="no rows"):
        fitted(rows([], []), Aim("cost"))


def test_of_equally_cheap_thresholds_the_one_that_misses_fewest_is_taken() -> None:
    free = rows([0.2, 0.9], [False, True])
    given = Rows(free.confidence, free.right, free.passed, free.leading, np.array([0.0, 1.0]), np.zeros(2))

    assert fitted(given, Aim("cost"), binary=True).threshold == 0.05


@pytest.mark.parametrize("contract", [tiny_contract(), BINARY], ids=["bands", "threshold"])
def test_nothing_is_cheapest_where_no_misroute_costs_anything(contract: Contract, tmp_path: Path) -> None:
    free = Contract.from_json({**contract.to_json(), "costs": {"levels": {"low": 0}, "default": "low"}})
    path = messages(tmp_path / "rows.jsonl", 20)

    with pytest.raises(InputError, match="cost"):
        sweep(bundle(free), path, aim=Aim("cost"), clock=FrozenClock())
    assert sweep(bundle(free), path, aim=Aim("precision", 0.9), clock=FrozenClock()).policy is None


AIMS = (
    Aim("precision", 0.98),
    Aim("precision", 0.98, per_label=True),
    Aim("precision", 1 - 2**-53),
    Aim("precision", 2**-53),
    Aim("risk", 0.02),
    Aim("risk", 1 - 2**-53),
    Aim("cost", capacity=0.0),
    Aim("no-missed-positive"),
)


@pytest.mark.parametrize("contract", [tiny_contract(), BINARY], ids=["bands", "threshold"])
@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: f"{aim.kind} {aim.share:g}")
@pytest.mark.parametrize(("count", "say"), [(1, "right"), (3, "wrong"), (30, "right"), (30, "wrong"), (30, "yes")])
def test_odd_rows_end_in_a_policy_a_reason_for_none_or_a_refusal(
    contract: Contract, aim: Aim, count: int, say: str, tmp_path: Path
) -> None:
    said = {"right": ("yes", "no"), "wrong": ("no", "yes"), "yes": ("yes", "yes")}[say]
    stated = np.linspace(0.02, 0.98, count)
    lines = [{"id": f"m{i}", "text": f"{p:.6f} m{i}", "label": said[int(p < 0.5)]} for i, p in enumerate(stated)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    binary = isinstance(contract.decide, Threshold)
    if count == 1 or aim.kind == ("risk" if binary else "no-missed-positive") or (binary and aim.per_label):
        with pytest.raises(InputError):
            sweep(bundle(contract), path, aim=aim, clock=FrozenClock())
        return
    found = sweep(bundle(contract), path, aim=aim, clock=FrozenClock())

    json.dumps(found.to_json(), allow_nan=False)
    assert (found.policy is None) == (found.fit.threshold is None)
    assert found.fit.why
    if found.policy is not None and found.keys is not None:
        assert tiny_contract(decide=json.dumps(found.keys["decide"])).decide == found.policy.decide
    if aim.kind == "precision" and aim.share > 0.9:
        assert found.policy is None  # so few rows show nothing


@pytest.mark.parametrize("kind", ["precision", "cost", "no-missed-positive"])
def test_a_positive_threshold_is_fitted_and_shown(kind: str, tmp_path: Path) -> None:
    aim = Aim(kind, 0.9 if kind == "precision" else float("nan"), capacity=0.6)  # type: ignore[arg-type]
    found = sweep(bundle(BINARY), messages(tmp_path / "rows.jsonl", 1500), aim=aim, clock=FrozenClock())

    assert found.policy is not None
    assert isinstance(found.policy.decide, Threshold)
    assert found.policy.decide.threshold == found.fit.threshold
    assert found.policy.decide.fitted_on == found.fitted_on
    assert sum(found.rows) + found.repeats == 1500
    shown = next(one for one in found.candidates if one.threshold == found.fit.threshold)
    if kind == "precision":
        assert shown.precision.high >= 0.9
    if kind == "no-missed-positive":
        assert shown.recall.value > 0.98
    assert found.to_json()["policy"]["decide"]["positive"] == "yes"


def test_disguised_messages_are_called_positive_under_any_threshold(tmp_path: Path) -> None:
    path = messages(tmp_path / "rows.jsonl", 200)
    path.write_text(path.read_text().replace('", "label"', ' h e l l o w o r l d", "label"'))
    found = sweep(bundle(BINARY), path, aim=Aim("cost"), clock=FrozenClock())

    assert {candidate.review.value for candidate in found.candidates} == {1.0}
    assert {candidate.recall.value for candidate in found.candidates} == {1.0}


def test_a_few_messages_copied_often_prove_no_more_than_themselves(tmp_path: Path) -> None:
    few = [json.loads(line) for line in messages(tmp_path / "few.jsonl", 10).read_text().splitlines()]
    said = [{**row, "label": "yes" if float(row["text"].split()[0]) > 0.5 else "no"} for row in few]
    copied = [{**row, "id": f"{row['id']}-{i}", "text": row["text"] + "!" * i} for row in said for i in range(100)]
    path = tmp_path / "copied.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in copied))
    found = sweep(bundle(tiny_contract()), path, aim=Aim("precision", 0.9), clock=FrozenClock())

    assert found.policy is None
    assert sum(found.rows) == 10
    assert found.to_json()["repeats"] == 990


def test_rows_that_the_bundle_is_known_to_have_learnt_from_fit_nothing(tmp_path: Path) -> None:
    router = cast("Any", bundle(tiny_contract()))
    router.neighbours = SimpleNamespace(ids=("m7",))
    with pytest.raises(InputError, match="training rows") as refused:
        sweep(router, messages(tmp_path / "rows.jsonl", 50), aim=Aim("precision", 0.9), clock=FrozenClock())

    assert "m7" in str(refused.value.problems)


def test_a_threshold_is_shown_by_what_it_calls_positive(tmp_path: Path) -> None:
    aim = Aim("no-missed-positive")
    found = sweep(bundle(BINARY), messages(tmp_path / "rows.jsonl", 1500), aim=aim, clock=FrozenClock())
    same = next(one for one in found.candidates if one.threshold == found.fit.threshold)
    at_half = next(one for one in found.candidates if one.threshold == 0.5)

    for shown, candidate in ((found.chosen, same), (found.current, at_half)):
        assert shown == {name: candidate.figures[name] for name in ("precision", "recall", "coverage", "review")}


def test_the_cheapest_policy_keeps_labels_that_need_more(tmp_path: Path) -> None:
    decide = "{auto: {confidence: 0.6, margin: 0, labels: {'no': 0.97}}, guarded: {confidence: 0.5}}"
    contract = tiny_contract(decide=decide)
    found = sweep(bundle(contract), messages(tmp_path / "rows.jsonl", 600), aim=Aim("cost"), clock=FrozenClock())

    assert found.policy is not None
    assert found.policy.decide.auto.labels == {"no": 0.97}  # type: ignore[union-attr]


def test_a_sweep_that_finds_nothing_takes_the_policy_of_an_earlier_one_away(tmp_path: Path) -> None:
    router, path = bundle(tiny_contract()), messages(tmp_path / "rows.jsonl", 600)
    for share, kept in ((0.6, True), (0.9999, False)):
        found = sweep(router, path, aim=Aim("precision", share), clock=FrozenClock())
        write_sweep(found, tmp_path / "out", body="{}")
        assert (tmp_path / "out" / "policy.yaml").exists() == kept


def test_the_promised_precision_holds_on_new_messages(tmp_path: Path) -> None:
    contract = tiny_contract()
    aim = Aim("precision", 0.95)
    found = sweep(bundle(contract), messages(tmp_path / "rows.jsonl", 3000), aim=aim, clock=FrozenClock())

    assert found.fit.threshold is not None
    assert found.chosen["precision"].high >= 0.95
    other = messages(tmp_path / "other.jsonl", 200, seed=1)
    with pytest.raises(InputError, match="both files"):
        sweep(bundle(contract), other, report_data=other, aim=aim, clock=FrozenClock())
