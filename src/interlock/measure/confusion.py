"""Which labels are mistaken for which, and on which rows it goes worst. Knows nothing of what the labels mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement
from interlock.measure.arrays import ArrayLike, FloatArray, IntArray, checked_flags, checked_labels, checked_level
from interlock.measure.multiplicity import holm, simultaneous_level
from interlock.measure.proportion import proportion

TIED = 1e-7  # relative difference of two tables' chances below which they count as equally likely


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Errors between two labels."""

    gold: str
    predicted: str
    both_ways: bool  # whether errors from predicted to gold are counted too
    count: int
    share: Measurement  # of all errors; n counts the errors
    cumulative: float  # share of all errors that this pair and those before it make
    severity: float  # mean cost of one such error; NaN without costs
    cost: float  # what they cost together; NaN without costs


@dataclass(frozen=True, slots=True)
class Slice:
    """One value of a field."""

    accuracy: Measurement  # its interval holds together with those of all other slices
    p: float  # Fisher's exact test against all other rows, Holm-adjusted over the slices


@dataclass(frozen=True, slots=True)
class SliceTable:
    """Accuracy by one field."""

    overall: Measurement  # at the plain level
    slices: tuple[Slice, ...]  # by value, in order of value
    level: float

    @property
    def worst(self) -> Slice | None:
        """The least accurate slice, the larger of equals; None without rows.

        Its interval is honest though it was picked for being worst, because all intervals hold together.
        """
        return min(self.slices, key=lambda s: (s.accuracy.value, -s.accuracy.n), default=None)

    @property
    def proven(self) -> tuple[Slice, ...]:
        """The slices that are less accurate than the other rows, not by chance."""
        low = (s for s in self.slices if s.accuracy.value < self.overall.value and s.p <= 1 - self.level)
        return tuple(sorted(low, key=lambda s: s.accuracy.value))


def confusion_matrix(predicted: IntArray, gold: IntArray, *, k: int) -> npt.NDArray[np.int64]:
    """Return ``(k labels, k labels)`` counts of ``(n,)`` label indices: gold by row, predicted by column."""
    truth = checked_labels(gold, k=k, name="gold")
    said = checked_labels(predicted, k=k, n=truth.size, name="predicted")
    return np.bincount(truth * k + said, minlength=k * k).reshape(k, k)


def confused_pairs(
    predicted: IntArray,
    gold: IntArray,
    *,
    labels: Sequence[str],
    costs: FloatArray | None = None,
    both_ways: bool = False,
    level: float = 0.95,
) -> list[ConfusedPair]:
    """Return every pair of labels with errors, the most frequent first, with its part in all errors.

    Args:
        predicted: ``(n,)`` label indices.
        gold: ``(n,)`` label indices.
        labels: the k label names, in index order.
        costs: ``(k, k)`` costs, gold by row, predicted by column.
        both_ways: count a pair's two directions together; it is named in the order of its more frequent direction.
        level: confidence level of the shares.
    """
    k = len(labels)
    checked_level(level)
    counts = confusion_matrix(predicted, gold, k=k)
    np.fill_diagonal(counts, 0)
    price = np.full((k, k), math.nan) if costs is None else np.asarray(costs, dtype=np.float64)
    if price.shape != (k, k):
        raise ValueError(f"costs: expected shape ({k}, {k}), got {price.shape}")
    found, errors = [], int(counts.sum())
    for gold_, said in np.argwhere(counts > 0).tolist():
        count, back = int(counts[gold_, said]), int(counts[said, gold_]) if both_ways else 0
        if (back, -said) > (count, -gold_):
            continue  # told from its more frequent direction, of equals from the earlier label
        total = count * float(price[gold_, said]) + (back * float(price[said, gold_]) if back else 0.0)
        share = proportion("error_share", count + back, errors, level=level)
        both = count + back
        found.append(ConfusedPair(labels[gold_], labels[said], both_ways, both, share, 0.0, total / both, total))
    found.sort(key=lambda pair: (-pair.count, pair.gold, pair.predicted))
    running = np.cumsum([pair.count for pair in found]) / max(errors, 1)
    return [replace(pair, cumulative=float(c)) for pair, c in zip(found, running, strict=True)]


def by_slice(correct: ArrayLike, values: Sequence[object], *, field: str, level: float = 0.95) -> SliceTable:
    """Return accuracy for each value of ``field``, with intervals that hold together and tests that are adjusted.

    Args:
        correct: ``(n,)`` whether each row's decision was right.
        values: n values, compared as text: a label, a language, a length band (``banded``), a group's size.
        field: the field's name; a slice is named ``field=value``.
        level: confidence level of all intervals together (exact intervals, Bonferroni).
    """
    right = checked_flags(correct, name="correct")
    if len(values) != right.size:
        raise ValueError(f"values: expected {right.size}, got {len(values)}")
    checked_level(level)
    names, code = np.unique(np.array([str(value) for value in values], dtype=object), return_inverse=True)
    rows = np.bincount(code, minlength=names.size)
    hits = np.bincount(code[right], minlength=names.size)
    overall = proportion("accuracy", int(right.sum()), right.size, level=level)
    if not names.size:
        return SliceTable(overall, (), level)
    each = simultaneous_level(names.size, level=level)
    p = holm([fisher(int(h), int(r), int(right.sum()), right.size) for h, r in zip(hits, rows, strict=True)])
    accuracies = [
        proportion(
            "accuracy", int(h), int(r), level=each, method="clopper_pearson"
        )  # at such levels Wilson is too short
        for h, r in zip(hits, rows, strict=True)
    ]
    slices = tuple(
        Slice(replace(exact, slice=f"{field}={name}"), float(adjusted))
        for exact, name, adjusted in zip(accuracies, names.tolist(), p, strict=True)
    )
    return SliceTable(overall, slices, level)


def banded(values: ArrayLike, *, edges: Sequence[int]) -> list[str]:
    """Return the band of each whole number, such as a row's tokens or its group's size: ``"00-08"``, ``"09-"``.

    ``edges`` are the last numbers of all bands but the last, rising. Numbers are padded so that text sorts by size.
    """
    inner = np.asarray(edges)
    if inner.ndim != 1 or not inner.size or (np.diff(inner) <= 0).any():
        raise ValueError(f"edges: expected rising whole numbers, got {list(edges)}")
    numbers = np.asarray(values)
    if numbers.size and (numbers.dtype.kind not in "iu" or numbers.min() < 0):
        raise ValueError("values: expected whole numbers of at least 0")
    wide = len(str(int(inner[-1]) + 1))
    lows = [0, *(int(edge) + 1 for edge in inner)]
    names = [f"{low:0{wide}d}-{high:0{wide}d}" for low, high in zip(lows, inner.tolist(), strict=False)]
    names.append(f"{lows[-1]:0{wide}d}-")
    return [names[i] for i in np.searchsorted(inner, numbers, side="left").tolist()]


def fisher(hits: int, rows: int, all_hits: int, all_rows: int) -> float:
    """Return Fisher's exact two-sided p-value that a slice is as often right as the other rows (Fisher 1935).

    The chance of all tables as unlikely as the one found. A slice that is all rows has nothing beside it: 1.
    """
    if not (0 <= hits <= rows <= all_rows and hits <= all_hits and rows - hits <= all_rows - all_hits):
        raise ValueError(f"hits: expected a slice of all rows, got {hits} of {rows} in {all_hits} of {all_rows}")
    least, most = max(0, rows - (all_rows - all_hits)), min(rows, all_hits)
    chances = np.array(
        [_log_ways(all_hits, j) + _log_ways(all_rows - all_hits, rows - j) for j in range(least, most + 1)]
    )
    chances = np.exp(chances - chances.max())
    as_unlikely = chances <= chances[hits - least] * (1 + TIED)
    return min(1.0, float(chances[as_unlikely].sum() / chances.sum()))


def _log_ways(n: int, j: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(j + 1) - math.lgamma(n - j + 1)
