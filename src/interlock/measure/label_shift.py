"""The labels' shares in unlabelled traffic, if only those shares changed. Knows nothing of why they did."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import FloatArray, IntArray, checked_labels, checked_probabilities, checked_values
from interlock.measure.intervals import interval

Shares = npt.NDArray[np.float64]

SETTLED = 1e-10  # EM stops when no share moves further
ROUNDS = 10_000
CONDITION = 1e8  # a confusion matrix worse than this cannot be inverted: the predictions do not tell labels apart


def from_predictions(
    predicted: IntArray,
    gold: IntArray,
    window_predicted: IntArray,
    *,
    k: int,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> list[Measurement]:
    """Return each label's share in the window, ``share.0`` to ``share.(k-1)``: black box shift estimation.

    Solves ``P(predicted) = P(predicted | gold) share`` (Lipton, Wang and Smola 2018), clips at 0 and scales to sum 1;
    bounds from resampling both samples. Labels that predictions do not tell apart leave all shares unmeasured.

    Args:
        predicted: ``(n,)`` predicted label indices on labelled rows that no fitting used.
        gold: ``(n,)`` their gold labels.
        window_predicted: ``(m,)`` predicted labels of the traffic.
        k: number of labels.
        resamples: bootstrap resamples.
        seed: the same seed gives the same bounds.
        level: confidence level.
    """
    truth = checked_labels(gold, k=k, name="gold")
    said = checked_labels(predicted, k=k, n=truth.size, name="predicted")
    table = np.bincount(said * k + truth, minlength=k * k).reshape(k, k).astype(np.float64)
    seen = np.bincount(checked_labels(window_predicted, k=k, name="window_predicted"), minlength=k).astype(np.float64)
    m = int(seen.sum())
    estimate = _solve(table[None], seen[None])[0] if m and truth.size else np.full(k, np.nan)
    if np.isnan(estimate).any():
        return [unmeasured(f"share.{i}", n=m) for i in range(k)]
    rng = np.random.default_rng(seed)
    tables = rng.multinomial(truth.size, table.ravel() / truth.size, size=resamples).reshape(resamples, k, k)
    drawn = _solve(tables.astype(np.float64), rng.multinomial(m, seen / m, size=resamples).astype(np.float64))
    bounds = [interval(drawn[:, i], float(estimate[i]), level=level) for i in range(k)]
    return [
        Measurement(f"share.{i}", float(estimate[i]), m, low, high, level, "bootstrap_percentile")
        for i, (low, high) in enumerate(bounds)
    ]


def from_probabilities(probabilities: FloatArray, *, prior: FloatArray) -> Shares:
    """Return the ``(k,)`` shares that make ``(n, k)`` calibrated probabilities likeliest, by EM.

    Saerens, Latinne and Decaestecker 2002; consistent where the probabilities are calibrated for ``prior`` (Garg et al.
    2020). ``prior`` is ``(k,)``, the shares the probabilities were calibrated on, each above 0.
    """
    base = _checked_prior(prior)
    p = checked_probabilities(probabilities, labels=base.size)
    if len(p) == 0:
        return np.full(base.size, np.nan)
    share = base
    for _ in range(ROUNDS):
        before, share = share, np.asarray(_corrected(p, share / base, share).mean(axis=0))
        if np.abs(share - before).max() < SETTLED:
            break
    return share


def corrected(probabilities: FloatArray, *, prior: FloatArray, shares: FloatArray) -> Shares:
    """Return ``(n, k)`` probabilities calibrated for ``prior`` turned into ones for ``shares`` (both ``(k,)``)."""
    base = _checked_prior(prior)
    new = checked_values(shares, name="shares", low=0.0, high=1.0, n=base.size)
    return _corrected(checked_probabilities(probabilities, labels=base.size), new / base, new)


def _corrected(p: Shares, ratio: Shares, shares: Shares) -> Shares:
    """Weigh each column and scale rows back to 1; a row that weighs nothing takes the shares."""
    weighted = p * ratio
    total = weighted.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weighted, total, out=np.broadcast_to(shares, weighted.shape).copy(), where=total > 0))


def _solve(tables: Shares, seen: Shares) -> Shares:
    """Solve every ``(b, k, k)`` confusion table (predicted by gold) for ``(b, k)`` window counts; NaN if singular."""
    golds = tables.sum(axis=1, keepdims=True)
    rates = np.divide(tables, golds, out=np.zeros_like(tables), where=golds > 0)
    singular = (golds[:, 0] == 0).any(axis=1) | (np.linalg.cond(rates) > CONDITION)
    rates[singular] = np.eye(rates.shape[1])
    shares = np.linalg.solve(rates, (seen / seen.sum(axis=1, keepdims=True))[..., None])[..., 0].clip(0)
    shares /= shares.sum(axis=1, keepdims=True)
    shares[singular] = np.nan
    return np.asarray(shares)


def _checked_prior(prior: FloatArray) -> Shares:
    shares = checked_values(prior, name="prior", low=0.0, high=1.0)
    if (shares <= 0).any() or not np.isclose(shares.sum(), 1):
        raise ValueError(f"prior: expected shares above 0 that sum to 1, got {shares.tolist()}")
    return shares
