"""What wrong routes cost, by a matrix of costs. Knows nothing of who set the costs or in what unit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import FloatArray, IntArray, checked_costs, checked_labels, checked_level
from interlock.measure.bootstrap import Sums, bootstrap


def cost_per_message(
    predicted: IntArray,
    gold: IntArray,
    *,
    matrix: FloatArray,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return the mean cost of a message (Elkan 2001).

    Args:
        predicted: ``(n,)`` label indices.
        gold: ``(n,)`` label indices.
        matrix: ``(k labels, k labels)`` costs, gold label by row, predicted label by column; finite, none negative.
        resamples: bootstrap resamples.
        seed: the same seed gives the same bounds.
        level: confidence level.
    """
    costs = _costs(predicted, gold, checked_costs(matrix))
    support, mean = (0.0, float(np.max(matrix))), _mean_of(costs.size)
    rows = costs[:, None]
    return bootstrap(
        "cost_per_message",
        rows,
        mean,
        support=support,
        method="bca",
        resamples=resamples,
        seed=seed,
        level=level,
    )


def cost_ratio(
    predicted: IntArray,
    champion_predicted: IntArray,
    gold: IntArray,
    *,
    matrix: FloatArray,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return a model's total cost over the champion's on the same rows, with a paired bootstrap interval.

    Arguments are ``cost_per_message``'s. A champion that costs nothing cannot be divided by: the ratio is unmeasured,
    unless the model costs nothing either, which is 1. Where resamples cost the champion nothing the high bound is
    infinite.
    """
    checked_level(level)
    checked = checked_costs(matrix)
    ours, theirs = _costs(predicted, gold, checked), _costs(champion_predicted, gold, checked)
    if ours.size and theirs.sum() == 0 and ours.sum() > 0:
        return unmeasured("cost_ratio", n=ours.size)
    rows = np.column_stack([ours, theirs])
    return bootstrap(
        "cost_ratio",
        rows,
        _ratio,
        support=(0.0, np.inf),
        method="bca",
        resamples=resamples,
        seed=seed,
        level=level,
    )


def _mean_of(n: int) -> Callable[[Sums], npt.NDArray[np.float64]]:
    return lambda sums: sums[:, 0] / n


def _ratio(sums: Sums) -> npt.NDArray[np.float64]:
    ours, theirs = sums[:, 0], sums[:, 1]
    free = np.where(ours > 0, np.inf, 1.0)
    return np.divide(ours, theirs, out=free, where=theirs > 0)


def _costs(predicted: IntArray, gold: IntArray, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    truth = checked_labels(gold, k=len(matrix), name="gold")
    said = checked_labels(predicted, k=len(matrix), n=truth.size, name="predicted")
    return np.asarray(matrix[truth, said])
