"""How good a calibrator becomes with more labelled rows. Knows nothing of drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from interlock.calibrate.choose import score_losses
from interlock.calibrate.kinds import SCORE_FITS
from interlock.calibrate.rows import Flags, Floats, checked_scores
from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.calibration import debiased_square, equal_mass_bins

SIZES = (100, 200, 500, 1000)
HELD = 100  # rows that must be left to judge on
BINS = 15


def quality_by_labels(
    confidence: npt.ArrayLike,
    correct: npt.ArrayLike,
    *,
    sizes: Sequence[int] = SIZES,
    draws: int = 20,
    seed: int = 0,
) -> dict[str, dict[int, dict[str, Measurement]]]:
    """Return calibrator -> labelled rows -> ``nll`` and ``ece_debiased`` on the rows that were left out.

    Each size is drawn ``draws`` times without replacement, all calibrators from the same draws; ``n`` is the rows left
    out of a draw. The value is the mean over draws (for ``ece_debiased`` the root of the mean debiased square) and
    the bounds, method ``label_draws``, are the quantiles over draws: the luck of which rows were labelled. Draws share
    rows, so they are no confidence interval of the mean. A size that leaves fewer than 100 rows is unmeasured.

    Args:
        confidence: (n,) in 0-1.
        correct: (n,) true or false.
        sizes: rows to fit on.
        draws: at least 1.
        seed: of the draws.

    Raises:
        InputError: the arrays are not that.
    """
    stated, hits = checked_scores(confidence, correct)
    chance = np.random.default_rng(seed)
    out: dict[str, dict[int, dict[str, Measurement]]] = {kind: {} for kind in SCORE_FITS}
    for size in sizes:
        left = stated.size - size
        if left < HELD:
            for points in out.values():
                points[size] = {name: unmeasured(name, n=max(left, 0)) for name in ("nll", "ece_debiased")}
            continue
        orders = [chance.permutation(stated.size) for _ in range(draws)]
        for kind, points in out.items():
            found = np.array([_one(kind, stated, hits, order[:size], order[size:]) for order in orders])
            points[size] = _summaries(found, left)
    return out


def _one(
    kind: str, stated: Floats, hits: Flags, fitted: npt.NDArray[np.intp], held: npt.NDArray[np.intp]
) -> tuple[float, float]:
    said = stated[held]
    if kind != "raw":
        said = np.asarray(SCORE_FITS[kind](stated[fitted], hits[fitted]).confidence(said))
    residual, bins = said - hits[held], equal_mass_bins(said, bins=BINS)
    rows, gaps, squares = (
        np.bincount(bins, weights=weight)[None].astype(np.float64)
        for weight in (np.ones(held.size), residual, residual**2)
    )
    return float(score_losses(said, hits[held]).mean()), float(debiased_square(rows, gaps, squares)[0])


def _summaries(found: Floats, n: int) -> dict[str, Measurement]:
    """Return the summary of (draws, 2) losses and debiased squares."""
    figures = np.vstack([found.mean(axis=0), np.quantile(found, [0.025, 0.975], axis=0)])
    figures[:, 1] = np.sqrt(np.maximum(figures[:, 1], 0.0))
    return {
        name: Measurement(name, value, n, min(low, value), max(high, value), 0.95, "label_draws")
        for name, (value, low, high) in zip(("nll", "ece_debiased"), figures.T.tolist(), strict=True)
    }
