"""Every calibrator by name, from the simplest to the most flexible. Knows no data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from interlock.calibrate.beta import fit_beta
from interlock.calibrate.histogram import fit_histogram
from interlock.calibrate.isotonic import fit_isotonic
from interlock.calibrate.platt import fit_platt
from interlock.calibrate.rows import Flags, Floats, Labels, top_scores
from interlock.calibrate.temperature import fit_temperature
from interlock.calibrate.vector import fit_vector
from interlock.predict.calibrators import Calibrator, ConfidenceCalibrator, Temperature, logit

FitScores = Callable[[Floats, Flags], ConfidenceCalibrator]
FitLogits = Callable[[Floats, Labels], Calibrator]


def fit_score_temperature(confidence: Floats, correct: Flags) -> Temperature:
    """Return the temperature of (n,) confidences taken as the first of two labels against (n,) hits."""
    two = np.column_stack([logit(confidence), np.zeros(confidence.size)])
    return fit_temperature(two, np.where(correct, 0, 1))


def fit_raw(_scores: Floats, _gold: Flags | Labels) -> Temperature:
    """Return the calibrator that changes nothing."""
    return Temperature(1.0)


SCORE_FITS: dict[str, FitScores] = {
    "raw": fit_raw,
    "temperature": fit_score_temperature,
    "platt": fit_platt,
    "beta": fit_beta,
    "histogram": fit_histogram,
    "isotonic": fit_isotonic,
}


def _on_top(fit: FitScores) -> FitLogits:
    return lambda logits, gold: fit(*top_scores(logits, gold))


LOGIT_FITS: dict[str, FitLogits] = {
    "raw": fit_raw,
    "temperature": fit_temperature,
    "platt": _on_top(fit_platt),
    "beta": _on_top(fit_beta),
    "vector": fit_vector,
    "histogram": _on_top(fit_histogram),
    "isotonic": _on_top(fit_isotonic),
}
