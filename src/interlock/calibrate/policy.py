"""Bounds of the decision policy, fitted to an aim on calibration rows. Knows arrays, not messages or bundles.

Candidates are fixed before any row is seen, so that a test of each means what it says. With bands the figure that is
bounded is the leading label's confidence; with a threshold it is the positive label's score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from interlock.core.errors import InputError
from interlock.measure.risk import binomial_p, controlled_threshold, fixed_sequence
from interlock.measure.thresholds import best_threshold

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Columns = npt.NDArray[np.int64]
Kind = Literal["precision", "risk", "cost", "no-missed-positive"]
GRID = (  # the strictest first
    *(0.999, 0.998, 0.995, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.88, 0.86, 0.84, 0.82),
    *(0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05),
)
ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Aim:
    """What the policy is fitted to."""

    kind: Kind
    share: float = math.nan  # precision: of what is routed, at least; risk: of all messages routed wrongly, at most
    capacity: float = 1.0  # cost: share of messages that people can review
    error: float = 0.05  # chance that precision is promised though it does not hold
    per_label: bool = False  # precision: bounds of their own for labels with rows enough


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What the router makes of n labelled rows."""

    confidence: Floats  # (n,) of the leading label or route; with a threshold policy, the positive label's score
    right: Flags  # (n,) whether routing the row by itself is right; with a threshold policy, whether it is positive
    passed: Flags  # (n,) whether every other gate lets the row through
    leading: Columns  # (n,) column of the leading label
    cost: Floats  # (n,) dollars of routing it by itself; with a threshold policy, of not calling it positive
    alarm: Floats  # (n,) dollars of calling it positive; zeros with bands

    def take(self, rows: Flags) -> Rows:
        """Return some rows."""
        return Rows(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Fit:
    """The bound that was found, or why there is none."""

    threshold: float | None
    why: str
    labels: Mapping[str, float] = field(default_factory=dict)  # bounds of their own
    certified: tuple[float, ...] = ()  # candidates whose precision is shown, with a chance of error of ``Aim.error``


def fit_policy(rows: Rows, aim: Aim, *, labels: tuple[str, ...], review_usd: float, binary: bool) -> Fit:
    """Return the bound that serves ``aim`` on these rows.

    Args:
        rows: calibration rows; none of them may be used to report on the policy.
        aim: what for.
        labels: names of the columns.
        review_usd: dollars of one review.
        binary: whether the contract has a positive label and a threshold.

    Raises:
        InputError: no rows, or an aim that the contract's kind of policy cannot have.
    """
    if not len(rows.confidence):
        raise InputError("there are no rows to fit the policy on")
    check_aim(aim, binary=binary)
    if aim.kind == "no-missed-positive":
        return _no_missed(rows)
    if aim.kind == "risk":
        return _risk(rows, aim)
    if aim.kind == "cost":
        return _cheapest_alarm(rows, aim) if binary else _cheapest(rows, aim, review_usd)
    return _precise(rows, aim, labels)


def check_aim(aim: Aim, *, binary: bool) -> None:
    """Raise InputError where the contract's kind of policy cannot have this aim; ``binary`` as in ``fit_policy``."""
    if aim.kind == "no-missed-positive" and not binary:
        raise InputError("only a contract with a positive label can aim at missing none of its rows")
    if aim.kind == "risk" and binary:
        raise InputError("a share of messages routed wrongly is an aim for confidence bands")
    if aim.per_label and binary:
        raise InputError("a contract with a positive label has one threshold: no label can have a bound of its own")


def _precise(rows: Rows, aim: Aim, labels: tuple[str, ...]) -> Fit:
    """Certify labels with rows enough one by one, all others together; the error is shared out among them.

    Which labels stand alone depends on how often they lead and not on how often they are right. One that stands alone
    and is not shown to reach the aim is not routed short of certainty.
    """
    groups = _groups(rows, aim) if aim.per_label else []
    error = aim.error / (len(groups) + 1)
    alone = {}
    for column in groups:
        found = certified(rows.take((rows.leading == column) & rows.passed), aim.share, error=error)
        alone[labels[column]] = found[-1] if found else 1.0
    rest = rows.passed & ~np.isin(rows.leading, groups)
    shown = certified(rows.take(rest), aim.share, error=error)
    if not shown and not any(bound < 1 for bound in alone.values()):
        why = f"no bound is shown to reach {aim.share:g} precision on {int(rest.sum())} rows; more rows are needed"
        return Fit(None, why)
    why = f"the lowest bound shown to reach {aim.share:g} precision"
    return Fit(shown[-1] if shown else 1.0, why, alone, tuple(shown))


def certified(rows: Rows, least: float, *, error: float) -> list[float]:
    """Return the candidates at which the precision of accepted rows is shown to be at least ``least``, strictest first.

    With a chance of at least 1 - ``error`` all of them keep it (Learn then Test on ``GRID``).
    """
    p_values = []
    for bound in GRID:
        accepted = rows.confidence >= bound
        p_values.append(binomial_p(int((accepted & ~rows.right).sum()), int(accepted.sum()), most=1 - least))
    return [GRID[place] for place in fixed_sequence(p_values, error=error)]


def _groups(rows: Rows, aim: Aim) -> list[int]:
    """Return the labels that lead rows enough: ``ENOUGH`` times what could show the aim, were all of them right."""
    counts = np.bincount(rows.leading[rows.passed])
    need = ENOUGH * math.log(aim.error / (len(counts) + 1)) / math.log(aim.share)
    return [column for column, count in enumerate(counts.tolist()) if count >= need]


def _risk(rows: Rows, aim: Aim) -> Fit:
    found = controlled_threshold(rows.confidence, rows.passed & ~rows.right, most=aim.share)
    if not found <= 1:
        return Fit(None, f"no bound keeps wrongly routed messages to {aim.share:g} of all with so few rows")
    return Fit(found, f"the next message is routed wrongly with a chance of at most {aim.share:g}")


def _cheapest(rows: Rows, aim: Aim, review_usd: float) -> Fit:
    n, blocked = len(rows.confidence), int((~rows.passed).sum())
    left = aim.capacity * n - blocked
    if not rows.passed.any() or left < 0:
        return Fit(None, f"the gates before confidence already send {blocked} of {n} rows to people")
    passed = rows.take(rows.passed)
    share = min(left / len(passed.confidence), 1.0)
    found = best_threshold(passed.confidence, passed.cost, review_cost=review_usd, capacity=share)
    if not math.isfinite(found.threshold):
        return Fit(1.0, "reviewing everything is cheapest")
    more = "; more reviewers would lower the cost" if found.limited else ""
    return Fit(found.threshold, f"the cheapest bound within the capacity{more}")


def _cheapest_alarm(rows: Rows, aim: Aim) -> Fit:
    costs = {}
    for bound in GRID:
        called = rows.confidence >= bound
        if called.mean() <= aim.capacity:
            costs[bound] = float(np.where(called, rows.alarm, rows.cost).mean())
    if not costs:
        return Fit(None, "every candidate calls more rows positive than people can see")
    least = min(costs.values())
    lowest = min(bound for bound, cost in costs.items() if cost == least)  # of equally cheap ones the fewest are missed
    return Fit(lowest, "the cheapest bound within the capacity")


def _no_missed(rows: Rows) -> Fit:
    positive = rows.confidence[rows.right]
    if not positive.size or not positive.min() > 0:
        return Fit(None, "there is no positive row, or one that scores 0")
    n = positive.size
    lowest = math.floor(min(float(positive.min()), 1 - 1e-6) * 1e6) / 1e6
    if not lowest > 0:
        return Fit(None, "a positive row scores less than any threshold can say")
    return Fit(lowest, f"misses none of {n} positive rows; the next one with a chance of at most {1 / (n + 1):.4f}")
