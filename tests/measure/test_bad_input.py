"""Every public function of the room on bad and extreme input: a typed error, or a defined value with its n.

Warnings are errors in this suite, so a wrong number that numpy only warns about fails here too.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import interlock.measure
from interlock.core.measurement import Measurement

NAN, INF = math.nan, math.inf
FEW: dict[str, Any] = {"resamples": 30}
ONE = {"misroute_usd": 1.0, "monthly_messages": 1.0}
COSTS = np.array([[0.0, 1.0], [2.0, 0.0]])
GOLD, SAID = [0, 1, 0, 1], [0, 1, 1, 1]
FLAGS, STATED = [1, 0, 1, 1], [0.9, 0.4, 0.6, 0.8]
P = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]]
EMBEDDED = [[float(i), 1.0 / (i + 1)] for i in range(12)]


def of(path: str) -> Callable[..., Any]:
    module, name = path.split(".")
    found: Callable[..., Any] = getattr(import_module(f"interlock.measure.{module}"), name)
    return found


# How each function is called on its arrays; the kinds say what each array holds, and so what is bad in it.
CALLS: dict[str, tuple[list[str], Callable[..., Any]]] = {
    "classify.classification": (["p", "gold"], lambda f, p, g: f(p, g, labels=["a", "b"], **FEW)),
    "classify.per_label": (["gold", "gold"], lambda f, s, g: f(s, g, labels=["a", "b"])),
    "compare.accuracy_difference": (["flags", "flags"], lambda f, a, b: f(a, b)),
    "compare.mcnemar": (["flags", "flags"], lambda f, a, b: f(a, b)),
    "finding.auroc_difference": (["values", "values", "flags"], lambda f, a, b, h: f(a, b, h)[0]),
    "compare.permutation": (["values", "values"], lambda f, a, b: f(a, b, **FEW)),
    "confidence.calibration_errors": (["stated", "flags"], lambda f, c, h: f(c, h, **FEW)),
    "confidence.consistency_p": (["stated", "flags"], lambda f, c, h: f(c, h, **FEW)),
    "confidence.classwise_error": (["p", "gold"], lambda f, p, g: f(p, g, **FEW)),
    "confusion.confusion_matrix": (["gold", "gold"], lambda f, s, g: f(s, g, k=2)),
    "confusion.confused_pairs": (["gold", "gold"], lambda f, s, g: f(s, g, labels=["a", "b"], costs=COSTS)),
    "confusion.by_slice": (["flags"], lambda f, c: f(c, list("xyxy")[: len(c)], field="lang")),
    "contest.contests": (["flags", "flags"], lambda f, a, b: f([a], [[b]])),
    "cost.cost_per_message": (["gold", "gold"], lambda f, s, g: f(s, g, matrix=COSTS, **FEW)),
    "cost.cost_ratio": (["gold", "gold", "gold"], lambda f, a, b, g: f(a, b, g, matrix=COSTS, **FEW)),
    "drift.label_drift": (["counts", "counts"], lambda f, a, b: f(a, b, **FEW)),
    "drift.g_test": (["counts", "counts"], lambda f, a, b: f(a, b)),
    "embedding_drift.embedding_drift": (["embedded", "embedded"], lambda f, a, b: f(a, b, permutations=9)),
    "classifier_drift.classifier_drift": (["embedded", "embedded"], lambda f, a, b: f(a, b, permutations=9)),
    "label_shift.from_predictions": (["gold", "gold", "alone"], lambda f, s, g, w: f(s, g, w, k=2, **FEW)),
    "label_shift.from_probabilities": (["p"], lambda f, p: f(p, prior=np.array([0.5, 0.5]))),
    "label_shift.corrected": (["p"], lambda f, p: f(p, prior=np.array([0.5, 0.5]), shares=np.array([0.3, 0.7]))),
    "latency.quantile": (["durations"], lambda f, v: f(v, 0.5, name="x_ms")),
    "live.expected_accuracy": (["stated"], lambda f, c: f(c)),
    "live.reviewed_accuracy": (["flags", "propensity"], lambda f, h, q: f(h, q)),
    "live.prediction_powered_accuracy": (
        ["stated", "flags", "flags", "propensity"],
        lambda f, c, r, h, q: f(c, r, h, q),
    ),
    "money.usd_per_month": (["flags"], lambda f, w: f(w, **ONE, **FEW)),
    "money.saved_per_month": (["flags", "flags"], lambda f, a, b: f(a, b, **ONE, **FEW)),
    "money.cost_per_misroute_avoided": (
        ["flags", "flags"],
        lambda f, a, b: f(a, b, extra_usd=1.0, monthly_messages=1.0, **FEW),
    ),
    "money.cost_per_quality_point": (["flags", "flags"], lambda f, a, b: f(a, b, extra_usd=1.0, **FEW)),
    "money.retraining": (["flags", "flags"], lambda f, a, b: f(a, b, **ONE, cost_usd=1.0, months=1.0, **FEW)),
    "multiplicity.holm": (["stated"], lambda f, p: f(p)),
    "multiplicity.benjamini_hochberg": (["stated"], lambda f, p: f(p)),
    "reliability.reliability": (["stated", "flags"], lambda f, c, h: f(c, h)),
    "reliability.confidence_buckets": (["stated", "flags"], lambda f, c, h: f(c, h)),
    "reliability.brier_parts": (["stated", "flags"], lambda f, c, h: f(c, h)),
    "seeds.mean_over_seeds": (["values"], lambda f, v: f(v, name="accuracy")),
    "selective.coverage": (["flags"], lambda f, a: f(a)),
    "selective.accepted_accuracy": (["flags", "flags"], lambda f, a, c: f(a, c)),
    "sensitivity.model_sensitivity": (["gold", "gold", "gold"], lambda f, a, b, g: f(a, b, g, matrix=COSTS)),
    "sensitivity.threshold_sensitivity": (
        ["stated", "gold", "gold"],
        lambda f, c, s, g: f(c, s, g, matrix=COSTS, review_cost=0.5),
    ),
    "sets.exact_match": (["sets", "sets"], lambda f, a, b: f(a, b)),
    "sets.several_or_one": (["values", "flags"], lambda f, a, b: f(a, b, threshold=0.5)),
    "sets.micro_f1": (["sets", "sets"], lambda f, a, b: f(a, b, **FEW)),
    "thresholds.sweep": (["stated", "flags"], lambda f, s, h: f(s, h, thresholds=[0.5])),
    "thresholds.risk_coverage": (["stated", "flags"], lambda f, c, h: f(c, h)),
    "thresholds.best_threshold": (["stated", "values"], lambda f, c, v: f(c, v, review_cost=0.5)),
    "thresholds.threshold_cost": (
        ["stated", "values"],
        lambda f, c, v: f(c, v, threshold=0.5, review_cost=0.5, **FEW),
    ),
    "risk.controlled_threshold": (["stated", "flags"], lambda f, c, h: f(c, h, most=0.5)),
    "risk.fit_label_sets": (["p", "gold"], lambda f, p, g: f(p, g, coverage=0.9)),
    "unknown.unknown": (["scores", "scores"], lambda f, a, b: f(a, b, threshold=0.5)),
    "unknown.auroc": (["scores", "scores"], lambda f, a, b: f(a, b)),
}
GOOD: dict[str, list[Any]] = {
    "p": P,
    "gold": GOLD,
    "alone": SAID,
    "flags": FLAGS,
    "stated": STATED,
    "values": STATED,
    "counts": [5, 3, 0, 9],
    "embedded": EMBEDDED,
    "durations": STATED,
    "propensity": STATED,
    "sets": [[True, False], [False, True], [True, True], [False, False]],
    "scores": STATED,
}
NUMBERS: dict[str, list[Any]] = {"NaN": [NAN, *STATED[1:]], "infinity": [INF, *STATED[1:]], "a table": [STATED]}
BAD: dict[str, dict[str, list[Any]]] = {
    "p": {
        "NaN": [[NAN, 0.1], *P[1:]],
        "infinity": [[INF, 0.1], *P[1:]],
        "a sum of 0.9": [[0.8, 0.1], *P[1:]],
        "a negative": [[1.1, -0.1], *P[1:]],
        "one number a row": STATED,
    },
    "gold": {"a label outside": [0, 1, 2, 1], "a negative": [0, 1, -1, 1], "NaN": [0, 1, NAN, 1], "halves": STATED},
    "alone": {"a label outside": [0, 1, 2, 1], "NaN": [0, 1, NAN, 1]},
    "flags": {"two": [0, 1, 2, 1], "NaN": [0, 1, NAN, 1], "a table": [FLAGS]},
    "stated": NUMBERS | {"above 1": [1.1, *STATED[1:]], "below 0": [-0.1, *STATED[1:]]},
    "values": NUMBERS,
    "counts": {"a negative": [5, -3, 0, 9], "NaN": [5, NAN, 0, 9], "infinity": [5, INF, 0, 9]},
    "embedded": {"NaN": [[NAN, 1.0], *EMBEDDED[1:]], "infinity": [[INF, 1.0], *EMBEDDED[1:]], "no width": STATED},
    "durations": NUMBERS | {"a negative": [-1.0, *STATED[1:]]},
    "propensity": NUMBERS | {"zero": [0.0, *STATED[1:]], "above 1": [1.1, *STATED[1:]]},
    "sets": {"two": [[0, 2]], "NaN": [[0, NAN]], "a list": FLAGS},
    "scores": {"NaN": [NAN, *STATED[1:]], "infinity": [INF, *STATED[1:]], "a table": [STATED]},
}
NO_ARRAYS = {  # functions of plain numbers, of text, or of arrays that the room has checked before
    *("agreement", "f1_difference"),  # proved in their own files
    *("arrays", "bootstrap", "calibration", "distributions", "intervals", "power", "proportion"),
}
ELSEWHERE = {"classify.macro_f1", "confidence.sweep_bins", "confusion.banded", "confusion.fisher", "drift.kl"} | {
    *("drift.psi", "drift.js", "embedding_drift.thinned", "embedding_drift.checked_pair", "money.lower_first"),
    *("multiplicity.simultaneous_level", "seeds.seed_summary"),
    *("risk.binomial_p", "risk.hoeffding_bentkus_p", "risk.fixed_sequence"),
}


def test_the_table_knows_every_public_function() -> None:
    known = set(CALLS) | ELSEWHERE
    for path in sorted(Path(interlock.measure.__file__).parent.glob("*.py")):
        if path.stem not in NO_ARRAYS | {"__init__"}:
            module = import_module(f"interlock.measure.{path.stem}")
            public = {name for name, f in inspect.getmembers(module, inspect.isfunction) if not name.startswith("_")}
            own = {name for name in public if getattr(module, name).__module__ == module.__name__}
            assert {f"{path.stem}.{name}" for name in own} <= known


REFUSED = [
    (name, at, what, bad)
    for name, (kinds, _) in CALLS.items()
    for at, kind in enumerate(kinds)
    for what, bad in BAD[kind].items()
]


@pytest.mark.parametrize(("name", "at", "what", "bad"), REFUSED, ids=lambda x: x if isinstance(x, str) else None)
def test_bad_values_are_refused(name: str, at: int, what: str, bad: list[Any]) -> None:
    kinds, call = CALLS[name]
    arrays = [GOOD[kind] for kind in kinds]
    arrays[at] = bad

    with pytest.raises(ValueError, match="expected"):
        call(of(name), *(np.asarray(array) for array in arrays))


@pytest.mark.parametrize("name", [name for name, (kinds, _) in CALLS.items() if len(kinds) > 1])
def test_lengths_that_differ_are_refused(name: str) -> None:
    kinds, call = CALLS[name]
    if kinds[0] in {"embedded", "scores"}:  # two samples
        return
    arrays = [GOOD[kinds[0]][:-1], *(GOOD[kind] for kind in kinds[1:])]

    with pytest.raises(ValueError, match="expected"):
        call(of(name), *(np.asarray(array) for array in arrays))


def measurements(found: Any) -> list[Measurement]:
    if isinstance(found, Measurement):
        return [found]
    if isinstance(found, dict):
        return [one for value in found.values() for one in measurements(value)]
    if isinstance(found, list | tuple):
        return [one for value in found for one in measurements(value)]
    if is_dataclass(found):
        return [one for field in fields(found) for one in measurements(getattr(found, field.name))]
    return []


EXTREMES: dict[str, dict[str, list[Any]]] = {
    "no rows": {kind: np.zeros((0, 2) if kind in {"p", "embedded", "sets"} else 0).tolist() for kind in GOOD},
    "one row": {kind: values[:1] for kind, values in GOOD.items()},
    "one kind": {
        "gold": [0] * 4,
        "alone": [0] * 4,
        "flags": [1] * 4,
        "p": [[1.0, 0.0]] * 4,
        "sets": [[True, True]] * 4,
    },
    "the other kind": {"gold": [1] * 4, "alone": [1] * 4, "flags": [0] * 4, "sets": [[False, False]] * 4},
    "ties": {kind: [0.5] * 4 for kind in ("stated", "values", "scores", "durations", "propensity")}
    | {"p": [[0.5, 0.5]] * 4, "embedded": [[1.0, 1.0]] * 12, "counts": [5] * 4},
    "ends": {kind: [0.0, 1.0, 0.0, 1.0] for kind in ("stated", "values", "scores", "durations")}
    | {"p": [[0.0, 1.0], [1.0, 0.0]] * 2, "counts": [0, 0, 0, 9], "propensity": [1.0, 1e-9, 1.0, 1e-9]},
}
NEEDS_ROWS = {"reliability.brier_parts"}  # a decomposition of nothing is refused


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("name", CALLS)
def test_extremes_are_measured_or_unmeasured_with_their_n(name: str, extreme: str) -> None:
    kinds, call = CALLS[name]
    arrays = [EXTREMES[extreme].get(kind, GOOD[kind]) for kind in kinds]
    shaped = [
        np.zeros((0, 2)) if extreme == "no rows" and kind in {"p", "embedded", "sets"} else np.asarray(array)
        for kind, array in zip(kinds, arrays, strict=True)
    ]
    if extreme == "no rows" and name in NEEDS_ROWS:
        with pytest.raises(ValueError, match="expected"):
            call(of(name), *shaped)
        return
    for one in measurements(call(of(name), *shaped)):
        assert one.n >= 0
        if math.isnan(one.value):
            assert not one.known
            continue
        assert math.isfinite(one.value)
        assert one.n > 0
        for bound, right in ((one.low, one.low <= one.value), (one.high, one.value <= one.high)):
            assert math.isnan(bound) or right


@pytest.mark.parametrize("level", [0.0, 1.0, NAN, 1.5])
@pytest.mark.parametrize("name", [n for n, _ in CALLS.items() if "level" in inspect.signature(of(n)).parameters])
def test_a_level_outside_0_to_1_is_refused(name: str, level: float) -> None:
    kinds, call = CALLS[name]

    def told(*args: Any, **options: Any) -> Any:
        return of(name)(*args, **options, level=level)

    with pytest.raises(ValueError, match="level"):
        call(told, *(np.asarray(GOOD[kind]) for kind in kinds))
