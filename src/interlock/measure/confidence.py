"""Whether stated confidence is right as often as it says. Knows nothing of labels: a row is a confidence and a hit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import (
    ArrayLike,
    FloatArray,
    IntArray,
    checked_flags,
    checked_labels,
    checked_probabilities,
    checked_values,
)
from interlock.measure.bootstrap import Sums, bootstrap, resampled_sums
from interlock.measure.calibration import (
    Bins,
    Floats,
    bounded,
    debiased_gap,
    debiased_square,
    equal_mass_bins,
    equal_width_bins,
    gap,
    indicator,
    null_p,
    null_residuals,
    overall_gap,
)

COUNTS = (10, 15, 20)
ROWS_PER_BIN = 10  # the fewest rows an equal-mass bin should hold
MOST_SWEPT = 100  # more bins than this change no figure and would cost n bins where no accuracy ever falls
TIED = 1e-12  # accuracies that differ by less are equal but for rounding
SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class _Error:
    """One way to sum up the bins: from their rows, residuals and squared residuals, each ``(b, m)``, to ``(b,)``."""

    bins: Bins
    figure: Callable[[Sums, Sums, Sums], Floats]
    plugin: Callable[[Sums, Sums, Sums], Floats]  # the same error with the sample taken for the world


def _mean_gap(counts: Sums, residuals: Sums, _squares: Sums) -> Floats:
    return gap(residuals, counts.sum(axis=-1))


def _largest_gap(counts: Sums, residuals: Sums, _squares: Sums) -> Floats:
    means = np.divide(np.abs(residuals), counts, out=np.zeros_like(residuals), where=counts > 0)
    return np.asarray(means.max(axis=-1))


def _root_square(counts: Sums, residuals: Sums, squares: Sums) -> Floats:
    return np.asarray(np.sqrt(np.maximum(debiased_square(counts, residuals, squares), 0.0)))


def _plugin_root(counts: Sums, residuals: Sums, _squares: Sums) -> Floats:
    means = np.divide(residuals**2, counts, out=np.zeros_like(residuals), where=counts > 0)
    return np.asarray(np.sqrt(means.sum(axis=-1) / counts.sum(axis=-1)))


def calibration_errors(
    confidence: ArrayLike, correct: ArrayLike, *, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> dict[str, Measurement]:
    """Measure the calibration of ``(n,)`` confidences in 0-1 against ``(n,)`` hits.

    Returns:
        ``ece_10``, ``ece_15``, ``ece_20`` (equal-width bins; Naeini et al. 2015, Guo et al. 2017), ``ece_mass_10``,
        ``ece_mass_15``, ``ece_mass_20`` (equal-mass bins; Nguyen and O'Connor 2015), ``mce_20`` (largest gap of 20
        equal-width bins), ``ece_debiased`` and ``ece_l1_debiased`` (15 equal-mass bins; see ``debiased_square``, whose
        root this is, and ``debiased_gap``), ``ece_sweep`` (see ``sweep_bins``), ``brier`` (mean squared residual, 0-1)
        and ``nll`` (nats). Low bounds of the errors are 0 unless a calibrated model is refuted.

    Raises:
        ValueError: lengths differ, a confidence is not a finite number in 0-1, or a hit is neither true nor false.
    """
    stated = checked_values(confidence, name="confidence", low=0.0, high=1.0)
    hits = checked_flags(correct, name="correct", shape=stated.shape)
    errors = _errors(stated, hits)
    if stated.size == 0:
        return {name: unmeasured(name) for name in [*errors, "brier", "nll"]}
    residual = stated - hits
    out = _measure_errors(errors, stated, residual, resamples=resamples, seed=seed, level=level)
    if stated.size == 1:  # one row has no noise to take away
        out |= {name: unmeasured(name, n=1) for name in ("ece_debiased", "ece_l1_debiased")}
    loss = -np.log(np.maximum(np.where(hits, stated, 1 - stated), SMALLEST))
    for name, rows, most in (("brier", residual**2, 1.0), ("nll", loss, -float(np.log(SMALLEST)))):
        out[name] = bootstrap(
            name,
            rows[:, None],
            _mean_of(rows.size),
            support=(0.0, most),
            method="bca",
            resamples=resamples,
            seed=seed,
            level=level,
        )
    return out


def consistency_p(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15, resamples: int = 2000, seed: int = 0
) -> float:
    """Return the p-value that ``(n,)`` confidences are calibrated, from the equal-mass calibration error.

    The error is compared with those of simulated calibrated models (Vaicenavicius et al. 2019), so a calibrated model
    is rejected at level alpha with chance at most alpha, whatever n. No rows give 1.
    """
    stated = checked_values(confidence, name="confidence", low=0.0, high=1.0)
    hits = checked_flags(correct, name="correct", shape=stated.shape)
    if stated.size == 0:
        return 1.0
    assignment = equal_mass_bins(stated, bins=bins)
    sums = np.bincount(assignment, weights=stated - hits).astype(np.float64)
    null = null_residuals(stated, [assignment], resamples=resamples, seed=seed)[0]
    return null_p(gap(null, stated.size), float(gap(sums, stated.size)))


def classwise_error(
    probabilities: FloatArray,
    gold: IntArray,
    *,
    bins: int = 15,
    adaptive: bool = False,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return the calibration error of every label's probability, averaged over labels, with a percentile bootstrap.

    ``classwise_ece`` with equal-width bins (Kull et al. 2019), ``ace`` with ``adaptive`` equal-mass ones (Nixon et al.
    2019). A plug-in figure: biased up, and its bounds with it; compare models on the same rows with it.

    Args:
        probabilities: ``(n messages, k labels)``, rows sum to 1.
        gold: ``(n,)`` label indices.
        bins: bins per label.
        adaptive: equal-mass bins.
        resamples: bootstrap resamples.
        seed: the same seed gives the same bounds.
        level: confidence level.
    """
    p = checked_probabilities(probabilities)
    truth, name = checked_labels(gold, k=p.shape[1], n=len(p), name="gold"), "ace" if adaptive else "classwise_ece"
    if len(p) == 0:
        return unmeasured(name)
    into = equal_mass_bins if adaptive else equal_width_bins
    parts = []
    for label in range(p.shape[1]):
        assignment = into(p[:, label], bins=bins)
        used = np.unique(assignment, return_inverse=True)[1]
        residual = p[:, label] - (truth == label)
        parts.append(indicator(used, bins=int(used.max()) + 1) * residual[:, None])
    rows, cells = np.hstack(parts), len(p) * p.shape[1]
    return bootstrap(
        name, rows, lambda sums: gap(sums, cells), support=(0.0, 1.0), resamples=resamples, seed=seed, level=level
    )


def sweep_bins(confidence: Floats, correct: npt.NDArray[np.bool_]) -> Bins:
    """Return equal-mass bins, as many as keep the bins' accuracies rising with confidence (Roelofs et al. 2022).

    The count is raised one by one, to 100 at most, until an accuracy falls. Rows of equal confidence stay together.
    """
    n = confidence.size
    order = np.argsort(confidence, kind="stable")
    ordered, total = confidence[order], np.concatenate(([0.0], np.cumsum(correct[order])))
    edges = np.array([0, n])
    for bins in range(2, min(n, MOST_SWEPT) + 1):
        last = (np.arange(1, bins) * n) // bins - 1
        ends = np.searchsorted(ordered, ordered[last], side="right")
        finer = np.unique(np.concatenate(([0], ends, [n])))
        accuracy = np.diff(total[finer]) / np.diff(finer)
        if (np.diff(accuracy) < -TIED).any():
            break
        edges = finer
    out = np.empty(n, dtype=np.intp)
    out[order] = np.repeat(np.arange(edges.size - 1), np.diff(edges))
    return out


def _errors(stated: Floats, hits: npt.NDArray[np.bool_]) -> dict[str, _Error]:
    mass = {bins: equal_mass_bins(stated, bins=max(1, min(bins, stated.size // ROWS_PER_BIN))) for bins in COUNTS}
    width = {bins: equal_width_bins(stated, bins=bins) for bins in COUNTS}
    errors = {f"ece_{bins}": _Error(width[bins], _mean_gap, _mean_gap) for bins in COUNTS}
    errors |= {f"ece_mass_{bins}": _Error(mass[bins], _mean_gap, _mean_gap) for bins in COUNTS}
    return errors | {
        "mce_20": _Error(width[20], _largest_gap, _largest_gap),
        "ece_debiased": _Error(mass[15], _root_square, _plugin_root),
        "ece_l1_debiased": _Error(mass[15], debiased_gap, _mean_gap),
        "ece_sweep": _Error(sweep_bins(stated, hits), _mean_gap, _mean_gap),
    }


def _measure_errors(
    errors: dict[str, _Error], stated: Floats, residual: Floats, *, resamples: int, seed: int, level: float
) -> dict[str, Measurement]:
    """Bound every error from one set of resamples and one set of simulated calibrated models.

    All are sums over the atoms: the ranges of confidence that no binning cuts.
    """
    order = np.argsort(stated, kind="stable")
    cuts = np.column_stack([np.diff(error.bins[order], prepend=-1) != 0 for error in errors.values()])
    atom = np.empty(stated.size, dtype=np.intp)
    atom[order] = np.cumsum(cuts.any(axis=1)) - 1
    inside = indicator(atom, bins=int(atom.max()) + 1)
    rows = np.hstack([inside, inside * residual[:, None], inside * residual[:, None] ** 2])
    sums = np.split(resampled_sums(rows, resamples=resamples, seed=seed), 3, axis=1)
    totals = np.split(rows.sum(axis=0)[None], 3, axis=1)
    null = null_residuals(stated, [atom], resamples=resamples, seed=seed)[0]
    overall = overall_gap(stated, residual, level=level)
    out = {}
    for (name, error), starts in zip(errors.items(), cuts[cuts.any(axis=1)].T, strict=True):
        at = np.flatnonzero(starts)
        own = [np.add.reduceat(total, at, axis=1) for total in totals]
        drawn = np.add.reduceat(null, at, axis=1)
        plugin = _largest_gap if error.figure is _largest_gap else _mean_gap
        out[name] = bounded(
            name,
            float(error.figure(*own)[0]),
            truth=float(error.plugin(*own)[0]),
            resampled=error.figure(*(np.add.reduceat(part, at, axis=1) for part in sums)),
            reached=null_p(plugin(np.broadcast_to(own[0], drawn.shape), drawn, drawn), float(plugin(*own)[0])),
            n=stated.size,
            level=level,
            least=overall,
        )
    return out


def _mean_of(n: int) -> Callable[[Sums], npt.NDArray[np.float64]]:
    return lambda sums: sums[:, 0] / n
