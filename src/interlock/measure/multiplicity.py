"""Many tests at once: p-values adjusted so that one threshold holds for all. Knows nothing of what was tested."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.measure.arrays import ArrayLike, checked_values


def holm(p: ArrayLike) -> npt.NDArray[np.float64]:
    """Return ``(m,)`` adjusted p-values: rejecting those at most alpha makes any false rejection at most alpha likely.

    Holm 1979, Scandinavian Journal of Statistics 6:65. Valid under any dependence.
    """
    values = checked_values(p, name="p", low=0.0, high=1.0)
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> npt.NDArray[np.float64]:
    """Return ``(m,)`` adjusted p-values: among those at most q, at most the share q is expected to be false.

    Benjamini and Hochberg 1995, JRSS B 57:289. Valid for independent or positively dependent tests.
    """
    values = checked_values(p, name="p", low=0.0, high=1.0)
    order = np.argsort(values, kind="stable")[::-1]
    stepped = values[order] * values.size / np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped), 1.0)
    return adjusted


def simultaneous_level(tests: int, *, level: float = 0.95) -> float:
    """Return the level each of ``tests`` intervals needs for all to hold together at ``level`` (Bonferroni)."""
    if tests < 1:
        raise ValueError(f"tests: expected at least 1, got {tests}")
    return 1 - (1 - level) / tests
