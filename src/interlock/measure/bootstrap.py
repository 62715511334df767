"""Bootstrap intervals of any figure that is a function of sums over rows. Knows nothing of what the rows are.

Accuracy, macro-F1, calibration error, cost, a difference of two models: each is a function of the column sums of a
matrix with one line per row, its sufficient statistics. A resample changes only the sums, so all resamples' sums come
from products of row weights and that matrix, and the figure is computed on all of them at once. The resampling law is
the plain loop's (draw n row numbers with replacement, recompute), not an approximation of it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import checked_level
from interlock.measure.multinomial import RowWeights
from interlock.measure.proportion import unseen_share

Sums = npt.NDArray[np.float64]
Statistic = Callable[[Sums], npt.NDArray[np.float64]]  # (b resamples, f columns) -> (b,)

BLOCK_BYTES = 400_000  # weights drawn at once: a block stays in a core's cache
PRODUCT = 250_000  # multiply-adds in one matrix product: below this BLAS uses no threads of its own
PIECE = 512  # the most rows multiplied at once
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


def interval(
    values: npt.NDArray[np.float64],
    estimate: float,
    *,
    level: float = 0.95,
    method: str = "percentile",
    left_out: npt.NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Return the interval that the ``(b,)`` resampled ``values`` give around ``estimate``.

    ``method`` is ``"percentile"``, ``"basic"`` (both Davison and Hinkley 1997, section 5.2) or ``"bca"`` (Efron 1987,
    JASA 82:171), which also needs ``left_out``: the figure recomputed without each row or group in turn. A NaN among
    the values gives NaN bounds.
    """
    checked_level(level)
    ordered = np.sort(values)
    if np.isnan(ordered[-1]) or np.isnan(estimate):
        return np.nan, np.nan
    tails = (1 - level) / 2, (1 + level) / 2
    if method == "bca":
        if left_out is None:
            raise ValueError("left_out: expected the leave-one-out values for method bca, got None")
        tails = _bca_tails(ordered, estimate, left_out, tails)
    elif method not in {"percentile", "basic"}:
        raise ValueError(f"method: expected percentile, basic or bca, got {method!r}")
    low, high = (_quantile(ordered, tail) for tail in tails)
    return (2 * estimate - high, 2 * estimate - low) if method == "basic" else (low, high)


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
    value = float(statistic(matrix.sum(axis=0)[None])[0])
    sums = resampled_sums(matrix, resamples=resamples, seed=seed, strata=strata, groups=groups)
    left_out = statistic(_left_out(matrix, strata, groups)) if method == "bca" else None
    return from_values(
        name, value, statistic(sums), n=len(matrix), support=support, level=level, method=method, left_out=left_out
    )


def from_values(
    name: str,
    value: float,
    values: npt.NDArray[np.float64],
    *,
    n: int,
    support: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
    method: str = "percentile",
    left_out: npt.NDArray[np.float64] | None = None,
) -> Measurement:
    """Return ``value`` with the interval of its resampled ``values``; see ``bootstrap`` for ``support``."""
    if np.isnan(value):
        return unmeasured(name, n=n)
    lowest, highest = float(values.min()), float(values.max())
    if lowest == highest or highest - lowest <= ROUNDING * max(1.0, abs(value)):
        low, high = _unvaried(value, n, support, level)
    else:
        low, high = interval(values, value, level=level, method=method, left_out=left_out)
    low, high = float(max(low, support[0])), float(min(high, support[1]))
    return Measurement(name, value, n, low, high, level, f"bootstrap_{method}")


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


def _left_out(matrix: Sums, strata: npt.ArrayLike | None, groups: npt.ArrayLike | None) -> Sums:
    if strata is not None:
        raise ValueError("strata: expected None with method bca, whose acceleration is for one sample")
    if groups is not None:
        none = np.zeros(len(matrix), dtype=np.intp)
        matrix, _ = _grouped(matrix, _codes(groups, len(matrix), "groups"), none)
    return np.asarray(matrix.sum(axis=0) - matrix)


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
    sums = np.zeros((resamples, matrix.shape[1]))

    def fill(lane: int, seed_of_lane: np.random.SeedSequence) -> None:
        generator = np.random.Generator(np.random.SFC64(seed_of_lane))
        # memory is taken once: fresh pages for every block would cost more than all that is done with them
        all_drawn, all_parts = np.empty((step, n), np.float32), np.empty((step, owner.size), np.float32)
        for start in range(lane * step, resamples, LANES * step):
            size = min(step, resamples - start)
            drawn, parts = all_drawn[:size], all_parts[:size]
            weights.draw(generator, out=drawn)
            for (rows, _, piece), at, end in zip(pieces, ends, ends[1:], strict=False):
                np.matmul(drawn[:, rows], piece, out=parts[:, at:end])
            if columns.size:
                sums[start : start + size, columns] = np.add.reduceat(parts[:, order], starts, axis=1, dtype=np.float64)

    with ThreadPoolExecutor(LANES) as pool:
        for lane in [pool.submit(fill, *lane) for lane in enumerate(seed.spawn(LANES))]:
            lane.result()
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


def _quantile(ordered: npt.NDArray[np.float64], share: float) -> float:
    """Return an order statistic: nothing is interpolated, so infinite values stay what they are."""
    rank = int(np.ceil(round(share * ordered.size, 6)))  # rounded: (1 - 0.95) / 2 is a hair above 0.025
    return float(ordered[min(max(rank, 1), ordered.size) - 1])


def _bca_tails(
    ordered: npt.NDArray[np.float64],
    estimate: float,
    left_out: npt.NDArray[np.float64],
    tails: tuple[float, float],
) -> tuple[float, float]:
    normal = NormalDist()
    below = (np.searchsorted(ordered, estimate, "left") + np.searchsorted(ordered, estimate, "right")) / 2
    bias = normal.inv_cdf(min(max(below, 0.5), ordered.size - 0.5) / ordered.size)
    acceleration = 0.0
    if np.isfinite(left_out).all() and np.ptp(left_out) > 0:
        spread = left_out.mean() - left_out
        acceleration = float((spread**3).sum() / (6 * (spread**2).sum() ** 1.5))
    shifted = [bias + normal.inv_cdf(tail) for tail in tails]
    low, high = (normal.cdf(bias + z / (1 - acceleration * z)) for z in shifted)
    return low, high
