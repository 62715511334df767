"""Fit a scale and a bias for each label to held-out logits. Knows nothing of where they came from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.calibrate.rows import Floats, checked_logits
from interlock.calibrate.temperature import fit_temperature
from interlock.predict.calibrators import VectorScaling, softmax

STEPS = 60
FLAT = 1e-10  # a fall of the loss below this share is none


def fit_vector(logits: npt.ArrayLike, gold: npt.ArrayLike, *, ridge: float = 1.0) -> VectorScaling:
    """Return the per-label scales and biases (Guo et al. 2017) with the least NLL, by damped Newton steps.

    Args:
        logits: (n rows, k labels), finite.
        gold: (n,) columns of the right labels.
        ridge: pull towards the best single temperature, in rows: labels with few rows stay near it.

    Raises:
        InputError: the arrays are not that.
    """
    z, labels = checked_logits(logits, gold)
    k = z.shape[1]
    start = np.concatenate([np.full(k, 1 / fit_temperature(z, labels).temperature), np.zeros(k)])
    weights, loss = start, _loss(z, labels, start, start, ridge)
    for _ in range(STEPS):
        slope, curve = _derivatives(z, labels, weights)
        slope, curve = slope + ridge * (weights - start), curve + ridge * np.eye(2 * k)
        step, size = np.linalg.solve(curve, slope), 1.0
        while (new := _loss(z, labels, weights - size * step, start, ridge)) > loss and size > FLAT:
            size /= 2
        if not new < loss - FLAT * abs(loss):
            break
        weights, loss = weights - size * step, new
    return VectorScaling(tuple(weights[:k].tolist()), tuple(weights[k:].tolist()))


def _derivatives(z: Floats, gold: npt.NDArray[np.int64], weights: Floats) -> tuple[Floats, Floats]:
    """Return the gradient (2k,) and the Hessian (2k, 2k) of the summed NLL; scales first, then biases."""
    k = z.shape[1]
    p = np.asarray(softmax(z * weights[:k] + weights[k:]))
    off = p.copy()
    off[np.arange(len(gold)), gold] -= 1
    both = np.hstack([z * p, p])
    curve = -both.T @ both
    at = np.arange(k)
    curve[at, at] += (z * z * p).sum(axis=0)
    curve[at, at + k] += (z * p).sum(axis=0)
    curve[at + k, at] += (z * p).sum(axis=0)
    curve[at + k, at + k] += p.sum(axis=0)
    return np.concatenate([(z * off).sum(axis=0), off.sum(axis=0)]), curve


def _loss(z: Floats, gold: npt.NDArray[np.int64], weights: Floats, start: Floats, ridge: float) -> float:
    k = z.shape[1]
    scaled = z * weights[:k] + weights[k:]
    top = scaled.max(axis=1)
    rows = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1)) - scaled[np.arange(len(gold)), gold]
    return float(rows.sum() + ridge / 2 * ((weights - start) ** 2).sum())
