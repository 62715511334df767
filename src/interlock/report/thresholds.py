"""What each threshold would bring on these rows, under either policy. Knows no pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from interlock.core.contract import Bands, Contract, Threshold
from interlock.core.measurement import Measurement
from interlock.measure.proportion import proportion
from interlock.measure.thresholds import sweep, threshold_cost
from interlock.report.view import View

STEPS = 20  # of the grid between 0 and 1; the policy's own bounds are tried too
PER = 1000  # messages that a cost is stated for
SAID = {
    "bands": ("routed right, of all", "right, of those routed", "left to the fallback"),
    "threshold": ("recall", "precision", "sent to review"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold, tried."""

    threshold: float
    recall: Measurement  # bands: share of all rows routed, and rightly; threshold: of the positive rows found
    precision: Measurement  # of the rows routed (found), the share that is right
    review: Measurement  # share of rows a person sees: left to the fallback, or sent to the positive label
    cost: Measurement  # dollars of 1,000 messages
    policy: str

    @property
    def shares(self) -> Mapping[str, Measurement]:
        """The shares by the names people read."""
        return dict(zip(SAID[self.policy], (self.recall, self.precision, self.review), strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the line."""
        found = {name: getattr(self, name).to_json() for name in ("recall", "precision", "review", "cost")}
        return {"threshold": self.threshold, **found}


def usd_per_harm_unit(contract: Contract) -> float:
    """Return the dollars of one unit of ``costs``: ``misroute_usd`` is what a misroute of the default cost comes to.

    Where such misroutes cost nothing, it is the price of one unit.
    """
    default = float(contract.costs.levels[contract.costs.default])
    return contract.money.misroute_usd / default if default > 0 else contract.money.misroute_usd


def thresholds(view: View) -> list[Point]:
    """Return what each threshold on a grid brings, and the policy's own bounds, by rising threshold."""
    grid = sorted({*(step / STEPS for step in range(STEPS)), *view.marks.values()})
    policy = view.contract.decide
    return _by_bands(view, grid) if isinstance(policy, Bands) else _by_threshold(view, policy, grid)


def _by_bands(view: View, grid: list[float]) -> list[Point]:
    usd, n = usd_per_harm_unit(view.contract) * PER, view.correct.size
    review = view.contract.money.review_usd * PER
    wrong = view.derived.cost_matrix[view.gold, view.top] * usd
    out = []
    for at in grid:
        kept = view.confidence >= at
        routed, right = int(kept.sum()), int((kept & view.correct).sum())
        paid = threshold_cost(view.confidence, wrong, threshold=at, review_cost=review)
        recall, load = proportion("recall", right, n), proportion("review", n - routed, n)
        out.append(Point(at, recall, proportion("precision", right, routed), load, paid, "bands"))
    return out


def _by_threshold(view: View, policy: Threshold, grid: list[float]) -> list[Point]:
    positive = view.contract.index[policy.positive]
    scores = view.probabilities[:, positive]
    costs = view.derived.cost_matrix * usd_per_harm_unit(view.contract) * PER
    out = []
    for found in sweep(scores, view.gold == positive, thresholds=grid):
        said = np.where(scores >= found.threshold, positive, 1 - positive)
        paid = threshold_cost(np.ones(scores.size), costs[view.gold, said], threshold=0, review_cost=0)
        out.append(Point(found.threshold, found.recall, found.precision, found.flagged, paid, "threshold"))
    return out
