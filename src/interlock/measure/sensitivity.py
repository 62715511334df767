"""Whether a decision outlives a change of the costs it rests on. Knows nothing of where the costs come from.

Costs are opinions. Each one that any row incurs is lowered and raised by half, alone, and the decision made again
(one-at-a-time sensitivity; Elkan 2001 on what the ratios of costs decide).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.measure.arrays import ArrayLike, FloatArray, IntArray, checked_costs, checked_labels, checked_values
from interlock.measure.thresholds import Choice, best_threshold

Floats = npt.NDArray[np.float64]
Pair = tuple[int, int]  # gold label, predicted label

CHANGE = 0.5
SAME = 1e-12  # relative difference of two costs below which neither model is cheaper


@dataclass(frozen=True, slots=True)
class ModelFlip:
    """Model a against model b when one cost changes."""

    pair: Pair
    factor: float  # of the pair's cost
    cost_a: float  # mean cost of a message
    cost_b: float
    better: str  # "a", "b" or "tie"
    flips: bool  # another model is better than with the costs as they are
    tie_at: float  # the factor at which the two cost the same, alone; infinite where there is none


@dataclass(frozen=True, slots=True)
class ThresholdFlip:
    """The cheapest threshold when one cost changes."""

    pair: Pair | None  # None: the cost of a review
    factor: float
    choice: Choice
    flips: bool  # another threshold than with the costs as they are


def model_sensitivity(
    predicted_a: IntArray, predicted_b: IntArray, gold: IntArray, *, matrix: FloatArray, change: float = CHANGE
) -> list[ModelFlip]:
    """Return, for every cost that a or b incurs, which model is cheaper when that cost falls and rises by ``change``.

    Args:
        predicted_a: ``(n,)`` label indices.
        predicted_b: ``(n,)`` label indices.
        gold: ``(n,)`` label indices.
        matrix: ``(k labels, k labels)`` costs, gold by row, predicted by column; finite, none negative.
        change: share, above 0 and below 1.

    Returns:
        Two lines a pair, lowered first; no rows or no errors leave nothing to change.
    """
    costs, factors = checked_costs(matrix), _factors(change)
    truth = checked_labels(gold, k=len(costs), name="gold")
    counts = [_counts(said, truth, len(costs)) for said in (predicted_a, predicted_b)]
    per = max(truth.size, 1)
    base = [float((count * costs).sum()) / per for count in counts]
    now, out = _better(*base), []
    for pair in _incurred(counts[0] + counts[1], costs):
        moved = [float(count[pair] * costs[pair]) / per for count in counts]
        tie = _tie(base[0] - base[1], moved[0] - moved[1])
        for factor in factors:
            a, b = (whole + (factor - 1) * part for whole, part in zip(base, moved, strict=True))
            better = _better(a, b)
            out.append(ModelFlip(pair, factor, a, b, better, better != now, tie))
    return out


def threshold_sensitivity(
    confidence: ArrayLike,
    predicted: IntArray,
    gold: IntArray,
    *,
    matrix: FloatArray,
    review_cost: float,
    capacity: float = 1.0,
    change: float = CHANGE,
) -> list[ThresholdFlip]:
    """Return the cheapest threshold (``best_threshold``) as each cost falls and rises by ``change``.

    Args:
        confidence: ``(n,)`` stated confidence, 0-1.
        predicted: ``(n,)`` label indices.
        gold: ``(n,)`` label indices.
        matrix: as in ``model_sensitivity``.
        review_cost: cost of one review, in the matrix's unit; perturbed too, as the pair None.
        capacity: share of rows that can be reviewed.
        change: share, above 0 and below 1.
    """
    costs, factors = checked_costs(matrix), _factors(change)
    stated = checked_values(confidence, name="confidence", low=0.0, high=1.0)
    truth = checked_labels(gold, k=len(costs), n=stated.size, name="gold")
    said = checked_labels(predicted, k=len(costs), n=stated.size, name="predicted")
    paid = costs[truth, said]
    now = best_threshold(stated, paid, review_cost=review_cost, capacity=capacity).threshold
    out = []
    for pair in [*_incurred(_counts(said, truth, len(costs)), costs), None]:
        own = np.zeros(stated.size, dtype=bool) if pair is None else (truth == pair[0]) & (said == pair[1])
        for factor in factors:
            review = review_cost * factor if pair is None else review_cost
            choice = best_threshold(stated, np.where(own, paid * factor, paid), review_cost=review, capacity=capacity)
            out.append(ThresholdFlip(pair, factor, choice, choice.threshold != now and not math.isnan(now)))
    return out


def _better(a: float, b: float) -> str:
    if abs(a - b) <= SAME * max(a, b):
        return "tie"
    return "a" if a < b else "b"


def _tie(difference: float, moved: float) -> float:
    """Solve ``difference + (factor - 1) * moved = 0`` for a factor of at least 0."""
    factor = 1 - difference / moved if moved else math.inf
    return factor if factor >= 0 else math.inf


def _counts(predicted: IntArray, truth: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
    said = checked_labels(predicted, k=k, n=truth.size, name="predicted")
    return np.bincount(truth * k + said, minlength=k * k).reshape(k, k)


def _incurred(counts: npt.NDArray[np.int64], costs: Floats) -> list[Pair]:
    return [(gold, said) for gold, said in np.argwhere((counts > 0) & (costs > 0)).tolist()]


def _factors(change: float) -> tuple[float, float]:
    if not 0 < change < 1:
        raise ValueError(f"change: expected a share strictly between 0 and 1, got {change}")
    return 1 - change, 1 + change
