"""How well predicted sets of labels match gold sets. Knows nothing of how the sets were chosen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement
from interlock.measure.arrays import BoolArray, checked_flags, checked_values
from interlock.measure.bootstrap import Sums, bootstrap
from interlock.measure.proportion import proportion
from interlock.measure.unknown import auroc


def exact_match(predicted: BoolArray, gold: BoolArray, *, level: float = 0.95) -> Measurement:
    """Return the share of messages whose predicted set is the gold one; both ``(n messages, k labels)`` booleans."""
    said, truth = _checked(predicted, gold)
    return proportion("exact_match", int((said == truth).all(axis=1).sum()), len(said), level=level)


def micro_f1(
    predicted: BoolArray, gold: BoolArray, *, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> Measurement:
    """Return ``2 hits / (gold + predicted)`` summed over messages and labels, with a bootstrap over messages.

    Both arrays are ``(n messages, k labels)`` booleans. Without a label anywhere, gold or predicted, it is 1: nothing
    was asked for and nothing was said.
    """
    said, truth = _checked(predicted, gold)
    rows = np.column_stack([(said & truth).sum(axis=1), said.sum(axis=1) + truth.sum(axis=1)])
    return bootstrap(
        "micro_f1", rows, _micro, support=(0.0, 1.0), method="bca", resamples=resamples, seed=seed, level=level
    )


def several_or_one(
    scores: npt.ArrayLike, several: BoolArray, *, threshold: float, level: float = 0.95
) -> dict[str, Measurement]:
    """Measure a detector of messages with several labels; a higher score means more surely several.

    Args:
        scores: ``(n messages,)``.
        several: ``(n,)`` whether each has several labels.
        threshold: scores at or above it are called several.
        level: confidence level.

    Returns:
        ``several_auroc``; ``several_recall``, of those with several labels the share called so; ``several_precision``,
        of those called so the share that has; ``several_false``, of those with one label the share called several.
    """
    found = checked_values(scores, name="scores")
    truth = checked_flags(several, name="several", shape=found.shape)
    called = found >= threshold
    hits, said, there = int((called & truth).sum()), int(called.sum()), int(truth.sum())
    return {
        "several_auroc": auroc(found[~truth], found[truth], name="several_auroc", level=level),
        "several_recall": proportion("several_recall", hits, there, level=level),
        "several_precision": proportion("several_precision", hits, said, level=level),
        "several_false": proportion("several_false", said - hits, len(found) - there, level=level),
    }


def _micro(sums: Sums) -> npt.NDArray[np.float64]:
    hits, occurrences = sums[:, 0], sums[:, 1]
    return np.divide(2 * hits, occurrences, out=np.ones_like(hits), where=occurrences > 0)


def _checked(predicted: BoolArray, gold: BoolArray) -> tuple[BoolArray, BoolArray]:
    shape = np.shape(gold)
    if len(shape) != 2:  # noqa: PLR2004 - a matrix
        raise ValueError(f"gold: expected shape (n, k), got {shape}")
    return checked_flags(predicted, name="predicted", shape=shape), checked_flags(gold, name="gold", shape=shape)
