"""Fit one value for each bin of confidence. Knows nothing of where the rows came from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.calibrate.rows import checked_scores
from interlock.predict.calibrators import Histogram

BINS = 10
ROWS_PER_BIN = 20  # fewer rows make a bin's value mostly noise: a share of 20 rows has a standard error of 0.1


def fit_histogram(confidence: npt.ArrayLike, correct: npt.ArrayLike, *, bins: int = BINS) -> Histogram:
    """Return equally filled bins (Zadrozny and Elkan 2001) with the rule of succession's share, (hits + 1) / (n + 2).

    Args:
        confidence: (n,) in 0-1, n at least 1.
        correct: (n,) true or false.
        bins: at most so many; fewer when a bin would hold under 20 rows or when confidences are tied.

    Raises:
        InputError: the arrays are not that.
    """
    stated, hits = checked_scores(confidence, correct)
    count = max(1, min(bins, stated.size // ROWS_PER_BIN))
    ordered = np.sort(stated)
    edges = np.unique(ordered[(np.arange(1, count) * ordered.size) // count])
    edges = edges[edges > ordered[0]]  # at the smallest confidence an edge would leave its lower bin empty
    place = np.searchsorted(edges, stated, side="right")
    rows = np.bincount(place, minlength=edges.size + 1)
    right = np.bincount(place, weights=hits, minlength=edges.size + 1)
    return Histogram(tuple(edges.tolist()), tuple(((right + 1) / (rows + 2)).tolist()))
