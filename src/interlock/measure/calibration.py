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
from interlock.measure.proportion import proportion

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


def debiased_square(counts: Floats, residual_sums: Floats, square_sums: Floats) -> Floats:
    """Return the squared calibration error without its upward bias, from ``(b, m bins)`` sums.

    Each bin's squared gap, weighted by its rows, less the variance its gap has by chance (Broecker 2012; Ferro and
    Fricker 2012; Kumar et al. 2019, the ``ECE_DEBIASED`` of Roelofs et al. 2022 before its root). Unbiased, so slightly
    negative about half the time on a calibrated model. A bin of one row, whose variance is unknown, counts as zero.

    Args:
        counts: rows of each bin.
        residual_sums: sums of the residuals.
        square_sums: sums of the squared residuals.
    """
    mean, variance = _gaps(counts, residual_sums, square_sums)
    return np.asarray((counts * (mean**2 - variance)).sum(axis=-1) / counts.sum(axis=-1))


def debiased_gap(counts: Floats, residual_sums: Floats, square_sums: Floats) -> Floats:
    """Return the calibration error less its estimated upward bias; arguments as in ``debiased_square``.

    A bin's |gap| d with standard error s is normal noise away from the truth; such noise around d would raise the mean
    of |gap| from d to ``d (2 Phi(d/s) - 1) + 2 s phi(d/s)``, and that rise is taken off (the parametric debiasing of
    Kumar et al. 2019, in closed form). Takes off about half of the bias of a calibrated model, nearly all elsewhere.
    """
    mean, variance = _gaps(counts, residual_sums, square_sums)
    error = np.sqrt(np.maximum(variance, 1e-24))
    z = np.abs(mean) / error
    density = np.exp(-0.5 * np.minimum(z * z, 1e3)) / math.sqrt(2 * math.pi)
    noisy = np.abs(mean) * np.asarray(_erf(z / math.sqrt(2)), dtype=np.float64) + 2 * error * density
    return np.asarray((counts * (2 * np.abs(mean) - noisy)).sum(axis=-1) / counts.sum(axis=-1))


def _gaps(counts: Floats, residual_sums: Floats, square_sums: Floats) -> tuple[Floats, Floats]:
    """Return each bin's mean residual and the variance of that mean; both 0 for a bin of fewer than two rows."""
    many = counts >= 2 - ROUNDING
    rows = np.where(many, counts, 2.0)
    mean = np.where(many, residual_sums / rows, 0.0)
    variance = np.maximum(square_sums / rows - mean**2, 0.0) / (rows - 1)
    return mean, np.where(many, variance, 0.0)


def null_residuals(confidence: Floats, assignments: Sequence[Bins], *, resamples: int, seed: int) -> list[Floats]:
    """Return the residual sums, ``(resamples, bins)`` per binning, of a calibrated model with these confidences.

    Consistency resampling: outcomes are redrawn as Bernoulli(confidence) (Broecker and Smith 2007; Vaicenavicius et al.
    2019). All binnings see the same outcomes. Bins are ranges of confidence; those without rows have no column.
    """
    generator = np.random.Generator(np.random.SFC64(seed))
    n, order = confidence.size, np.argsort(confidence, kind="stable")
    stated, chance = confidence[order], confidence[order].astype(np.float32)
    starts = [np.flatnonzero(np.diff(bins[order], prepend=-1)) for bins in assignments]
    residuals = [np.empty((resamples, start.size)) for start in starts]
    step = max(1, NULL_BLOCK // n)
    for at in range(0, resamples, step):
        hits = generator.random((min(step, resamples - at), n), dtype=np.float32) < chance
        for out, start in zip(residuals, starts, strict=True):
            right = np.add.reduceat(hits, start, axis=1, dtype=np.float64)
            out[at : at + step] = np.add.reduceat(stated, start) - right
    return residuals


def overall_gap(confidence: Floats, residual: Floats, *, level: float) -> float:
    """Return the most by which the mean of ``(n,)`` confidences may miss the share that is right, for all n rows show.

    A calibration error is at least the overall gap, so no bound of one can be below this: rows that are all right, with
    confidences near 1, vary too little for a bootstrap to see how few they are.
    """
    right = round(float((confidence - residual).sum()))
    share, mean = proportion("share_right", right, confidence.size, level=level), float(confidence.mean())
    return max(share.high - mean, mean - share.low)


def bounded(  # noqa: PLR0913 - what a bound of a biased figure takes
    name: str,
    value: float,
    *,
    truth: float,
    resampled: Floats,
    reached: float,
    n: int,
    level: float,
    least: float = 0.0,
    most: float = 1.0,
) -> Measurement:
    """Return a calibration error with its bootstrap bounds.

    Resampling shows the estimate's spread and its bias; plain percentiles would count the bias twice, and Monte Carlo
    shows that correcting for all of it covers too little just above zero. So the high bound takes the spread around
    the resamples' mean, the low bound the spread and the bias, and the low bound is 0 unless a calibrated model is
    refuted. Bounds hold the value, which is clipped at 0.

    Args:
        name: the measurement's name.
        value: the estimate.
        truth: the same error with the sample taken for the world: what ``resampled`` estimates.
        resampled: ``(b,)`` estimates on bootstrap resamples.
        reached: the chance that a calibrated model shows so large an error (``null_p``).
        n: rows.
        level: confidence level.
        least: what the high bound is not below, such as the ``overall_gap``.
        most: the largest error there can be.
    """
    made = from_values(name, value, resampled, n=n, support=(-1, 1), level=level)
    low, high = made.low, made.high
    if float(np.ptp(resampled)) > ROUNDING:
        mean = float(resampled.mean())
        low, high = value - (high - min(mean, truth)), value + (mean - low)
    if reached >= (1 - level) / 2:
        low = 0.0
    value = max(value, 0.0)
    low, high = min(max(low, 0.0), value), min(max(high, least, value), most)
    return replace(made, value=value, low=low, high=high, method="bootstrap_centred")


def null_p(null: Floats, plugin: float) -> float:
    """Return the chance that a calibrated model shows an error of at least ``plugin``, from its simulated errors."""
    return (1 + int((null >= plugin - ROUNDING).sum())) / (1 + null.size)
