"""Macro-F1 of two models on the same rows: how far apart, and whether by chance. Knows nothing of the models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import IntArray, checked_labels
from interlock.measure.bootstrap import bootstrap
from interlock.measure.classify import macro_f1

AT_ONCE = 2_000_000  # random signs held in memory
TIED = 1e-12


def macro_f1_difference(
    predicted_a: IntArray,
    predicted_b: IntArray,
    gold: IntArray,
    *,
    k: int,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[Measurement, float]:
    """Return macro-F1 of a minus macro-F1 of b (paired bootstrap), and the p-value that a and b are exchangeable.

    The test lets the two predictions of each row change places at random (Fisher 1935; one is added to both counts,
    Phipson and Smyth 2010).

    Args:
        predicted_a: ``(n,)`` label indices.
        predicted_b: ``(n,)`` label indices.
        gold: ``(n,)`` label indices.
        k: number of labels.
        resamples: bootstrap resamples, and random exchanges.
        seed: the same seed gives the same figures.
        level: confidence level.
    """
    truth = checked_labels(gold, k=k, name="gold")
    said_a = checked_labels(predicted_a, k=k, n=truth.size, name="predicted_a")
    said_b = checked_labels(predicted_b, k=k, n=truth.size, name="predicted_b")
    if not truth.size:
        return unmeasured("macro_f1_difference"), 1.0
    a, b = _counts(said_a, truth, k), _counts(said_b, truth, k)
    found = bootstrap(
        "macro_f1_difference",
        np.hstack([a, b]),
        lambda sums: _of(sums[:, : 2 * k]) - _of(sums[:, 2 * k :]),
        support=(-1, 1),
        resamples=resamples,
        seed=seed,
        level=level,
    )
    return found, _exchanged(a, b, resamples=resamples, seed=seed)


def _exchanged(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], *, resamples: int, seed: int) -> float:
    differ = (a != b).any(axis=1)
    if not differ.any():
        return 1.0
    gap, both, generator = (a - b)[differ], a.sum(axis=0) + b.sum(axis=0), np.random.default_rng(seed)
    observed = abs(float((_of(a.sum(axis=0)[None]) - _of(b.sum(axis=0)[None]))[0]))
    reached, step = 0, max(1, AT_ONCE // len(gap))
    for start in range(0, resamples, step):
        shape = (min(step, resamples - start), len(gap))
        signs = generator.integers(0, 2, size=shape) * 2.0 - 1
        ours = (both + signs @ gap) / 2
        reached += int((np.abs(_of(ours) - _of(both - ours)) >= observed - TIED).sum())
    return (1 + reached) / (1 + resamples)


def _counts(said: npt.NDArray[np.int64], truth: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.float64]:
    """Return ``(n, 2k)``: whether a row is a hit of each label, and how often each label occurs in it, 0 to 2."""
    marks = np.eye(k)
    return np.hstack([marks[truth] * (said == truth)[:, None], marks[truth] + marks[said]])


def _of(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    k = sums.shape[1] // 2
    return np.asarray(macro_f1(sums[:, :k], np.round(sums[:, k:], 6)))
