"""Fit a never falling line to confidences and hits. Knows nothing of where they came from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.calibrate.rows import Floats, checked_scores
from interlock.predict.calibrators import Isotonic


def fit_isotonic(confidence: npt.ArrayLike, correct: npt.ArrayLike) -> Isotonic:
    """Return the least-squares never falling line (Zadrozny and Elkan 2002), linear between its steps.

    Its values are held within 1 / (n + 2) of 0 and 1: n rows that are all right do not prove certainty.

    Args:
        confidence: (n,) in 0-1, n at least 1.
        correct: (n,) true or false.

    Raises:
        InputError: the arrays are not that.
    """
    stated, hits = checked_scores(confidence, correct)
    x, place, counts = np.unique(stated, return_inverse=True, return_counts=True)
    levels = pool(np.bincount(place, weights=hits) / counts, counts.astype(np.float64))
    ends = np.flatnonzero(np.diff(levels, prepend=-1.0, append=2.0))  # the first of each step, and one past the last
    knots = np.unique(np.concatenate([ends[:-1], ends[1:] - 1]))
    least = 1 / (stated.size + 2)
    y = np.clip(levels[knots], least, 1 - least)
    return Isotonic(tuple(x[knots].tolist()), tuple(y.tolist()))


def pool(values: Floats, weights: Floats) -> Floats:
    """Return the never falling values nearest to (m,) ``values`` in weighted squares.

    Pool adjacent violators (Ayer et al. 1955): whenever a block's mean falls below the one before, both become one.
    """
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, size = value, weight, 1
        while means and means[-1] >= mean:
            before = masses.pop()
            mean = (means.pop() * before + mean * mass) / (before + mass)
            mass, size = mass + before, size + sizes.pop()
        means.append(mean)
        masses.append(mass)
        sizes.append(size)
    return np.repeat(np.asarray(means), sizes)
