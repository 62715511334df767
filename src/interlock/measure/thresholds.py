"""Where to stop trusting confidence: sweeps, risk against coverage, the cheapest threshold. Knows no policy.

A row is accepted when its confidence is at least the threshold, else a person sees it. A threshold is chosen on
calibration rows and its cost measured on other rows (``threshold_cost``); the cost that ``best_threshold`` states is
that of the rows it chose on, and flatters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import ArrayLike, checked_flags, checked_values
from interlock.measure.bootstrap import bootstrap
from interlock.measure.proportion import proportion

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Swept:
    """One threshold on the score of the positive label."""

    threshold: float
    hits: int  # positive rows at or above it
    false_alarms: int  # negative rows at or above it
    misses: int  # positive rows below it
    recall: Measurement
    precision: Measurement
    flagged: Measurement  # share of all rows at or above it: the review load


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """What accepting rows from one confidence up brings."""

    threshold: float
    coverage: Measurement  # share of rows accepted
    risk: Measurement  # share of wrong ones among them; n counts the accepted


@dataclass(frozen=True, slots=True)
class Choice:
    """The cheapest threshold that the reviewers' capacity allows."""

    threshold: float  # infinite: accept nothing; NaN: no rows to choose on. Neither accepts anything
    reviewed: Measurement  # share of rows below it
    cost: float  # mean cost of a row at it, reviews included, on the rows it was chosen on
    free_threshold: float  # the cheapest one were capacity unlimited

    @property
    def limited(self) -> bool:
        """Whether more reviewers would lower the cost."""
        return self.threshold != self.free_threshold


def sweep(score: ArrayLike, positive: ArrayLike, *, thresholds: Sequence[float], level: float = 0.95) -> list[Swept]:
    """Return what each threshold makes of ``(n,)`` scores in 0-1 of rows that are ``positive`` or not."""
    scores, truth = _checked(score, positive, "positive")
    out = []
    for threshold in checked_values(list(thresholds), name="thresholds").tolist():
        over = scores >= threshold
        hits, flagged = int((over & truth).sum()), int(over.sum())
        out.append(
            Swept(
                threshold,
                hits,
                flagged - hits,
                int(truth.sum()) - hits,
                proportion("recall", hits, int(truth.sum()), level=level),
                proportion("precision", hits, flagged, level=level),
                proportion("flagged", flagged, scores.size, level=level),
            )
        )
    return out


def risk_coverage(
    confidence: ArrayLike, correct: ArrayLike, *, points: int = 20, level: float = 0.95
) -> list[RiskPoint]:
    """Return risk against coverage at ``points`` thresholds of about equal steps in coverage, full coverage last.

    El-Yaniv and Wiener 2010, JMLR 11. Rows of equal confidence are accepted together, so ties leave fewer points.

    Args:
        confidence: ``(n,)`` stated confidence, 0-1.
        correct: ``(n,)`` whether the decision would be right.
        points: at most so many.
        level: confidence level.
    """
    stated, right = _checked(confidence, correct, "correct")
    if points < 1:
        raise ValueError(f"points: expected at least 1, got {points}")
    if not stated.size:
        return []
    falling = np.sort(stated)[::-1]
    at = np.ceil(np.arange(1, points + 1) * stated.size / points).astype(np.intp) - 1
    out = []
    for threshold in np.unique(falling[at])[::-1].tolist():
        accepted = stated >= threshold
        n, wrong = int(accepted.sum()), int((accepted & ~right).sum())
        coverage = proportion("coverage", n, stated.size, level=level)
        out.append(RiskPoint(threshold, coverage, proportion("risk", wrong, n, level=level)))
    return out


def best_threshold(
    confidence: ArrayLike, cost: ArrayLike, *, review_cost: float, capacity: float = 1.0, level: float = 0.95
) -> Choice:
    """Return the threshold with the lowest total cost among those that send at most ``capacity`` to review.

    All thresholds that change anything are tried: every distinct confidence, and accepting nothing. Of equally cheap
    ones the lowest is taken, which reviews least. For one confidence per row and one cost of a wrong route this is
    Chow's rule (1970, IEEE Transactions on Information Theory 16:41) fitted to the rows.

    Args:
        confidence: ``(n,)`` stated confidence, 0-1.
        cost: ``(n,)`` cost of accepting each row, at least 0; 0 where the decision is right.
        review_cost: cost of one review, at least 0, in the same unit.
        capacity: share of rows that can be reviewed, 0-1.
        level: confidence level of the reviewed share.
    """
    stated, costs = _priced(confidence, cost, review_cost)
    if not 0 <= capacity <= 1:
        raise ValueError(f"capacity: expected a share in 0-1, got {capacity}")
    n = stated.size
    if n == 0:
        return Choice(math.nan, unmeasured("reviewed"), math.nan, math.nan)
    order = np.argsort(stated, kind="stable")
    distinct, first = np.unique(stated[order], return_index=True)
    thresholds, reviewed = np.append(distinct, math.inf), np.append(first, n)
    accepted = np.append(np.cumsum(costs[order][::-1])[::-1], 0.0)[reviewed]
    total = (accepted + review_cost * reviewed) / n
    allowed = reviewed <= capacity * n + 1e-9
    best, free = int(np.argmin(np.where(allowed, total, math.inf))), int(np.argmin(total))
    share = proportion("reviewed", int(reviewed[best]), n, level=level)
    return Choice(float(thresholds[best]), share, float(total[best]), float(thresholds[free]))


def threshold_cost(
    confidence: ArrayLike,
    cost: ArrayLike,
    *,
    threshold: float,
    review_cost: float,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return the mean cost of a row at a given ``threshold``, reviews included; a NaN threshold accepts nothing.

    Arguments are ``best_threshold``'s.
    """
    stated, costs = _priced(confidence, cost, review_cost)
    paid = np.where(stated >= threshold, costs, float(review_cost))
    most = max(float(costs.max(initial=0.0)), float(review_cost))
    return bootstrap(
        "cost_per_message",
        paid[:, None],
        lambda sums: sums[:, 0] / paid.size,
        support=(0.0, most),
        method="bca",
        resamples=resamples,
        seed=seed,
        level=level,
    )


def _priced(confidence: ArrayLike, cost: ArrayLike, review_cost: float) -> tuple[Floats, Floats]:
    stated = checked_values(confidence, name="confidence", low=0.0, high=1.0)
    if not 0 <= review_cost < math.inf:
        raise ValueError(f"review_cost: expected a finite number of at least 0, got {review_cost}")
    return stated, checked_values(cost, name="cost", low=0.0, n=stated.size)


def _checked(values: ArrayLike, flags: ArrayLike, name: str) -> tuple[Floats, npt.NDArray[np.bool_]]:
    stated = checked_values(values, name="confidence", low=0.0, high=1.0)
    return stated, checked_flags(flags, name=name, shape=stated.shape)
