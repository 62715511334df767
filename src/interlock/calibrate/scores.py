"""Judge every calibrator on a table of confidences and hits, cross-fitted. Knows nothing of files."""

from __future__ import annotations

import numpy.typing as npt

from interlock.calibrate.crossfit import LEAST_FOLDS, crossfit_scores
from interlock.calibrate.rows import checked_scores
from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.confidence import calibration_errors

JUDGED = ("raw", "platt", "isotonic", "temperature", "beta", "histogram")
MEASURED = ("ece_20", "mce_20", "ece_debiased", "brier", "nll")


def judge_scores(
    confidence: npt.ArrayLike, correct: npt.ArrayLike, *, seed: int = 0, folds: int = 5
) -> dict[str, dict[str, Measurement]]:
    """Return the calibration of each calibrator's confidences, every row scored by one that never saw it.

    Bounds resample the rows with the fitted calibrators kept: they say how sure the error of these calibrators is, and
    leave out that other rows would have given other fits. One row cannot be both fitted and judged: its calibrators are
    unmeasured, with n = 1.

    Args:
        confidence: (n,) in 0-1, n at least 1.
        correct: (n,) true or false.
        seed: of folds and resamples.
        folds: with fewer rows than folds, every row is a fold.

    Returns:
        ``raw, platt, isotonic, temperature, beta, histogram``, each with ``ece_20, mce_20, ece_debiased, brier, nll``;
        see ``interlock.measure.confidence.calibration_errors``.

    Raises:
        InputError: no rows, lengths that differ, a confidence that is no number in 0-1, fewer than two folds.
    """
    stated, hits = checked_scores(confidence, correct)
    out = {}
    for kind in JUDGED:
        if kind != "raw" and stated.size < LEAST_FOLDS:
            out[kind] = {name: unmeasured(name, n=stated.size) for name in MEASURED}
            continue
        said = crossfit_scores(stated, hits, kind=kind, folds=folds, seed=seed)
        found = calibration_errors(said, hits, seed=seed)
        out[kind] = {name: found[name] for name in MEASURED}
    return out
