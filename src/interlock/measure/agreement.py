"""How far several annotators agree beyond chance on nominal labels. Knows nothing of who they are or who is right.

Every figure is a function of sums over rows. In a row u with m_u ratings, n_uc of them of label c, the rating pairs
that agree on c weigh ``o_uc = n_uc (n_uc - 1) / (m_u - 1)``, the diagonal of Krippendorff's coincidence matrix. Rows
with one rating say nothing of agreement and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import IntArray, checked_labels
from interlock.measure.bootstrap import Sums, bootstrap, from_values, resampled_sums

MISSING = -1  # in place of a label: this annotator did not rate this row
PAIR = 2  # ratings of a row that can agree
MARGINS = ("observed_agreement", "fleiss_kappa", "krippendorff_alpha")
BEYOND_CHANCE = (-1.0, 1.0)
NO_OVERLAP = "no row has two ratings"
ONE_LABEL = "only one label was given, so chance alone agrees on every row"
NEVER_GIVEN = "nobody gave this label in a row with two ratings"
ALWAYS_GIVEN = "no other label was given, so chance alone agrees on every row"


@dataclass(frozen=True)
class Agreement:
    """What was measured, and why what is NaN could not be."""

    measurements: Mapping[str, Measurement]
    reasons: Mapping[str, str]  # name -> why its value is NaN


def agreement(
    ratings: IntArray, *, labels: Sequence[str], resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> Agreement:
    """Measure how far annotators agree.

    Args:
        ratings: ``(n rows, m annotators)`` label indices, ``MISSING`` where someone did not rate a row.
        labels: the k label names.
        resamples: bootstrap resamples; rows are resampled, annotators are not.
        seed: the same seed gives the same bounds.
        level: confidence level of every interval.

    Returns:
        ``observed_agreement`` (0-1): the share of a row's pairs of ratings that agree, averaged over rows.
        ``fleiss_kappa`` (Fleiss 1971, Psychological Bulletin 76:378): where rows have unequal numbers of ratings, each
        row's pairs count as one row, and each label's share is its share of all ratings.
        ``krippendorff_alpha`` (nominal; Krippendorff 2004, Content Analysis, chapter 11; 2011, Computing Krippendorff's
        Alpha-Reliability): a row weighs by its ratings.
        ``agreement.LABEL`` (0-1): given that one annotator says LABEL, how probably another does (specific agreement,
        Fleiss 1975, Biometrics 31:651), and ``alpha.LABEL``: alpha of LABEL against all others.
        All but shares lie in -1..1, and 1 is full agreement. Bounds are NaN where so few rows carry a second label that
        some resamples have none of them.

    Raises:
        ValueError: another shape, or a value that is neither a label's index nor ``MISSING``.
    """
    counts = _counts(ratings, k=len(labels))
    if len(counts):
        return _measured(counts, labels, resamples=resamples, seed=seed, level=level)
    names = [*MARGINS, *_label_names(labels)]
    return Agreement({name: unmeasured(name) for name in names}, dict.fromkeys(names, NO_OVERLAP))


def cohen_kappa(
    first: IntArray, second: IntArray, *, k: int, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> Measurement:
    """Return the kappa of two annotators on the rows both rated (Cohen 1960, Ed. Psych. Measurement 20:37).

    ``first`` and ``second`` are ``(n,)`` label indices below ``k``, or ``MISSING``. NaN without a row that both rated,
    and where both give one and the same label throughout.
    """
    one = checked_labels(np.asarray(first) + 1, k=k + 1, name="first")
    two = checked_labels(np.asarray(second) + 1, k=k + 1, n=one.size, name="second")
    both = (one > 0) & (two > 0)
    one, two = one[both] - 1, two[both] - 1
    names = np.eye(k)
    rows = np.column_stack([one == two, np.ones(one.size), names[one], names[two]])
    return bootstrap(
        "cohen_kappa",
        rows,
        lambda sums: _cohen(sums, k),
        support=BEYOND_CHANCE,
        resamples=resamples,
        seed=seed,
        level=level,
    )


def _counts(ratings: IntArray, *, k: int) -> npt.NDArray[np.float64]:
    """Return how often each row with two ratings got each label, (rows, k)."""
    raw = np.asarray(ratings)
    if raw.ndim != 2:  # noqa: PLR2004 - a matrix
        raise ValueError(f"ratings: expected shape (n rows, m annotators), got {raw.shape}")
    given = checked_labels(raw.ravel() + 1, k=k + 1, name="ratings (plus 1)").reshape(raw.shape) - 1
    counts = np.zeros((len(given), k))
    row, annotator = np.nonzero(given != MISSING)
    np.add.at(counts, (row, given[row, annotator]), 1.0)
    return np.asarray(counts[counts.sum(axis=1) >= PAIR])


def _measured(
    counts: npt.NDArray[np.float64], labels: Sequence[str], *, resamples: int, seed: int, level: float
) -> Agreement:
    k, of_row = len(labels), counts.sum(axis=1, keepdims=True)
    agreeing = counts * (counts - 1) / (of_row - 1)
    rows = np.column_stack([agreeing.sum(axis=1) / of_row[:, 0], np.ones(len(counts)), counts, agreeing])
    whole, sums = rows.sum(axis=0)[None], resampled_sums(rows, resamples=resamples, seed=seed)
    values = zip(_figures(whole, k), _figures(sums, k), strict=True)
    names = [*MARGINS, *_label_names(labels)]
    rated = [len(counts)] * len(MARGINS) + 2 * (counts > 0).sum(axis=0).tolist()
    found, reasons = {}, {}
    for name, (value, drawn), n in zip(names, values, rated, strict=True):
        share = name.startswith(("observed", "agreement."))
        support = (0.0, 1.0) if share else BEYOND_CHANCE
        found[name] = from_values(name, float(value[0]), drawn, n=n, support=support, level=level)
        if np.isnan(value[0]):
            per_label = ALWAYS_GIVEN if n else NEVER_GIVEN
            reasons[name] = per_label if name.startswith(("agreement.", "alpha.")) else ONE_LABEL
    return Agreement(found, reasons)


def _label_names(labels: Sequence[str]) -> list[str]:
    return [f"agreement.{label}" for label in labels] + [f"alpha.{label}" for label in labels]


def _figures(sums: Sums, k: int) -> list[npt.NDArray[np.float64]]:
    """Return (b,) figures of (b, 2 + 2k) sums: observed agreement, kappa, alpha, agreement and alpha of each label."""
    observed, counts, agreeing = sums[:, 0] / sums[:, 1], sums[:, 2 : 2 + k], sums[:, 2 + k :]
    ratings = counts.sum(axis=1)
    by_chance = ((counts / ratings[:, None]) ** 2).sum(axis=1)
    disagreeing = counts.sum(axis=1) - agreeing.sum(axis=1)
    expected = (counts * (ratings[:, None] - counts)).sum(axis=1) / (ratings - 1)
    one_against_all = counts * (ratings[:, None] - counts) / (ratings[:, None] - 1)
    return [
        observed,
        _ratio(observed - by_chance, 1 - by_chance),
        1 - _ratio(disagreeing, expected),
        *_ratio(agreeing, counts).T,
        *(1 - _ratio(counts - agreeing, one_against_all)).T,
    ]


def _cohen(sums: Sums, k: int) -> npt.NDArray[np.float64]:
    observed, n = sums[:, 0] / sums[:, 1], sums[:, 1]
    by_chance = (sums[:, 2 : 2 + k] * sums[:, 2 + k :]).sum(axis=1) / n**2
    return _ratio(observed - by_chance, 1 - by_chance)


def _ratio(above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Divide; NaN where nothing stands below but rounding."""
    undefined = np.full(above.shape, np.nan)
    return np.asarray(np.divide(above, below, out=undefined, where=below > 1e-9))  # noqa: PLR2004 - rounding
