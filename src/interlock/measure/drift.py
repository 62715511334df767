"""How far a window's label counts are from a reference's, and how far chance alone would take them. Knows no time.

Distances between two samples of one distribution are not zero: twice the sample size times a divergence is about
chi-squared with k - 1 degrees of freedom, so KL, Jensen-Shannon and PSI have mean ``(k-1) (1/n + 1/m)`` times 1/2, 1/8
and 1. That mean is taken off, and thresholds are that law's quantiles (Paninski 2003; Yurdakul and Naranjo 2020).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import ArrayLike, checked_level, checked_values
from interlock.measure.calibration import bounded
from interlock.measure.distributions import chi_squared_quantile, chi_squared_tail

Counts = npt.NDArray[np.float64]
Distance = Literal["kl", "js", "psi"]

JEFFREYS = 0.5  # added to every label's count on both sides, so that a label unseen on one side stays finite
EXPECTED = 5.0  # below this expected count the chi-squared law is not to be trusted (Cochran 1954)
SCALES: dict[Distance, float] = {"kl": 0.5, "js": 0.125, "psi": 1.0}  # of the chi-squared law


@dataclass(frozen=True, slots=True)
class Drift:
    """The distances of one window, each beside the most that chance would make it."""

    kl: Measurement  # nats, of the window from the reference, bias taken off; n counts the window's rows
    js: Measurement  # nats, at most log 2, bias taken off
    psi: Measurement  # population stability index, bias taken off
    plain: dict[Distance, float]  # the same with their bias, to compare with limits set for those
    bias: dict[Distance, float]  # what chance adds to the plain ones on average
    limits: dict[Distance, float]  # what the plain ones stay below with chance ``level`` when nothing drifted
    p: float  # G-test that both are samples of one distribution
    enough: bool  # every label's expected counts allow the chi-squared law
    unseen: tuple[int, ...]  # labels in the window that the reference never had: an alarm of their own


def label_drift(
    reference: ArrayLike, window: ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Drift:
    """Compare two ``(k labels,)`` vectors of counts.

    Labels that neither side has seen carry no degree of freedom. An empty side leaves the distances unmeasured and
    p at 1.

    Raises:
        ValueError: lengths differ, or a count is negative or not finite.
    """
    before = checked_values(reference, name="reference", low=0.0)
    now = checked_values(window, name="window", low=0.0, n=before.size)
    checked_level(level)
    degrees = int(((before + now) > 0).sum()) - 1
    unseen = tuple(int(i) for i in np.flatnonzero((before == 0) & (now > 0)))
    if before.sum() == 0 or now.sum() == 0:
        nothing = {name: unmeasured(name, n=int(now.sum())) for name in SCALES}
        return Drift(**nothing, plain={}, bias={}, limits={}, p=1.0, enough=False, unseen=unseen)
    noise = 1 / before.sum() + 1 / now.sum()
    quantile = chi_squared_quantile(level, degrees) if degrees > 0 else 0.0
    p = g_test(before, now)
    rng = np.random.default_rng(seed)
    drawn = [rng.multinomial(int(c.sum()), c / c.sum(), size=resamples).astype(np.float64) for c in (before, now)]
    plain = {name: float(DISTANCES[name](before[None], now[None])[0]) for name in SCALES}
    bias = {name: scale * degrees * noise for name, scale in SCALES.items()}
    found = {
        name: bounded(
            name,
            plain[name] - bias[name],
            truth=plain[name],
            resampled=DISTANCES[name](*drawn) - bias[name],
            reached=p,
            n=int(now.sum()),
            level=level,
            most=np.inf,
        )
        for name in SCALES
    }
    limits = {name: scale * noise * quantile for name, scale in SCALES.items()}
    return Drift(**found, plain=plain, bias=bias, limits=limits, p=p, enough=_enough(before, now), unseen=unseen)


def kl(reference: Counts, window: Counts) -> Counts:
    """Return the plug-in Kullback-Leibler divergence of ``(b, k)`` window counts from reference counts, in nats."""
    p, q = _shares(window, JEFFREYS), _shares(reference, JEFFREYS)
    return np.asarray((p * np.log(p / q)).sum(axis=-1))


def psi(reference: Counts, window: Counts) -> Counts:
    """Return the population stability index of ``(b, k)`` counts: the KL divergences both ways, added."""
    p, q = _shares(window, JEFFREYS), _shares(reference, JEFFREYS)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def js(reference: Counts, window: Counts) -> Counts:
    """Return the Jensen-Shannon divergence of ``(b, k)`` counts in nats, at most log 2; unseen labels need no help."""
    p, q = _shares(window, 0.0), _shares(reference, 0.0)
    middle = (p + q) / 2
    parts = [np.log(np.divide(s, middle, out=np.ones_like(s), where=s > 0)) * s for s in (p, q)]
    return np.asarray((parts[0] + parts[1]).sum(axis=-1) / 2)


DISTANCES: dict[Distance, Callable[[Counts, Counts], Counts]] = {"kl": kl, "js": js, "psi": psi}


def g_test(reference: ArrayLike, window: ArrayLike) -> float:
    """Return the p-value that two ``(k,)`` vectors of counts come from one distribution (Sokal and Rohlf 1981)."""
    before = checked_values(reference, name="reference", low=0.0)
    table = np.array([before, checked_values(window, name="window", low=0.0, n=before.size)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():  # noqa: PLR2004 - one label leaves nothing to compare
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    ratio = np.divide(table, expected, out=np.ones_like(table), where=table > 0)
    return chi_squared_tail(2 * float((table * np.log(ratio)).sum()), table.shape[1] - 1)


def _shares(counts: Counts, added: float) -> Counts:
    grown = counts + added
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))


def _enough(before: Counts, now: Counts) -> bool:
    seen = (before + now) > 0
    pooled = (before + now)[seen] / (before.sum() + now.sum())
    return bool((pooled * min(before.sum(), now.sum())).min() >= EXPECTED)
