"""Fit a sigmoid to confidences and hits. Knows nothing of where they came from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.calibrate.logistic import fit_logistic
from interlock.calibrate.rows import checked_scores
from interlock.predict.calibrators import Platt, logit


def fit_platt(confidence: npt.ArrayLike, correct: npt.ArrayLike) -> Platt:
    """Return the sigmoid of the logit with the least loss on smoothed targets (Platt 1999), by Newton steps.

    Args:
        confidence: (n,) in 0-1, n at least 1.
        correct: (n,) true or false. Rows that are all right or all wrong give a finite fit.

    Raises:
        InputError: the arrays are not that.
    """
    stated, hits = checked_scores(confidence, correct)
    features = np.column_stack([logit(stated), np.ones(stated.size)])
    slope, intercept = fit_logistic(features, hits, start=np.array([1.0, 0.0]))
    return Platt(float(slope), float(intercept))
