"""How well a single-label classifier's probabilities match the gold labels. Knows nothing of what the labels mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import FloatArray, IntArray, checked_labels, checked_probabilities
from interlock.measure.bootstrap import Sums, from_values, leave_one_out, resampled_sums
from interlock.measure.calibration import (
    bounded,
    debiased_square,
    equal_mass_bins,
    equal_width_bins,
    gap,
    indicator,
    null_p,
    null_residuals,
    overall_gap,
)
from interlock.measure.proportion import proportion

DEBIASED_BINS = 15  # Roelofs et al. 2022
ROWS_PER_BIN = 10  # the fewest rows a bin of the debiased error should hold
SMALLEST = float(np.finfo(np.float64).eps)  # a probability below this counts as this, so that one row's NLL is finite
MARGINS = ("accuracy", "macro_f1", "nll", "brier", "ece_10", "ece_20", "ece_debiased")


def classification(
    probabilities: FloatArray,
    gold: IntArray,
    *,
    labels: Sequence[str],
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Measurement]:
    """Measure a single-label classifier on n messages.

    Args:
        probabilities: ``(n messages, k labels)``, rows sum to 1. The predicted label is the first largest one.
        gold: ``(n,)`` label indices.
        labels: the k label names, in column order.
        resamples: bootstrap resamples behind macro_f1, nll, brier and the calibration errors.
        seed: the same seed gives the same bounds.
        level: confidence level of every interval.

    Returns:
        ``accuracy`` (Wilson), ``macro_f1`` (over the labels that occur in gold or predictions), ``nll`` (nats),
        ``brier`` (sum over labels, 0-2; Brier 1950), ``ece_10`` and ``ece_20`` (equal-width bins of the top
        confidence), ``ece_debiased`` (root of ``debiased_square`` on 15 equal-mass bins), and ``recall.LABEL`` (n gold
        rows), ``precision.LABEL`` (n predicted rows), ``f1.LABEL`` (n rows that are either). A calibration error's low
        bound is 0 unless a perfectly calibrated model would show so large an error with probability below
        ``(1 - level) / 2``.

    Raises:
        ValueError: the arrays are not what ``checked_probabilities`` and ``checked_labels`` ask for.
    """
    names = list(labels)
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"labels: expected at least one name and no name twice, got {names}")
    p = checked_probabilities(probabilities, labels=len(names))
    truth = checked_labels(gold, k=len(names), n=len(p), name="gold")
    predicted = p.argmax(axis=1) if len(p) else truth
    out = per_label(predicted, truth, labels=names, level=level)
    if len(p) == 0:
        return {name: unmeasured(name) for name in MARGINS} | out
    correct = predicted == truth
    head = {"accuracy": proportion("accuracy", int(correct.sum()), len(p), level=level, method="wilson")}
    figures = _Figures.of(p, truth, predicted, len(names))
    head |= figures.measure(resamples=resamples, seed=seed, level=level)
    if not correct.any() or correct.all():
        head["macro_f1"] = _unvaried_macro_f1(head["macro_f1"], [out[f"f1.{name}"] for name in names])
    return {name: head[name] for name in MARGINS} | out


def per_label(
    predicted: IntArray, gold: IntArray, *, labels: Sequence[str], level: float = 0.95
) -> dict[str, Measurement]:
    """Return ``recall.LABEL``, ``precision.LABEL`` and ``f1.LABEL`` of ``(n,)`` predicted and gold label indices.

    F1 is a rising function of the share J of hits among the rows that are gold or predicted, ``F1 = 2J / (1 + J)``, so
    its bounds are that function of J's binomial bounds.
    """
    k = len(labels)
    said = checked_labels(predicted, k=k, name="predicted")
    truth = checked_labels(gold, k=k, n=said.size, name="gold")
    hits = np.bincount(truth[said == truth], minlength=k)
    golds, saids = np.bincount(truth, minlength=k), np.bincount(said, minlength=k)
    out: dict[str, Measurement] = {}
    for i, label in enumerate(labels):
        hit = int(hits[i])
        out[f"recall.{label}"] = proportion(f"recall.{label}", hit, int(golds[i]), level=level)
        out[f"precision.{label}"] = proportion(f"precision.{label}", hit, int(saids[i]), level=level)
        share = proportion(f"f1.{label}", hit, int(golds[i] + saids[i]) - hit, level=level)
        out[f"f1.{label}"] = Measurement(
            share.name, _f1(share.value), share.n, _f1(share.low), _f1(share.high), share.level, share.method
        )
    return out


def macro_f1(hits: Sums, occurrences: Sums) -> npt.NDArray[np.float64]:
    """Return the mean of ``2 hits / occurrences`` over the labels that occur; occurrences are gold + predicted."""
    occurs = occurrences > 0
    f1 = np.divide(2 * hits, occurrences, out=np.zeros_like(hits, dtype=np.float64), where=occurs)
    return np.asarray(f1.sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1))


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


@dataclass(frozen=True)
class _Figures:
    """The sufficient statistics of one evaluation: a matrix, and which of its columns each figure reads."""

    rows: Sums
    columns: dict[str, slice]
    confidence: npt.NDArray[np.float64]
    bins: dict[str, npt.NDArray[np.intp]]

    @classmethod
    def of(cls, p: Sums, gold: npt.NDArray[np.int64], predicted: npt.NDArray[np.intp], k: int) -> _Figures:
        confidence = p.max(axis=1)
        residual = confidence - (predicted == gold)
        truth, said = indicator(gold, bins=k), indicator(predicted, bins=k)
        mass = max(1, min(DEBIASED_BINS, len(p) // ROWS_PER_BIN))
        bins = {
            "ece_10": equal_width_bins(confidence, bins=10),
            "ece_20": equal_width_bins(confidence, bins=20),
            "ece_debiased": equal_mass_bins(confidence, bins=mass),
        }
        masses = indicator(bins["ece_debiased"], bins=int(bins["ece_debiased"].max()) + 1)
        parts = {
            "hits": truth * said,
            "occurrences": truth + said,
            "nll": -np.log(np.maximum(p[np.arange(len(p)), gold], SMALLEST))[:, None],
            "brier": ((p - truth) ** 2).sum(axis=1, keepdims=True),
            "ece_10": indicator(bins["ece_10"], bins=10) * residual[:, None],
            "ece_20": indicator(bins["ece_20"], bins=20) * residual[:, None],
            "counts": masses,
            "residuals": masses * residual[:, None],
            "squares": masses * residual[:, None] ** 2,
        }
        ends = np.cumsum([part.shape[1] for part in parts.values()]).tolist()
        columns = {name: slice(end - part.shape[1], end) for (name, part), end in zip(parts.items(), ends, strict=True)}
        return cls(np.hstack(list(parts.values())), columns, confidence, bins)

    def values(self, name: str, sums: Sums) -> npt.NDArray[np.float64]:
        """Return the figure ``name`` of each line of ``(b, f)`` sums."""
        part = {key: sums[:, columns] for key, columns in self.columns.items()}
        n = len(self.rows)
        if name == "macro_f1":
            return macro_f1(part["hits"], part["occurrences"])
        if name == "ece_debiased":
            square = debiased_square(part["counts"], part["residuals"], part["squares"])
            return np.asarray(np.sqrt(np.maximum(square, 0.0)))
        return gap(part[name], n) if name.startswith("ece") else part[name][:, 0] / n

    def measure(self, *, resamples: int, seed: int, level: float) -> dict[str, Measurement]:
        sums = resampled_sums(self.rows, resamples=resamples, seed=seed)
        total, without = self.rows.sum(axis=0)[None], leave_one_out(self.rows)
        out = {}
        for name, support in {"macro_f1": (0, 1), "nll": (0, -np.log(SMALLEST)), "brier": (0, 2)}.items():
            out[name] = from_values(
                name,
                float(self.values(name, total)[0]),
                self.values(name, sums),
                n=len(self.rows),
                support=support,
                level=level,
                method="bca",  # percentiles cover 88-93 % of these on 20-100 rows
                left_out=self.values(name, without),
            )
        return out | self._calibration(total, sums, resamples=resamples, seed=seed, level=level)

    def _calibration(
        self, total: Sums, sums: Sums, *, resamples: int, seed: int, level: float
    ) -> dict[str, Measurement]:
        n = len(self.rows)
        nulls = null_residuals(self.confidence, list(self.bins.values()), resamples=resamples, seed=seed)
        overall = overall_gap(self.confidence, self.rows[:, self.columns["residuals"]].sum(axis=1), level=level)
        out = {}
        for name, null in zip(self.bins, nulls, strict=True):
            squared = name == "ece_debiased"
            gaps = total[:, self.columns["residuals" if squared else name]]
            plugin = float(gap(gaps, n)[0])
            square = (
                float((gaps[0] ** 2 / np.maximum(total[0, self.columns["counts"]], 1)).sum() / n) if squared else 0.0
            )
            out[name] = bounded(
                name,
                float(self.values(name, total)[0]),
                truth=square**0.5 if squared else plugin,
                resampled=self.values(name, sums),
                reached=null_p(gap(null, n), plugin),
                n=n,
                level=level,
                least=overall,
            )
        if n == 1:  # one row has no noise to take away
            out["ece_debiased"] = unmeasured("ece_debiased", n=1)
        return out


def _unvaried_macro_f1(measured: Measurement, f1s: Sequence[Measurement]) -> Measurement:
    """Bound a macro-F1 of exactly 0 or 1, which no resample changes, by the mean of its labels' bounds.

    That is the sum of intervals (Zou and Donner 2008, Statistics in Medicine 27) at its widest: labels fully dependent.
    """
    known = [f1 for f1 in f1s if f1.known]
    low, high = (float(np.mean([getattr(f1, side) for f1 in known])) for side in ("low", "high"))
    return replace(measured, low=low, high=high, method="mean_of_label_bounds")
