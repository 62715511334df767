"""Probabilities of rows from calibrators that never saw them. Knows nothing of what is measured on them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.calibrate.kinds import LOGIT_FITS, SCORE_FITS
from interlock.calibrate.rows import Floats, checked_logits, checked_scores
from interlock.core.errors import InputError

LEAST_FOLDS = 2


def folds_of(n: int, *, folds: int, seed: int) -> npt.NDArray[np.intp]:
    """Return the (n,) fold of each row: as equal as n allows, at most n of them, by a seeded shuffle.

    Raises:
        InputError: fewer than two rows or folds: no row could be scored by a calibrator that did not see it.
    """
    if min(n, folds) < LEAST_FOLDS:
        raise InputError(f"cross-fitting needs at least two rows and two folds, got {n} rows and {folds} folds")
    order = np.random.default_rng(seed).permutation(n)
    return np.asarray(order % min(folds, n))


def crossfit_scores(
    confidence: npt.ArrayLike, correct: npt.ArrayLike, *, kind: str, folds: int = 5, seed: int = 0
) -> Floats:
    """Return (n,) calibrated confidences, each from a ``kind`` fitted on the other folds.

    Args:
        confidence: (n,) in 0-1, n at least 2.
        correct: (n,) true or false.
        kind: one of ``SCORE_FITS``.
        folds: with fewer rows than folds, every row is a fold.
        seed: the same seed gives the same folds.

    Raises:
        InputError: the arrays are not that.
    """
    stated, hits = checked_scores(confidence, correct)
    if kind == "raw":
        return stated  # nothing is fitted, and a stated 0 or 1 is judged as it was stated
    fold, out = folds_of(stated.size, folds=folds, seed=seed), np.empty(stated.size)
    for one in range(int(fold.max()) + 1):
        held = fold == one
        out[held] = SCORE_FITS[kind](stated[~held], hits[~held]).confidence(stated[held])
    return out


def crossfit(logits: npt.ArrayLike, gold: npt.ArrayLike, *, kind: str, folds: int = 5, seed: int = 0) -> Floats:
    """Return (n, k) calibrated probabilities, each row's from a ``kind`` fitted on the other folds.

    Args:
        logits: (n rows, k labels), finite, n at least 2.
        gold: (n,) columns of the right labels.
        kind: one of ``LOGIT_FITS``.
        folds: with fewer rows than folds, every row is a fold.
        seed: the same seed gives the same folds.

    Raises:
        InputError: the arrays are not that.
    """
    z, labels = checked_logits(logits, gold)
    fold, out = folds_of(len(z), folds=folds, seed=seed), np.empty_like(z)
    for one in range(int(fold.max()) + 1):
        held = fold == one
        out[held] = LOGIT_FITS[kind](z[~held], labels[~held]).probabilities(z[held])
    return out
