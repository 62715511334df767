"""Bootstrap intervals of any figure that is a function of sums over rows. Knows nothing of what the rows are.

Accuracy, macro-F1, calibration error, cost, a difference of two models: each is a function of the column sums of a
matrix with one line per row, its sufficient statistics. A resample changes only the sums, so all resamples' sums come
from products of row weights and that matrix, and the figure is computed on all of them at once. The resampling law is
the plain loop's (draw n row numbers with replacement, recompute), not an approximation of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.intervals import interval
from interlock.measure.multinomial import RowWeights
from interlock.measure.proportion import unseen_share

Sums = npt.NDArray[np.float64]
Statistic = Callable[[Sums], npt.NDArray[np.float64]]  # (b resamples, f columns) -> (b,)

BLOCK_BYTES = 400_000  # weights drawn at once: a block stays in a core's cache
PRODUCT = 250_000  # multiply-adds in one matrix product: below this BLAS uses no threads, which lose more than they win
PIECE = 512  # the most rows multiplied at once
ROUNDING = 1e-6  # relative rounding error of a sum; figures that differ by less are the same
WORTH_CELLS = 16  # drawing a cell's count costs about this many times drawing a row's


def resampled_sums(
    rows: npt.ArrayLike,
    *,
    resamples: int = 2000,
    seed: int = 0,
    strata: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
) -> Sums:
    """Return the column sums of each resample of ``rows``.

    Args:
        rows: ``(n rows, f columns)`` sufficient statistics. Two models on the same rows are two sets of columns: that
            is the paired bootstrap.
        resamples: how many resamples, b.
        seed: the same seed gives the same resamples.
        strata: ``(n,)`` stratum of each row; every stratum is resampled to its own size.
        groups: ``(n,)`` group of each row; whole groups are resampled (cluster bootstrap, Davison and Hinkley 1997,
            section 3.8), so add a column of ones where the figure needs the number of rows; each lies in one stratum.

    Returns:
        ``(b, f)`` sums; the relative rounding error is below 1e-6.
    """
    matrix = np.asarray(rows, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] == 0 or not np.isfinite(matrix).all():  # noqa: PLR2004 - a matrix
        raise ValueError(f"rows: expected a finite matrix (n >= 1, f), got shape {matrix.shape}")
    if resamples < 1:
        raise ValueError(f"resamples: expected at least 1, got {resamples}")
    stratum = _codes(strata, len(matrix), "strata")
    if groups is not None:
        matrix, stratum = _grouped(matrix, _codes(groups, len(matrix), "groups"), stratum)
    parts = [matrix[stratum == code] for code in range(int(stratum.max()) + 1)]
    seeds = np.random.SeedSequence(seed).spawn(len(parts))
    parts_sums = [_sums_of_one(*part, resamples) for part in zip(parts, seeds, strict=True)]
    return np.asarray(np.sum(parts_sums, axis=0))


def bootstrap(  # noqa: PLR0913 - one keyword per choice the bootstrap offers
    name: str,
    rows: npt.ArrayLike,
    statistic: Statistic,
    *,
    support: tuple[float, float] = (-np.inf, np.inf),
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: str = "percentile",
    strata: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
) -> Measurement:
    """Return ``statistic`` of the column sums of ``rows`` with its bootstrap interval.

    ``support`` is the range the figure can take; bounds are clipped to it. Where all resamples agree, resampling says
    nothing about rows unseen: with a bounded support the bounds then allow for the share of such rows that n rows may
    have missed (``unseen_share``), else they are NaN.
    """
    matrix = np.asarray(rows, dtype=np.float64)
    if len(matrix) == 0:
        return unmeasured(name)
    units = len(matrix) if groups is None else len(np.unique(np.asarray(groups)))
    value = float(statistic(matrix.sum(axis=0)[None])[0])
    sums = resampled_sums(matrix, resamples=resamples, seed=seed, strata=strata, groups=groups)
    left_out = statistic(leave_one_out(matrix, strata=strata, groups=groups)) if method == "bca" else None
    return from_values(
        name,
        value,
        statistic(sums),
        n=len(matrix),
        support=support,
        level=level,
        method=method,
        left_out=left_out,
        units=units,
    )


def from_values(  # noqa: PLR0913 - as many choices as the bootstrap offers
    name: str,
    value: float,
    values: npt.NDArray[np.float64],
    *,
    n: int,
    support: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
    method: str = "percentile",
    left_out: npt.NDArray[np.float64] | None = None,
    units: int | None = None,
) -> Measurement:
    """Return ``value`` with the interval of its resampled ``values``.

    See ``bootstrap`` for ``support`` and ``interval`` for ``left_out`` and ``units``, which are the n rows when None.
    """
    if np.isnan(value):
        return unmeasured(name, n=n)
    lowest, highest = float(values.min()), float(values.max())
    if lowest == highest or highest - lowest <= ROUNDING * max(1.0, abs(value)):
        low, high = _unvaried(value, n, support, level)
    else:
        low, high = interval(values, value, level=level, method=method, left_out=left_out, units=units or n)
    low, high = min(max(low, support[0]), value), max(min(high, support[1]), value)
    return Measurement(name, value, n, float(low), float(high), level, f"bootstrap_{method}")


def leave_one_out(matrix: Sums, *, strata: npt.ArrayLike | None = None, groups: npt.ArrayLike | None = None) -> Sums:
    """Return the column sums of ``matrix`` without each row, or each of ``groups``, in turn: for method bca."""
    if strata is not None:
        raise ValueError("strata: expected None with method bca, whose acceleration is for one sample")
    if groups is not None:
        none = np.zeros(len(matrix), dtype=np.intp)
        matrix, _ = _grouped(matrix, _codes(groups, len(matrix), "groups"), none)
    return np.asarray(matrix.sum(axis=0) - matrix)


def _unvaried(value: float, n: int, support: tuple[float, float], level: float) -> tuple[float, float]:
    if not np.isfinite(support).all():
        return np.nan, np.nan
    share = unseen_share(n, level=level)
    return value - share * (value - support[0]), value + share * (support[1] - value)


def _codes(values: npt.ArrayLike | None, n: int, name: str) -> npt.NDArray[np.intp]:
    if values is None:
        return np.zeros(n, dtype=np.intp)
    raw = np.asarray(values)
    if raw.shape != (n,):
        raise ValueError(f"{name}: expected shape ({n},), got {raw.shape}")
    return np.asarray(np.unique(raw, return_inverse=True)[1])


def _grouped(
    matrix: Sums, group: npt.NDArray[np.intp], stratum: npt.NDArray[np.intp]
) -> tuple[Sums, npt.NDArray[np.intp]]:
    """Sum the rows of each group, so that a group becomes one row."""
    first = np.unique(group, return_index=True)[1]
    if (stratum != stratum[first][group]).any():
        raise ValueError("groups: expected every group to lie in one stratum, got a group in several")
    sums = np.zeros((len(first), matrix.shape[1]))
    np.add.at(sums, group, matrix)
    return sums, stratum[first]


def _sums_of_one(matrix: Sums, seed: np.random.SeedSequence, resamples: int) -> Sums:
    """Resample one stratum: by the counts of its distinct rows where they are few, else row by row."""
    cells, counts = _distinct(matrix)
    if len(cells) * WORTH_CELLS <= len(matrix) or len(cells) == 1:
        generator = np.random.Generator(np.random.SFC64(seed))
        drawn = generator.multinomial(len(matrix), counts / len(matrix), size=resamples)
        return np.asarray(drawn @ cells)
    return _sums_of_rows(matrix, seed, resamples)


def _distinct(matrix: Sums) -> tuple[Sums, npt.NDArray[np.intp]]:
    """Return the distinct rows and their counts, or every row once where a projection cannot tell them apart.

    Sorting one number per row is far cheaper than sorting rows; equal rows project equally, and it is checked that
    rows that project equally are equal.
    """
    weights = np.random.default_rng(0).random(matrix.shape[1])
    projected = (matrix * weights).sum(axis=1)  # not a matrix product, whose rounding may differ from row to row
    _, first, cell, counts = np.unique(projected, return_index=True, return_inverse=True, return_counts=True)
    if (matrix[first][cell] != matrix).any():
        return matrix, np.ones(len(matrix), dtype=np.intp)
    return matrix[first], counts


def _sums_of_rows(matrix: Sums, seed: np.random.SeedSequence, resamples: int) -> Sums:
    n = len(matrix)
    weights, step = RowWeights.of(n), max(1, BLOCK_BYTES // n)
    pieces = _pieces(matrix, step)
    ends = np.cumsum([0, *(used.size for _, used, _ in pieces)]).tolist()
    owner = np.concatenate([used for _, used, _ in pieces])  # the column each piece's column belongs to
    order = np.argsort(owner, kind="stable")
    columns, starts = np.unique(owner[order], return_index=True)
    sums, generator = np.zeros((resamples, matrix.shape[1])), np.random.Generator(np.random.SFC64(seed))
    # memory is taken once: fresh pages for every block would cost more than all that is done with them
    all_drawn, all_parts = np.empty((step, n), np.float32), np.empty((step, owner.size), np.float32)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn, parts = all_drawn[:size], all_parts[:size]
        weights.draw(generator, out=drawn)
        for (rows, _, piece), at, end in zip(pieces, ends, ends[1:], strict=False):
            np.matmul(drawn[:, rows], piece, out=parts[:, at:end])
        if columns.size:
            sums[start : start + size, columns] = np.add.reduceat(parts[:, order], starts, axis=1, dtype=np.float64)
    return sums


def _pieces(matrix: Sums, step: int) -> list[tuple[slice, npt.NDArray[np.intp], npt.NDArray[np.float32]]]:
    """Cut the rows into pieces small enough for one product with ``step`` resamples, each with its non-zero columns.

    Indicators leave most columns zero in most rows. Rows with the same non-zero columns are put side by side first, so
    that a piece has few of them; the order of rows means nothing to their resampling.
    """
    patterns = np.packbits(matrix != 0, axis=1)
    single = matrix[np.lexsort(patterns.T[::-1])].astype(np.float32)
    pieces, start = [], 0
    while start < len(single):
        size = PIECE
        used = np.flatnonzero(single[start : start + size].any(axis=0))
        while size > 1 and size * step * used.size > PRODUCT:
            size //= 2
            used = np.flatnonzero(single[start : start + size].any(axis=0))
        rows = slice(start, start + size)
        pieces.append((rows, used, np.ascontiguousarray(single[rows][:, used])))
        start += size
    return pieces
