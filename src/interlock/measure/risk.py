"""Bounds on a risk that hold whatever the model and the data are: tests of thresholds, and label sets. Knows no policy.

All need exchangeable rows that neither the model nor its calibrator was fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.measure.arrays import ArrayLike, checked_flags, checked_labels, checked_probabilities, checked_values
from interlock.measure.proportion import binomial_cdf

Floats = npt.NDArray[np.float64]
STARTS = 5  # places in a sequence of tests where testing begins


def binomial_p(wrong: int, n: int, *, most: float) -> float:
    """Return the p-value against "the share of wrong rows is above ``most``": P(X <= wrong), X binomial(n, most).

    Exact for losses of 0 or 1; no rows prove nothing (1).

    Args:
        wrong: 0..n.
        n: rows.
        most: strictly between 0 and 1.
    """
    _check_share(most, "most")
    if not 0 <= wrong <= n:
        raise ValueError(f"wrong: expected 0..{n}, got {wrong}")
    return float(binomial_cdf(n, most)[wrong]) if n else 1.0


def hoeffding_bentkus_p(mean: float, n: int, *, most: float) -> float:
    """Return the p-value against "the mean loss is above ``most``" for losses in 0-1 with this ``mean`` over n rows.

    The smaller of Hoeffding's exp(-n kl(mean, most)) and Bentkus's e P(X <= ceil(n mean)), X binomial(n, most)
    (Bates et al. 2021, Journal of the ACM 68:43).
    """
    _check_share(most, "most")
    if not 0 <= mean <= 1:
        raise ValueError(f"mean: expected 0-1, got {mean}")
    if not n:
        return 1.0
    low = min(mean, most)
    kl = (low * math.log(low / most) if low > 0 else 0.0) + (1 - low) * math.log((1 - low) / (1 - most))
    bentkus = math.e * float(binomial_cdf(n, most)[min(math.ceil(round(n * mean, 9)), n)])
    return min(1.0, math.exp(-n * kl), bentkus)


def fixed_sequence(p_values: Sequence[float], *, error: float, starts: int = STARTS) -> list[int]:
    """Return which hypotheses fall when tested in an order that was fixed beforehand, the safest first.

    Testing begins at ``starts`` evenly spaced places, each with its share of ``error``, and goes on until a test does
    not reject (Learn then Test with multi-start fixed sequences; Angelopoulos et al. 2021). With a chance of at least
    1 - ``error`` nothing true falls. NaN never rejects.
    """
    _check_share(error, "error")
    begins = sorted({round(start * len(p_values) / starts) for start in range(starts)}) if len(p_values) else []
    fallen: set[int] = set()
    for begin in begins:
        for place in range(begin, len(p_values)):
            if not p_values[place] <= error / len(begins):
                break
            fallen.add(place)
    return sorted(fallen)


def controlled_threshold(confidence: ArrayLike, wrong: ArrayLike, *, most: float) -> float:
    """Return the lowest threshold at which the next message is accepted and wrong with a chance of at most ``most``.

    Conformal risk control (Angelopoulos et al. 2024) for the loss "accepted and wrong", which never grows with the
    threshold: the lowest with (n loss + 1) / (n + 1) <= most. Infinite where none promises that: accept nothing.

    Args:
        confidence: (n,) in 0-1; a row is accepted at or above the threshold.
        wrong: (n,) whether accepting the row would be wrong.
        most: strictly between 0 and 1.
    """
    _check_share(most, "most")
    stated = checked_values(confidence, name="confidence", low=0.0, high=1.0)
    bad = checked_flags(wrong, name="wrong", shape=stated.shape)
    allowed = math.floor(round(most * (stated.size + 1) - 1, 9))  # wrong rows that may be accepted
    if allowed < 0:
        return math.inf
    falling = np.sort(stated[bad])[::-1]
    return float(np.nextafter(falling[allowed], math.inf)) if allowed < falling.size else 0.0


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Sets of labels that hold the right one with a promised chance: every label at or above its bound."""

    least: Floats  # (k labels,) probability from which a label is in the set; -inf where the rows promise nothing

    def sets(self, probabilities: ArrayLike) -> npt.NDArray[np.bool_]:
        """Return (n, k) which labels each row's set holds; a row whose probabilities are none holds all."""
        p = np.asarray(probabilities, dtype=np.float64)
        return np.asarray(~(p < self.least), dtype=np.bool_)


def fit_label_sets(probabilities: ArrayLike, gold: ArrayLike, *, coverage: float, by_label: bool = False) -> LabelSets:
    """Return label sets that hold the right label of the next message with a chance of at least ``coverage``.

    Split conformal prediction with the score 1 - p of the right label (Sadinle et al. 2019): the bound is the
    floor((n + 1)(1 - coverage))-th smallest probability of a right label; with too few rows for that every label is in.

    Args:
        probabilities: (n, k), rows sum to 1.
        gold: (n,) columns of the right labels.
        coverage: strictly between 0 and 1.
        by_label: promise it for the messages of each label apart, from that label's rows (class-conditional).
    """
    _check_share(coverage, "coverage")
    p = checked_probabilities(probabilities)
    right = checked_labels(gold, k=p.shape[1], n=len(p), name="gold")
    of_right = p[np.arange(len(p)), right]
    if by_label:
        return LabelSets(np.array([_bound(of_right[right == label], coverage) for label in range(p.shape[1])]))
    return LabelSets(np.full(p.shape[1], _bound(of_right, coverage)))


def _bound(of_right: Floats, coverage: float) -> float:
    rank = math.floor(round((len(of_right) + 1) * (1 - coverage), 9))
    return float(np.sort(of_right)[rank - 1]) if rank >= 1 else -math.inf


def _check_share(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name}: expected a number strictly between 0 and 1, got {value}")
