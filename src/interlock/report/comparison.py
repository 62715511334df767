"""Two routers on the same rows: every difference with its interval and its test, and what it is worth. No files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.core.contract import Contract
from interlock.core.errors import InputError, Problem
from interlock.core.measurement import Measurement
from interlock.measure.bootstrap import bootstrap
from interlock.measure.compare import accuracy_difference, mcnemar, permutation
from interlock.measure.cost import cost_ratio
from interlock.measure.f1_difference import macro_f1_difference
from interlock.measure.money import (
    Retraining,
    cost_per_misroute_avoided,
    cost_per_quality_point,
    lower_first,
    retraining,
    saved_per_month,
)
from interlock.measure.multiplicity import holm
from interlock.measure.sensitivity import ModelFlip, model_sensitivity
from interlock.report.costs import price
from interlock.report.view import Columns, Floats, View, finite

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Prices:
    """What the first router asks for beyond the second's."""

    extra_usd: float | None = None  # a month, to run it
    retraining_usd: float | None = None  # once, to make it
    months: float = 12.0  # over which the making should pay

    def __post_init__(self) -> None:
        """Refuse what is no price, naming every one."""
        bad = [
            Problem("command line", name, wanted, str(value))
            for name, wanted, value, fits in (
                ("--extra-usd", "at least 0", self.extra_usd, _is_amount(self.extra_usd)),
                ("--retraining-usd", "above 0", self.retraining_usd, _is_amount(self.retraining_usd, above=True)),
                ("--months", "above 0", self.months, _is_amount(self.months, above=True)),
            )
            if not fits
        ]
        if bad:
            raise InputError("these are no prices", bad)


@dataclass(frozen=True, slots=True)
class Test:
    """One figure of both routers."""

    __test__ = False  # the name is the field's; it is not a pytest class

    name: str
    a: float
    b: float
    difference: Measurement  # a minus b, paired
    p: float  # two-sided, that a and b do not differ
    p_adjusted: float = 1.0  # for all tests of the comparison together (Holm)

    def to_json(self) -> dict[str, Any]:
        """Return the line as ``--json`` prints it."""
        gap = self.difference.to_json()
        whole = {"name": self.name, "difference": gap["value"], **{key: gap[key] for key in ("low", "high")}}
        sides = {"a": finite(self.a), "b": finite(self.b)}
        how = {key: gap[key] for key in ("n", "level", "method")}
        return {**whole, "p": self.p, "p_adjusted": self.p_adjusted, **sides, **how}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Router a against router b, under a's contract."""

    contract: Contract
    rows: int
    tests: tuple[Test, ...]
    cost_ratio: Measurement  # a's cost over b's
    flips: tuple[ModelFlip, ...]  # which is cheaper as each cost falls and rises by half
    usd: dict[str, Measurement]
    retraining: Retraining | None

    def to_json(self) -> dict[str, Any]:
        """Return everything."""
        names = self.contract.label_names
        flips = [
            {"gold": names[flip.pair[0]], "predicted": names[flip.pair[1]], "factor": flip.factor}
            | {"a": flip.cost_a, "b": flip.cost_b, "better": flip.better, "flips": flip.flips}
            for flip in self.flips
        ]
        return {
            "rows": self.rows,
            "tests": [test.to_json() for test in self.tests],
            "cost_ratio": self.cost_ratio.to_json(),
            "sensitivity": flips,
            "usd": {name: {**found.to_json(), "said": said(name, found)} for name, found in self.usd.items()},
            "retraining": _returns(self.retraining) if self.retraining is not None else None,
        }


def said(name: str, found: Measurement) -> str:
    """Return a figure of ``Comparison.usd`` for people: a price to four digits, a month's sum to the dollar."""
    return price(found) if name.startswith("per_") else lower_first(found)


def compare_views(a: View, b: View, *, prices: Prices) -> Comparison:
    """Compare two routers' receipts of the same rows, whose contracts know the same labels.

    Costs, routes and money are those of a's contract. Misroutes are those of the most probable labels, whatever either
    policy leaves to people; what that changes stands beside them as reviews.
    """
    top_b = _in_columns_of(a, b)
    matrix = a.derived.cost_matrix
    return Comparison(
        contract=a.contract,
        rows=len(a.rows),
        tests=_adjusted(_tests(a, b, top_b)),
        cost_ratio=cost_ratio(a.top, top_b, a.gold, matrix=matrix),
        flips=tuple(model_sensitivity(a.top, top_b, a.gold, matrix=matrix)),
        usd=_usd(a, b, top_b, prices),
        retraining=_retraining(a, top_b, prices),
    )


def _tests(a: View, b: View, top_b: Columns) -> list[Test]:
    correct, k = np.asarray(top_b == a.gold), len(a.contract.labels)
    f1, p = macro_f1_difference(a.top, top_b, a.gold, k=k)
    matrix = a.derived.cost_matrix
    latency = [np.array(view.derived.receipt.latency_ms, dtype=np.float64) for view in (a, b)]
    f1s = [Measurement.from_json(view.derived.receipt.measurements["macro_f1"]).value for view in (a, b)]
    return [
        _shares("accuracy", a.correct, correct),
        Test("macro_f1", f1s[0], f1s[1], f1, p),
        _means("cost_per_message", matrix[a.gold, a.top], matrix[a.gold, top_b]),
        _shares("coverage", a.accepted, b.accepted),
        _means("latency_ms", *latency),
    ]


def _shares(name: str, a: Flags, b: Flags) -> Test:
    found = replace(accuracy_difference(a, b), name=f"{name}_difference")
    return Test(name, _mean(a), _mean(b), found, mcnemar(a, b))


def _means(name: str, a: Floats, b: Floats) -> Test:
    most = float(max(a.max(initial=0.0), b.max(initial=0.0)))
    rows, mean = (a - b)[:, None], _mean_of(a.size)
    found = bootstrap(f"{name}_difference", rows, mean, support=(-most, most), method="bca")
    return Test(name, _mean(a), _mean(b), found, permutation(a, b))


def _mean_of(n: int) -> Callable[[Floats], Floats]:
    return lambda sums: sums[:, 0] / n


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _adjusted(tests: list[Test]) -> tuple[Test, ...]:
    p = holm([test.p for test in tests])
    return tuple(replace(test, p_adjusted=float(adjusted)) for test, adjusted in zip(tests, p, strict=True))


def _usd(a: View, b: View, top_b: Columns, prices: Prices) -> dict[str, Measurement]:
    money, extra = a.contract.money, prices.extra_usd
    month = money.monthly_messages
    ours, theirs = a.astray(a.top), a.astray(top_b)
    reviews = saved_per_month(~a.accepted, ~b.accepted, misroute_usd=money.review_usd, monthly_messages=month)
    found = {
        "misroutes_saved": saved_per_month(ours, theirs, misroute_usd=money.misroute_usd, monthly_messages=month),
        "reviews_saved": replace(reviews, name="reviews_saved_usd_per_month"),
    }
    if extra is None:
        return found
    price = cost_per_misroute_avoided(ours, theirs, extra_usd=extra, monthly_messages=month)
    point = cost_per_quality_point(a.correct, top_b == a.gold, extra_usd=extra)
    return found | {"per_misroute_avoided": price, "per_quality_point": point}


def _retraining(a: View, top_b: Columns, prices: Prices) -> Retraining | None:
    money = a.contract.money
    if prices.retraining_usd is None:
        return None
    return retraining(
        a.astray(a.top),
        a.astray(top_b),
        misroute_usd=money.misroute_usd,
        monthly_messages=money.monthly_messages,
        cost_usd=prices.retraining_usd,
        months=prices.months,
    )


def _returns(found: Retraining) -> dict[str, Any]:
    figures = {"saved": found.saved_usd.to_json(), "roi": found.roi.to_json()}
    return {**figures, "payback_months": finite(found.payback_months), "pays": found.pays}


def _in_columns_of(a: View, b: View) -> Columns:
    """Return the most probable labels of b as columns of a."""
    place = np.array([a.contract.index[label] for label in b.contract.label_names])
    return np.asarray(place[b.top])


def _is_amount(value: float | None, *, above: bool = False) -> bool:
    return value is None or (0 < value < np.inf if above else 0 <= value < np.inf)
