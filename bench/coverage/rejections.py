"""How often each test rejects what is true at 5 %, and what a fixed limit would reject instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from bench.coverage.worlds import CONFUSION, PRIOR, K, two_models

from interlock.measure.calibration import equal_mass_bins, gap
from interlock.measure.classifier_drift import classifier_drift
from interlock.measure.compare import mcnemar, permutation
from interlock.measure.confidence import calibration_errors, consistency_p
from interlock.measure.confusion import by_slice
from interlock.measure.drift import g_test, label_drift
from interlock.measure.embedding_drift import embedding_drift
from interlock.measure.proportion import wilson

LEVEL = 0.05
LIMIT = 0.03  # a usual limit on the calibration error


@dataclass(frozen=True)
class Trial:
    """One test where nothing is wrong."""

    test: str
    n: int
    world: str
    rejects: Callable[[np.random.Generator], bool]
    fraction: float = 1.0  # of the trials asked for: what takes long is tried less often
    honest: bool = True  # whether it promises to reject at most 5 %


def calibrated(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    stated = rng.uniform(0.5, 1.0, n)
    return stated, rng.random(n) < stated


def plain_ece(rng: np.random.Generator, n: int) -> float:
    stated, hits = calibrated(rng, n)
    return float(gap(np.bincount(equal_mass_bins(stated, bins=15), weights=stated - hits), n))


def low_bound(rng: np.random.Generator, n: int, name: str) -> float:
    return calibration_errors(*calibrated(rng, n), resamples=200, seed=int(rng.integers(1 << 30)))[name].low


def consistent(rng: np.random.Generator, n: int) -> bool:
    return consistency_p(*calibrated(rng, n), resamples=199, seed=int(rng.integers(1 << 30))) <= LEVEL


def equal_models(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = two_models(rng, n)
    swapped = rng.random(n) < 0.5
    return np.where(swapped, b, a), np.where(swapped, a, b)


def same_slices(rng: np.random.Generator, n: int) -> bool:
    return bool(by_slice(rng.random(n) < 0.9, rng.integers(0, 8, n).tolist(), field="lang").proven)


def counts(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    shares = PRIOR @ CONFUSION
    return rng.multinomial(n, shares), rng.multinomial(n, shares)


def beyond_limit(rng: np.random.Generator, n: int) -> bool:
    drift = label_drift(*counts(rng, n), resamples=2)
    return drift.plain["psi"] > drift.limits["psi"]


def embeddings(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(n, 8)), rng.normal(size=(n, 8))


TRIALS = [
    Trial("calibration error above 0.03", 500, "calibrated", lambda rng: plain_ece(rng, 500) > LIMIT, honest=False),
    *(
        Trial(
            "its low bound above 0.03",
            500,
            f"calibrated, {name}",
            lambda rng, name=name: low_bound(rng, 500, name) > LIMIT,
            0.1,
        )  # type: ignore[misc]
        for name in ("ece_10", "ece_mass_15", "ece_debiased")
    ),
    *(Trial("consistency", n, "calibrated", lambda rng, n=n: consistent(rng, n)) for n in (50, 500, 2000)),  # type: ignore[misc]
    Trial("McNemar, exact", 300, "equal models", lambda rng: mcnemar(*equal_models(rng, 300)) <= LEVEL),
    Trial("McNemar, mid-p", 300, "equal models", lambda rng: mcnemar(*equal_models(rng, 300), method="mid_p") <= LEVEL),
    Trial("permutation", 300, "equal models", lambda rng: permutation(*equal_models(rng, 300), resamples=199) <= LEVEL),
    Trial("worst slice, Holm", 800, "8 equal slices", lambda rng: same_slices(rng, 800), 0.2),
    Trial("G-test of labels", 2000, f"{K} labels, rare 5 %", lambda rng: g_test(*counts(rng, 2000)) <= LEVEL),
    Trial("PSI above its null limit", 2000, f"{K} labels", lambda rng: beyond_limit(rng, 2000), 0.5),
    Trial(
        "kernel distance",
        50,
        "equal normals, d 8",
        lambda rng: embedding_drift(*embeddings(rng, 50), permutations=99).drifted(),
        0.5,
    ),
    Trial(
        "classifier, two samples",
        50,
        "equal normals, d 8",
        lambda rng: classifier_drift(*embeddings(rng, 50), permutations=99).drifted(),
        0.5,
    ),
]


@dataclass(frozen=True)
class Rejected:
    """What the trials found."""

    share: float
    low: float  # Wilson, 95 %
    high: float
    trials: int


def try_out(trial: Trial, *, trials: int, seed: int = 0) -> Rejected:
    """Run a trial many times."""
    rng, count = np.random.default_rng(seed), max(int(trials * trial.fraction), 1)
    rejected = sum(trial.rejects(rng) for _ in range(count))
    return Rejected(rejected / count, *wilson(rejected, count), count)
