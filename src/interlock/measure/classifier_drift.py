"""Whether a classifier can tell a window's embeddings from a reference's. Knows no model and no cause.

The classifier two-sample test (Lopez-Paz and Oquab 2017, ICLR): if reference and window come from one distribution, no
classifier tells held-out rows apart better than chance. It says by how much, in a unit people read, where the kernel
distance (``embedding_drift``) says only that. The classifier is linear: it sees shifts of means, not of spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import checked_level
from interlock.measure.embedding_drift import Floats, checked_pair, thinned
from interlock.measure.proportion import wilson

FEWEST = 10  # rows of each side, below which a classifier learns nothing that a test could see
NEGLIGIBLE = 1e-12  # relative difference of two statistics that is rounding
AT_ONCE = 4_000_000  # permuted scores held in memory


@dataclass(frozen=True, slots=True)
class ClassifierDrift:
    """How well the sides are told apart."""

    accuracy: Measurement  # balanced, on rows held out: 0.5 is chance; low is at most 0.5 unless drift is shown
    p: float  # that reference and window are exchangeable
    reason: str  # why nothing was measured; empty when something was

    def drifted(self, *, alpha: float = 0.05) -> bool:
        """Whether chance is ruled out at ``alpha``."""
        return self.p <= alpha


def classifier_drift(
    reference: npt.ArrayLike,
    window: npt.ArrayLike,
    *,
    folds: int = 5,
    permutations: int = 500,
    most: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> ClassifierDrift:
    """Compare ``(n, d)`` reference and ``(m, d)`` window embeddings.

    A ridge discriminant on standardised columns scores every row from the other folds' rows. Its scores are linear in
    the sides it is told, so each of the relabellings behind ``p`` is trained and held out anew at the price of one
    product, and the test keeps its level exactly, whatever the rows (Phipson and Smyth 2010 on the added one).

    Args:
        reference: finite, one embedding a row.
        window: finite, of the same width.
        folds: parts held out in turn, at least 2.
        permutations: relabellings behind ``p``, which is at least one over their number plus one.
        most: rows used of each side, drawn at random where there are more.
        seed: the same seed gives the same result.
        level: confidence level.

    Returns:
        The drift; ``accuracy.n`` counts the rows used of both sides. Fewer than ten rows on a side, or rows that are
        all equal, leave it unmeasured with p NaN and say why.

    Raises:
        ValueError: widths differ, or a number is not finite or out of range.
    """
    before, now = checked_pair(reference, window)
    if permutations < 1 or most < FEWEST or not 2 <= folds <= FEWEST:  # noqa: PLR2004 - learn and hold out
        got = f"{permutations=}, {most=}, {folds=}"
        raise ValueError(f"expected permutations >= 1, most >= {FEWEST}, folds in 2..{FEWEST}, got {got}")
    checked_level(level)
    rng = np.random.default_rng(seed)
    before, now = thinned(before, most, rng), thinned(now, most, rng)
    rows, n, m = np.vstack([before, now]), len(before), len(now)
    if min(n, m) < FEWEST:
        return _nothing(n + m, f"expected at least {FEWEST} rows on each side, got {n} and {m}")
    spread = rows.std(axis=0)
    if not (spread > 0).any():
        return _nothing(n + m, "all rows are equal")
    smoother = _smoother((rows - rows.mean(axis=0))[:, spread > 0] / spread[spread > 0], folds, rng)
    side = np.where(np.arange(n + m) < n, -m, n) / (n + m)  # sums to 0, so that a score's sign is a side
    scores = smoother @ side
    told = float(side @ scores)
    reached = sum(
        int((np.einsum("ib,ib->b", drawn, smoother @ drawn) >= told - NEGLIGIBLE * abs(told)).sum())
        for drawn in _relabelled(side, permutations, rng)
    )
    p = (1 + reached) / (1 + permutations)
    value = float(((scores[:n] < 0).mean() + (scores[n:] >= 0).mean()) / 2)
    return ClassifierDrift(_bounded(value, n, m, p=p, level=level), p, "")


def _smoother(columns: Floats, folds: int, rng: np.random.Generator) -> Floats:
    """Return the ``(rows, rows)`` matrix that turns sides into scores, each row's from the rows of other folds.

    Kernel ridge regression with a linear kernel, penalised by the mean eigenvalue of the rows' products, which serves
    more columns than rows as well as fewer.
    """
    size = len(columns)
    products = columns @ columns.T
    fold = rng.permutation(np.arange(size) % folds)
    smoother = np.zeros((size, size))
    for part in range(folds):
        out, kept = np.flatnonzero(fold == part), np.flatnonzero(fold != part)
        inner = products[np.ix_(kept, kept)]
        penalty = max(float(np.trace(inner)) / min(columns.shape), np.finfo(np.float64).tiny)
        inverse = np.linalg.solve(inner + penalty * np.eye(kept.size), products[np.ix_(kept, out)])
        smoother[np.ix_(out, kept)] = inverse.T
    return smoother


def _relabelled(side: Floats, permutations: int, rng: np.random.Generator) -> list[Floats]:
    """Return ``(rows, b)`` blocks of shuffled sides."""
    step = max(1, AT_ONCE // side.size)
    sizes = [min(step, permutations - at) for at in range(0, permutations, step)]
    return [rng.permuted(np.repeat(side[:, None], size, axis=1), axis=0) for size in sizes]


def _bounded(value: float, n: int, m: int, *, p: float, level: float) -> Measurement:
    """Bound by Wilson's interval on the rows that a share of this variance amounts to."""
    effective = 4 / (1 / n + 1 / m)
    low, high = wilson(value * effective, effective, level=level)
    if p >= (1 - level) / 2:
        low = min(low, 0.5)
    return Measurement("domain_accuracy", value, n + m, low, high, level, "wilson_effective")


def _nothing(n: int, reason: str) -> ClassifierDrift:
    return ClassifierDrift(unmeasured("domain_accuracy", n=n), math.nan, reason)
