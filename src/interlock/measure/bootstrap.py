"""Bootstrap intervals of any figure that is a function of sums over rows. Knows nothing of what the rows are.

Accuracy, macro-F1, calibration error, cost, a difference of two models: each is a function of the column sums of a
matrix with one line per row, its sufficient statistics. A resample changes only the sums, so all resamples' sums come
from products of row weights and that matrix, and the figure is computed on all of them at once. The resampling law is
the plain loop's (draw n row numbers with replacement, recompute), not an approximation of it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.intervals import interval
from interlock.measure.multinomial import RowWeights
from interlock.measure.proportion import unseen_share

Sums = npt.NDArray[np.float64]
Statistic = Callable[[Sums], npt.NDArray[np.float64]]  # (b resamples, f columns) -> (b,)

BLOCK_BYTES = 530_000  # counts drawn at once, a byte each: two blocks of their floats stay in the cores' caches
BLOCK = 1000  # the most resamples drawn at once: with more, products of few rows would be too large
PRODUCT = 250_000  # multiply-adds in one matrix product: below this BLAS uses no threads of its own
PIECE = 128  # the most rows multiplied at once
LANES = 2  # independent random streams, one thread each; fixed, so that a seed means the same numbers everywhere
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
    weights, step = RowWeights.of(n), max(1, min(BLOCK_BYTES // n, BLOCK, resamples))
    pieces = _Pieces.of(matrix, step)
    sums = np.zeros((resamples, matrix.shape[1]))

    def fill(lane: int, seed_of_lane: np.random.SeedSequence) -> None:
        generator = np.random.Generator(np.random.SFC64(seed_of_lane))
        # memory is taken once: fresh pages for every block would cost more than all that is done with them
        drawn = np.zeros((step, pieces.rows), np.float32)
        for start in range(lane * step, resamples, LANES * step):
            size = min(step, resamples - start)
            weights.draw(generator, out=drawn[:size])
            sums[start : start + size, pieces.columns] = pieces.sums(drawn[:size])

    with ThreadPoolExecutor(LANES) as pool:
        for lane in [pool.submit(fill, *lane) for lane in enumerate(seed.spawn(LANES))]:
            lane.result()
    return sums


@dataclass(frozen=True)
class _Pieces:
    """The rows cut into pieces of one size, each with its non-zero columns only, to be multiplied in one call.

    Indicators leave most columns zero in most rows. Rows with the same non-zero columns are put side by side first, so
    that a piece has few of them; the order of rows means nothing to their resampling. One call for all pieces lets two
    threads work: short calls would wait for each other.
    """

    values: npt.NDArray[np.float32]  # (pieces, rows, width): the columns of a piece that are not all zero, then zeros
    piece: npt.NDArray[np.intp]  # which piece and place of the width each product is at, sorted by column
    place: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]  # the columns that are not zero everywhere
    starts: npt.NDArray[np.intp]  # where each column's products start

    @classmethod
    def of(cls, matrix: Sums, step: int) -> _Pieces:
        """Cut so that a piece's product with ``step`` resamples is small enough."""
        patterns = np.packbits(matrix != 0, axis=1)
        single = matrix[np.lexsort(patterns.T[::-1])].astype(np.float32)
        size = PIECE
        pieces, used = _cut(single, size)
        while size > 1 and size * step * used.sum(axis=1).max() > PRODUCT:
            size //= 2
            pieces, used = _cut(single, size)
        piece, column = np.nonzero(used)
        place = (np.cumsum(used, axis=1) - 1)[piece, column]
        values = np.zeros((len(pieces), size, max(int(place.max(initial=0)) + 1, 1)), np.float32)
        values[piece, :, place] = pieces[piece, :, column]
        order = np.argsort(column, kind="stable")
        columns, starts = np.unique(column[order], return_index=True)
        return cls(values, piece[order], place[order], columns, starts)

    @property
    def rows(self) -> int:
        """How many rows the pieces hold, the zeros that fill up the last one included."""
        return int(self.values.shape[0] * self.values.shape[1])

    def sums(self, drawn: npt.NDArray[np.float32]) -> Sums:
        """Return ``(b, columns)`` sums of ``(b, rows)`` counts."""
        count, size, _ = self.values.shape
        parts = np.matmul(drawn.reshape(len(drawn), count, size).transpose(1, 0, 2), self.values)
        if not self.columns.size:
            return np.zeros((len(drawn), 0))
        return np.asarray(np.add.reduceat(parts[self.piece, :, self.place], self.starts, axis=0, dtype=np.float64).T)


def _cut(rows: npt.NDArray[np.float32], size: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return ``(pieces, size, f)`` rows, the last piece filled up with zeros, and which columns each piece uses."""
    count = -(-len(rows) // size)
    filled = np.zeros((count * size, rows.shape[1]), np.float32)
    filled[: len(rows)] = rows
    pieces = filled.reshape(count, size, rows.shape[1])
    return pieces, np.asarray(pieces.any(axis=1))
