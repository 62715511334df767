"""Confidence against accuracy, bucket by bucket, as tables to read or draw. Knows nothing of how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement
from interlock.measure.arrays import ArrayLike, checked_flags, checked_level, checked_values
from interlock.measure.calibration import equal_mass_bins, equal_width_bins
from interlock.measure.proportion import proportion

BANDS = (0.5, 0.7, 0.9)
SIMULATIONS = 2000


@dataclass(frozen=True, slots=True)
class Bucket:
    """The rows whose confidence lies in one range."""

    low: float  # confidence, 0-1
    high: float
    n: int
    confidence: float  # mean over the bucket's rows, NaN without rows
    accuracy: Measurement
    expected_low: float  # where a calibrated model's accuracy would lie, at the accuracy's level
    expected_high: float

    @property
    def consistent(self) -> bool:
        """Whether a calibrated model could show this accuracy; a bucket without rows contradicts nothing."""
        return self.n == 0 or self.expected_low <= self.accuracy.value <= self.expected_high


@dataclass(frozen=True, slots=True)
class BrierParts:
    """The mean squared error of a confidence, taken apart over buckets (Murphy 1973; Stephenson et al. 2008)."""

    reliability: float  # squared gap of confidence and accuracy: lower is better
    resolution: float  # squared distance of bucket accuracies from the overall one: higher is better
    uncertainty: float  # accuracy times one minus accuracy
    within: float  # what unequal confidences inside a bucket add

    @property
    def brier(self) -> float:
        """Return the mean squared error the parts add up to."""
        return self.reliability - self.resolution + self.uncertainty + self.within


def reliability(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 15,
    kind: Literal["width", "mass"] = "width",
    seed: int = 0,
    level: float = 0.95,
) -> list[Bucket]:
    """Return the reliability diagram's rows for ``(n,)`` confidences and hits, from the lowest confidence up.

    Equal-width buckets are ``(low, high]`` and may be empty; equal-mass ones state the confidences they hold.
    """
    stated, hits = _checked(confidence, correct)
    if kind not in {"width", "mass"}:
        raise ValueError(f"kind: expected width or mass, got {kind!r}")
    if kind == "width":
        ranges = [(i / bins, (i + 1) / bins) for i in range(bins)]
        return _buckets(stated, hits, equal_width_bins(stated, bins=bins), ranges, seed, level)
    assignment = equal_mass_bins(stated, bins=bins)
    held = [stated[assignment == i] for i in range(int(assignment.max()) + 1)] if stated.size else []
    return _buckets(stated, hits, assignment, [(float(c.min()), float(c.max())) for c in held], seed, level)


def confidence_buckets(
    confidence: ArrayLike, correct: ArrayLike, *, edges: Sequence[float] = BANDS, seed: int = 0, level: float = 0.95
) -> list[Bucket]:
    """Return count, mean confidence and accuracy of the bands ``[low, high)`` between rising ``edges``, lowest first.

    Bands are the policy's: a confidence equal to an edge belongs to the band above. The last band includes 1.
    """
    stated, hits = _checked(confidence, correct)
    inner = checked_values(edges, name="edges", low=0.0, high=1.0)
    if (np.diff(inner) <= 0).any():
        raise ValueError(f"edges: expected rising values, got {list(edges)}")
    assignment = np.searchsorted(inner, stated, side="right")
    ranges = list(pairwise([0.0, *inner.tolist(), 1.0]))
    return _buckets(stated, hits, np.asarray(assignment), ranges, seed, level)


def brier_parts(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10) -> BrierParts:
    """Take the mean squared error of ``(n,)`` confidences apart over equal-width buckets; at least one row."""
    stated, hits = _checked(confidence, correct)
    if not stated.size:
        raise ValueError("confidence: expected at least one row, got none")
    _, bucket, counts = np.unique(equal_width_bins(stated, bins=bins), return_inverse=True, return_counts=True)
    share = counts / stated.size
    said = np.bincount(bucket, weights=stated) / counts
    seen = np.bincount(bucket, weights=hits) / counts
    overall = float(hits.mean())
    reliability_part = float((share * (said - seen) ** 2).sum())
    resolution = float((share * (seen - overall) ** 2).sum())
    uncertainty = overall * (1 - overall)
    within = float(((stated - hits) ** 2).mean()) - (reliability_part - resolution + uncertainty)
    return BrierParts(reliability_part, resolution, uncertainty, within)


def _buckets(
    stated: npt.NDArray[np.float64],
    hits: npt.NDArray[np.bool_],
    assignment: npt.NDArray[np.intp],
    ranges: Sequence[tuple[float, float]],
    seed: int,
    level: float,
) -> list[Bucket]:
    generator, tail = np.random.default_rng(seed), (1 - checked_level(level)) / 2
    out = []
    for i, (low, high) in enumerate(ranges):
        inside = stated[assignment == i]
        accuracy = proportion("accuracy", int(hits[assignment == i].sum()), inside.size, level=level)
        mean, band = float("nan"), (float("nan"), float("nan"))
        if inside.size:
            mean = float(inside.mean())
            band = _band(inside, generator, tail)
        out.append(Bucket(low, high, inside.size, mean, accuracy, *band))
    return out


def _band(inside: npt.NDArray[np.float64], generator: np.random.Generator, tail: float) -> tuple[float, float]:
    """Return the range of accuracies that rows right with exactly these chances show (Broecker and Smith 2007)."""
    values, counts = np.unique(inside, return_counts=True)
    hits = np.zeros(SIMULATIONS)
    for at in range(0, values.size, 1000):
        chance, rows = values[at : at + 1000], counts[at : at + 1000]
        hits += generator.binomial(rows, chance, size=(SIMULATIONS, chance.size)).sum(axis=1)
    ordered = np.sort(hits) / inside.size
    cut = int(tail * SIMULATIONS)
    return float(ordered[cut]), float(ordered[-1 - cut])


def _checked(confidence: ArrayLike, correct: ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    stated = checked_values(confidence, name="confidence", low=0.0, high=1.0)
    return stated, checked_flags(correct, name="correct", shape=stated.shape)
