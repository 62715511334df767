"""What training again with another seed changes, beside what other test rows would change. Knows no training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import ArrayLike, checked_flags, checked_level, checked_values
from interlock.measure.distributions import student_quantile


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """Accuracy over training seeds, all judged on the same rows."""

    mean: Measurement  # over seeds, on these rows; n counts seeds
    seed_sd: float  # standard deviation of one run's accuracy, rows fixed
    sampling_sd: float  # standard error of one run's accuracy from the choice of rows, seed fixed
    seed_share: float  # part of one run's variance that the seed makes, 0-1

    @property
    def total_sd(self) -> float:
        """Standard deviation of one run's accuracy over seeds and rows together."""
        return math.hypot(self.seed_sd, self.sampling_sd)


def mean_over_seeds(values: ArrayLike, *, name: str, level: float = 0.95) -> Measurement:
    """Return the mean of ``(s seeds,)`` figures with Student's interval; one seed has no interval."""
    figures = checked_values(values, name=name)
    if figures.size == 0:
        return unmeasured(name)
    if figures.size == 1:
        return Measurement(name, float(figures[0]), 1, math.nan, math.nan, level, "student")
    t = student_quantile(0.5 + checked_level(level) / 2, figures.size - 1)
    half = t * float(figures.std(ddof=1)) / math.sqrt(figures.size)
    mean = float(figures.mean())
    return Measurement(name, mean, figures.size, mean - half, mean + half, level, "student")


def seed_summary(correct: ArrayLike, *, level: float = 0.95) -> SeedSummary:
    """Summarise ``(s seeds, n rows)`` flags, true where the model of that seed got that row right.

    A difference between two single runs below about twice ``seed_sd * sqrt(2)`` says nothing about the recipes
    (Bouthillier et al. 2021, MLSys).

    Raises:
        ValueError: fewer than two seeds, no rows, or values other than true and false.
    """
    shape = np.shape(correct)
    if len(shape) != 2 or shape[0] < 2 or shape[1] < 1:  # noqa: PLR2004 - a matrix, and a spread needs two seeds
        raise ValueError(f"correct: expected shape (s >= 2, n >= 1), got {shape}")
    flags = checked_flags(correct, name="correct", shape=shape).astype(np.float64)
    accuracy = flags.mean(axis=1)
    seed_variance = float(accuracy.var(ddof=1))
    sampling_variance = float((accuracy * (1 - accuracy)).mean()) / shape[1]
    both = seed_variance + sampling_variance
    return SeedSummary(
        mean=mean_over_seeds(accuracy, name="accuracy", level=level),
        seed_sd=math.sqrt(seed_variance),
        sampling_sd=math.sqrt(sampling_variance),
        seed_share=seed_variance / both if both > 0 else 0.0,
    )
