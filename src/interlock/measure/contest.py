"""Candidates against one baseline on the same rows: which are shown to differ. Knows nothing of what was changed.

With one model each the claim is about these models. With several seeds each it is about what they were made by: another
seed's effect counts as chance then (Bouthillier et al. 2021, MLSys).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import ArrayLike, checked_flags, checked_level
from interlock.measure.compare import accuracy_difference, mcnemar
from interlock.measure.distributions import student_cdf, student_quantile
from interlock.measure.multiplicity import holm
from interlock.measure.power import rows_needed

NAME = "accuracy_difference"
Shown = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True, slots=True)
class Contest:
    """One candidate against the baseline."""

    difference: Measurement  # candidate minus baseline, paired
    p: float  # two-sided, that they do not differ
    p_adjusted: float  # for all candidates together (Holm)
    rows_needed: int | None  # more rows at which this difference would be shown; None: no number would do

    @property
    def shown(self) -> Shown:
        """A difference is shown when the interval excludes zero and the adjusted test agrees; NaN shows nothing."""
        if self.p_adjusted <= 1 - self.difference.level:
            if self.difference.low > 0:
                return "better"
            if self.difference.high < 0:
                return "worse"
        return "no difference shown"


def contests(baseline: ArrayLike, candidates: Sequence[ArrayLike], *, level: float = 0.95) -> list[Contest]:
    """Return how each candidate compares.

    One seed each: Newcombe's paired interval and McNemar's exact test. More: Student's interval and test of the mean
    difference, whose variance is that of the rows plus twice that of a mean over seeds, pooled over all models.

    Args:
        baseline: ``(s seeds, n rows)`` flags, true where the model of that seed got that row right.
        candidates: flags of the same shape.
        level: confidence level.

    Raises:
        ValueError: other shapes or values.
    """
    checked_level(level)
    shape = np.shape(baseline)
    if len(shape) != 2 or shape[0] < 1:  # noqa: PLR2004 - a matrix
        raise ValueError(f"baseline: expected shape (s >= 1, n), got {shape}")
    ours = [checked_flags(flags, name="candidates", shape=shape) for flags in candidates]
    base = checked_flags(baseline, name="baseline", shape=shape)
    found = _seeded(base, ours, level) if shape[0] > 1 else [_single(flags[0], base[0], level) for flags in ours]
    adjusted = holm([contest.p for contest in found])
    return [replace(contest, p_adjusted=float(p)) for contest, p in zip(found, adjusted, strict=True)]


def _single(flags: npt.NDArray[np.bool_], base: npt.NDArray[np.bool_], level: float) -> Contest:
    difference = accuracy_difference(flags, base, level=level)
    return Contest(difference, mcnemar(flags, base), 1.0, rows_needed(difference, limit=0.0))


def _seeded(base: npt.NDArray[np.bool_], ours: Sequence[npt.NDArray[np.bool_]], level: float) -> list[Contest]:
    seeds, n = base.shape
    if n < 2:  # noqa: PLR2004 - rows have a spread from two on
        return [Contest(unmeasured(NAME, n=n), 1.0, 1.0, None) for _ in ours]
    models = [base, *ours]
    degrees = len(models) * (seeds - 1)
    by_seed = 2 * float(np.mean([flags.mean(axis=1).var(ddof=1) for flags in models])) / seeds
    t, found = student_quantile(0.5 + level / 2, degrees), []
    for flags in ours:
        rows = flags.mean(axis=0) - base.mean(axis=0)
        value, by_row = float(rows.mean()), float(rows.var(ddof=1)) / n
        spread = math.sqrt(by_seed + by_row)
        p = 2 * (1 - student_cdf(abs(value) / spread, degrees)) if spread > 0 else float(value == 0)
        low, high = max(-1.0, value - t * spread), min(1.0, value + t * spread)
        left = value**2 / t**2 - by_seed  # what the rows may contribute for the interval to exclude zero
        needed = max(math.ceil(n * by_row / left) + 1 - n, 0) if left > 0 else None
        found.append(Contest(Measurement(NAME, value, n, low, high, level, "student_seeds"), p, 1.0, needed))
    return found
