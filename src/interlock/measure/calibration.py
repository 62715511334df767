"""How far stated confidence is from observed accuracy, bin by bin. Knows nothing of how the confidence was made.

Throughout, a row's residual is its confidence minus one if it is correct, minus zero if not; a bin's gap is the mean of
its residuals. Calibration error is a weighted mean of absolute gaps (Naeini et al. 2015; Guo et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement
from interlock.measure.bootstrap import ROUNDING, from_values

Floats = npt.NDArray[np.float64]
Bins = npt.NDArray[np.intp]

NULL_BLOCK = 4_000_000  # simulated outcomes held at once
_erf = np.frompyfunc(math.erf, 1, 1)


def equal_width_bins(confidence: Floats, *, bins: int) -> Bins:
    """Return each row's bin; bin i of m holds confidences in ``(i/m, (i+1)/m]``, the first one 0 as well."""
    edges = np.arange(1, bins) / bins
    return np.asarray(np.searchsorted(edges, confidence, side="left"))


def equal_mass_bins(confidence: Floats, *, bins: int) -> Bins:
    """Return each row's bin, of at most ``bins`` bins as equally filled as ties, which stay together, allow."""
    ordered = np.sort(confidence)
    last = (np.arange(1, bins) * ordered.size) // bins - 1
    edges = np.unique(ordered[np.maximum(last, 0)]) if ordered.size else ordered
    codes = np.searchsorted(edges, confidence, side="left")
    return np.asarray(np.unique(codes, return_inverse=True)[1])


def indicator(assignment: Bins, *, bins: int) -> Floats:
    """Return ``(n, bins)`` zeros with a one in each row's bin."""
    return np.asarray(assignment[:, None] == np.arange(bins), dtype=np.float64)


def gap(residual_sums: Floats, rows: Floats | float) -> Floats:
    """Return the plug-in calibration error of each resample: ``sum over bins |sum of residuals| / rows``."""
    return np.asarray(np.abs(residual_sums).sum(axis=-1) / rows)


def cross_fitted_gap(counts: Floats, residual_sums: Floats, square_sums: Floats) -> Floats:
    """Return the calibration error freed of its upward bias, from ``(b, m bins)`` sums of rows, residuals and squares.

    Plug-in |gap| counts noise as error (Kumar et al. 2019; Roelofs et al. 2022). Take the gap's sign from one random
    half of a bin's rows and its size from the other: noise no longer agrees with itself, and the product has mean 0
    when the bin is calibrated, |gap| when the gap stands clear of the noise. Over all halvings, whose difference is
    normal with the standard error s of the bin's gap d, the mean is ``d (2 Phi(d/s) - 1) - 2 s phi(d/s)``. Bins of one
    row count as zero. The estimate may be slightly negative on a calibrated model.
    """
    many = counts >= 2  # noqa: PLR2004 - a variance needs two rows
    rows = np.where(many, counts, 2.0)
    mean = np.where(many, residual_sums / rows, 0.0)
    variance = np.maximum(square_sums / rows - mean**2, 0.0) / (rows - 1)
    error = np.sqrt(np.maximum(variance, 1e-24))
    z = mean / error
    sign = _erf(z / math.sqrt(2)).astype(np.float64)
    density = np.exp(-0.5 * np.minimum(z * z, 1e3)) / math.sqrt(2 * math.pi)
    return np.asarray((np.where(many, counts, 0.0) * (mean * sign - 2 * error * density)).sum(-1) / counts.sum(-1))


def null_gaps(confidence: Floats, assignments: Sequence[Bins], *, resamples: int, seed: int) -> list[Floats]:
    """Return the plug-in errors a perfectly calibrated model with these confidences would show, per binning.

    Consistency resampling: outcomes are redrawn as Bernoulli(confidence) (Broecker and Smith 2007; Vaicenavicius et al.
    2019). All binnings see the same outcomes.
    """
    generator = np.random.Generator(np.random.SFC64(seed))
    n, chance = confidence.size, confidence.astype(np.float32)
    orders = [np.argsort(bins, kind="stable") for bins in assignments]
    starts = [np.flatnonzero(np.diff(bins[order], prepend=-1)) for bins, order in zip(assignments, orders, strict=True)]
    expected = [np.add.reduceat(confidence[order], start) for order, start in zip(orders, starts, strict=True)]
    gaps = [np.empty(resamples) for _ in assignments]
    step = max(1, NULL_BLOCK // n)
    for at in range(0, resamples, step):
        hits = generator.random((min(step, resamples - at), n), dtype=np.float32) < chance
        for errors, order, start, sums in zip(gaps, orders, starts, expected, strict=True):
            drawn = np.add.reduceat(hits[:, order], start, axis=1, dtype=np.float64)
            errors[at : at + step] = gap(drawn - sums, n)
    return gaps


def bounded(
    name: str, value: float, *, plugin: float, resampled: Floats, null: Floats, n: int, level: float
) -> Measurement:
    """Return a calibration error with its bounds.

    The high bound is the basic bootstrap's: a resample's figure is compared with ``plugin``, the plug-in error of the
    sample, which is the true error of the world that resamples come from. The low bound is the same, but 0 unless at
    most ``(1 - level) / 2`` of the calibrated worlds' errors ``null`` reach ``plugin``. The value is clipped at 0.

    Args:
        name: the measurement's name.
        value: the estimate, perhaps freed of bias.
        plugin: the plug-in estimate on the same bins.
        resampled: ``(b,)`` estimates like ``value`` on bootstrap resamples.
        null: ``(c,)`` plug-in estimates of simulated calibrated models.
        n: rows.
        level: confidence level.
    """
    made = from_values(name, (value + plugin) / 2, resampled, n=n, support=(-1, 1), level=level, method="basic")
    reached = (1 + int((null >= plugin - ROUNDING).sum())) / (1 + null.size)
    value = max(value, 0.0)
    low = 0.0 if reached >= (1 - level) / 2 else min(max(made.low, 0.0), value)
    return replace(made, value=value, low=low, high=max(made.high, value))
