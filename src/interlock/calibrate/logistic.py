"""Logistic regression on two or three features, by damped Newton steps. Knows nothing of calibration."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.predict.calibrators import sigmoid

Floats = npt.NDArray[np.float64]

STEPS = 100
RIDGE = 1e-6  # pull towards ``start``: decides what the rows leave open, as where all features are equal
FLAT = 1e-12  # a fall of the loss below this share is none


def fit_logistic(features: Floats, correct: npt.NDArray[np.bool_], *, start: Floats) -> Floats:
    """Return the weights with the least logistic loss whose slopes are not negative.

    The targets are Platt's (1999): (hits + 1) / (hits + 2) and 1 / (misses + 2) in place of 1 and 0, so that rows that
    are all right, or perfectly separated, have finite weights. A slope that would be negative is held at 0 and the rest
    fitted again (as Kull et al. 2017 do for beta calibration).

    Args:
        features: (n rows, f), the last column ones.
        correct: (n,).
        start: (f,) the weights of the identity.
    """
    hits = int(correct.sum())
    targets = np.where(correct, (hits + 1) / (hits + 2), 1 / (len(correct) - hits + 2))
    free = np.ones(len(start), dtype=np.bool_)
    while True:
        weights = np.zeros_like(start)
        weights[free] = _newton(features[:, free], targets, start[free])
        slopes = weights[:-1]
        if (slopes >= 0).all():
            return weights
        free[int(slopes.argmin())] = False


def _newton(features: Floats, targets: Floats, start: Floats) -> Floats:
    weights, loss = start.copy(), _loss(features, targets, start, start)
    for _ in range(STEPS):
        p = np.asarray(sigmoid(features @ weights))
        slope = features.T @ (p - targets) + RIDGE * (weights - start)
        curve = (features * (p * (1 - p))[:, None]).T @ features + RIDGE * np.eye(len(start))
        step, size = np.linalg.solve(curve, slope), 1.0
        while (new := _loss(features, targets, weights - size * step, start)) > loss and size > FLAT:
            size /= 2
        if not new < loss * (1 - FLAT):
            break
        weights, loss = weights - size * step, new
    return weights


def _loss(features: Floats, targets: Floats, weights: Floats, start: Floats) -> float:
    z = features @ weights
    rows = np.logaddexp(0.0, z) - targets * z
    return float(rows.sum() + RIDGE / 2 * ((weights - start) ** 2).sum())
