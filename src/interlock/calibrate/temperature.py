"""Fit one temperature to held-out logits. Knows nothing of where they came from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.core.errors import InputError
from interlock.predict.calibrators import Temperature
from interlock.predict.scorer import FloatArray

RANGE = (0.05, 20.0)  # temperatures searched; a fit at an end says the logits carry no usable confidence
_GOLDEN = (5**0.5 - 1) / 2


def fit_temperature(logits: FloatArray, gold: npt.NDArray[np.integer], *, steps: int = 80) -> Temperature:
    """Return the temperature with the least NLL (Guo et al. 2017), by golden-section search on log T.

    Args:
        logits: (n rows, k labels), finite.
        gold: (n,) columns of the right labels.
        steps: of the search; 80 narrow the range below double precision.

    Raises:
        InputError: no rows, or logits that are not finite.
    """
    z = np.asarray(logits, dtype=np.float64)
    if not len(z) or not np.all(np.isfinite(z)):
        raise InputError(f"calibration needs finite logits, got {len(z)} rows, finite: {bool(np.all(np.isfinite(z)))}")
    low, high = np.log(RANGE[0]), np.log(RANGE[1])
    for _ in range(steps):  # the NLL is convex in 1/T, so it has one valley in log T too
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if _nll(z, gold, np.exp(left)) < _nll(z, gold, np.exp(right)):
            high = right
        else:
            low = left
    return Temperature(float(np.exp((low + high) / 2)))


def _nll(z: npt.NDArray[np.float64], gold: npt.NDArray[np.integer], temperature: float) -> float:
    scaled = z / temperature
    top = scaled.max(axis=1)
    log_sum = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    return float((log_sum - scaled[np.arange(len(gold)), gold]).mean())
