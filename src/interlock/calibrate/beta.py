"""Fit a beta calibrator to confidences and hits. Knows nothing of where they came from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.calibrate.logistic import fit_logistic
from interlock.calibrate.rows import checked_scores
from interlock.predict.calibrators import CLIP, Beta


def fit_beta(confidence: npt.ArrayLike, correct: npt.ArrayLike) -> Beta:
    """Return the beta calibrator (Kull et al. 2017, AISTATS) with the least loss on Platt's smoothed targets.

    Args:
        confidence: (n,) in 0-1, n at least 1.
        correct: (n,) true or false. Rows that are all right or all wrong give a finite fit.

    Raises:
        InputError: the arrays are not that.
    """
    stated, hits = checked_scores(confidence, correct)
    p = np.clip(stated, CLIP, 1 - CLIP)
    features = np.column_stack([np.log(p), -np.log1p(-p), np.ones(p.size)])
    a, b, c = fit_logistic(features, hits, start=np.array([1.0, 1.0, 0.0]))
    return Beta(float(a), float(b), float(c))
