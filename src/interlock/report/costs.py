"""What the decisions come to, in harm units and dollars, and which costs the best threshold hangs on. No pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from interlock.core.contract import Contract, Threshold
from interlock.core.measurement import Measurement
from interlock.measure.cost import cost_per_message
from interlock.measure.money import cost_per_misroute_avoided, lower_first, usd_per_month
from interlock.measure.sensitivity import CHANGE, Pair, ThresholdFlip, threshold_sensitivity
from interlock.measure.thresholds import Choice, best_threshold, sweep
from interlock.report.thresholds import usd_per_harm_unit
from interlock.report.view import View, finite

FINE = 100  # steps of the grid on which a score's cheapest threshold is looked for


@dataclass(frozen=True, slots=True)
class Costs:
    """What misroutes and reviews cost."""

    contract: Contract
    total: float  # harm units of all rows' most probable labels: the business-weighted error
    per_message: Measurement  # harm units
    misroutes: Measurement  # dollars a month, as the policy routes
    reviews: Measurement  # dollars a month, of what the policy leaves to the fallback
    avoided: Measurement  # dollars of reviews for each misroute they avoid
    cheapest: Choice | None  # chosen on these very rows, so its cost flatters; None where there is nothing to choose by
    flips: tuple[ThresholdFlip, ...]  # the cheapest threshold as each cost falls and rises by half

    def to_json(self) -> dict[str, Any]:
        """Return every figure; dollars come with a sentence that says the lower bound first."""
        monthly = {"misroutes": self.misroutes, "reviews": self.reviews}
        usd = {name: {**found.to_json(), "said": lower_first(found)} for name, found in monthly.items()}
        return {
            "business_weighted_error": {"value": self.total, "n": self.per_message.n},
            "per_message": self.per_message.to_json(),
            "usd": usd | {"per_misroute_avoided": {**self.avoided.to_json(), "said": price(self.avoided)}},
            "prices": self.contract.money.model_dump(mode="json") | {"harm_unit_usd": usd_per_harm_unit(self.contract)},
            "cheapest_threshold": _choice(self.cheapest) if self.cheapest is not None else None,
            "sensitivity": [self._flip(flip) for flip in self.flips],
        }

    def _flip(self, flip: ThresholdFlip) -> dict[str, Any]:
        names = self.contract.label_names
        pair = {"gold": names[flip.pair[0]], "predicted": names[flip.pair[1]]} if flip.pair else {"review": True}
        return {**pair, "factor": flip.factor, **_choice(flip.choice), "flips": flip.flips}


def costs(view: View) -> Costs:
    """Return what the rows cost under the contract's ``costs`` and ``money``."""
    matrix, money = view.derived.cost_matrix, view.contract.money
    month = money.monthly_messages
    left = ~view.accepted
    reviews = usd_per_month(left, misroute_usd=money.review_usd, monthly_messages=month)
    extra = reviews.value if reviews.known else 0.0
    cheapest, flips = _cheapest(view)
    return Costs(
        contract=view.contract,
        total=float(matrix[view.gold, view.top].sum()),
        per_message=cost_per_message(view.top, view.gold, matrix=matrix),
        misroutes=usd_per_month(view.misrouted, misroute_usd=money.misroute_usd, monthly_messages=month),
        reviews=replace(reviews, name="review_usd_per_month"),
        avoided=cost_per_misroute_avoided(
            view.misrouted, view.astray(view.top), extra_usd=extra, monthly_messages=month
        ),
        cheapest=cheapest,
        flips=flips,
    )


def price(found: Measurement) -> str:
    """Return what one thing costs in dollars and cents, for people; the high bound may be infinite."""
    if not math.isfinite(found.value):
        return f"not shown by {found.n:,} rows"
    low, value, high = (f"${x:.4g}" if math.isfinite(x) else "no bound" for x in (found.low, found.value, found.high))
    return f"at least {low} (estimate {value}, at most {high}; {100 * found.level:g} %, {found.n:,} rows)"


def _cheapest(view: View) -> tuple[Choice | None, tuple[ThresholdFlip, ...]]:
    policy, matrix, unit = view.contract.decide, view.derived.cost_matrix, usd_per_harm_unit(view.contract)
    if isinstance(policy, Threshold):
        return _cheapest_score(view, positive=view.contract.index[policy.positive])
    if not unit > 0:  # misroutes are free: no review pays
        return None, ()
    review = view.contract.money.review_usd / unit
    chosen = best_threshold(view.confidence, matrix[view.gold, view.top], review_cost=review)
    flips = threshold_sensitivity(view.confidence, view.top, view.gold, matrix=matrix, review_cost=review)
    return chosen, tuple(flips)


def _cheapest_score(view: View, *, positive: int) -> tuple[Choice | None, tuple[ThresholdFlip, ...]]:
    """Return the cheapest threshold on the positive label's score, of a grid, and as each of the two costs changes."""
    if not len(view.rows):
        return None, ()
    grid = [step / FINE for step in range(1, FINE)]
    swept = sweep(view.probabilities[:, positive], view.gold == positive, thresholds=grid)
    missed, alarm = (positive, 1 - positive), (1 - positive, positive)
    counts = {missed: np.array([at.misses for at in swept]), alarm: np.array([at.false_alarms for at in swept])}
    parts = {pair: found * view.derived.cost_matrix[pair] / len(view.rows) for pair, found in counts.items()}

    def choose(factors: Mapping[Pair, float]) -> Choice:
        paid = sum((part * factors.get(pair, 1.0) for pair, part in parts.items()), np.zeros(len(grid)))
        best = int(np.argmin(paid))
        return Choice(grid[best], swept[best].flagged, float(paid[best]), grid[best])

    now, flips = choose({}), []
    for pair in parts:
        for factor in (1 - CHANGE, 1 + CHANGE):
            choice = choose({pair: factor})
            flips.append(ThresholdFlip(pair, factor, choice, choice.threshold != now.threshold))
    return now, tuple(flips)


def _choice(choice: Choice) -> dict[str, Any]:
    """Return a choice; a threshold of null accepts nothing."""
    reviewed = choice.reviewed.to_json()
    return {"threshold": finite(choice.threshold), "reviewed": reviewed, "cost": finite(choice.cost)}
