"""Choose a calibrator by what it does on rows it never saw. Knows nothing of files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from interlock.calibrate.crossfit import LEAST_FOLDS, crossfit, crossfit_scores
from interlock.calibrate.kinds import LOGIT_FITS, SCORE_FITS
from interlock.calibrate.rows import Flags, Floats, checked_logits, checked_scores
from interlock.predict.calibrators import Calibrator, ConfidenceCalibrator

ROWS_A_LABEL, MOST_LABELS = 5, 200  # vector scaling fits two numbers a label, at a cost that grows with their cube
SMALLEST = float(np.finfo(np.float64).eps)  # keeps the loss of a row finite
Kind = TypeVar("Kind", bound=Calibrator)


@dataclass(frozen=True)
class Choice(Generic[Kind]):
    """The calibrator chosen, fitted on all rows, and the mean cross-fitted NLL of every candidate."""

    kind: str
    calibrator: Kind
    nll: Mapping[str, float]


def choose(logits: npt.ArrayLike, gold: npt.ArrayLike, *, folds: int = 5, seed: int = 0) -> Choice[Calibrator]:
    """Choose among ``LOGIT_FITS`` by the NLL of the right label; see ``simplest`` for the rule.

    Vector scaling is not tried with under 5 rows a label or over 200 labels.

    Args:
        logits: (n rows, k labels), finite. One row leaves nothing to choose by: raw.
        gold: (n,) columns of the right labels.
        folds: of the cross-fitting.
        seed: of the folds.

    Raises:
        InputError: the arrays are not that.
    """
    z, labels = checked_logits(logits, gold)
    losses = {}
    few = len(z) < ROWS_A_LABEL * z.shape[1] or z.shape[1] > MOST_LABELS
    tried = [kind for kind in LOGIT_FITS if not (kind == "vector" and few)]
    for kind in tried if len(z) >= LEAST_FOLDS else ():
        p = crossfit(z, labels, kind=kind, folds=folds, seed=seed)
        losses[kind] = -np.log(np.maximum(p[np.arange(len(z)), labels], SMALLEST))
    kind = simplest(losses)
    return Choice(kind, LOGIT_FITS[kind](z, labels), {name: float(rows.mean()) for name, rows in losses.items()})


def choose_for_scores(
    confidence: npt.ArrayLike, correct: npt.ArrayLike, *, folds: int = 5, seed: int = 0
) -> Choice[ConfidenceCalibrator]:
    """Choose among ``SCORE_FITS`` for (n,) confidences in 0-1 and (n,) hits; see ``simplest`` for the rule.

    Raises:
        InputError: the arrays are not that.
    """
    stated, hits = checked_scores(confidence, correct)
    losses = {}
    for kind in SCORE_FITS if stated.size >= LEAST_FOLDS else ():
        losses[kind] = score_losses(crossfit_scores(stated, hits, kind=kind, folds=folds, seed=seed), hits)
    kind = simplest(losses)
    means = {name: float(rows.mean()) for name, rows in losses.items()}
    return Choice(kind, SCORE_FITS[kind](stated, hits), means)


def score_losses(confidence: Floats, correct: Flags) -> Floats:
    """Return each row's negative log-likelihood in nats, at most 36."""
    return np.asarray(-np.log(np.maximum(np.where(correct, confidence, 1 - confidence), SMALLEST)))


def simplest(losses: Mapping[str, Floats]) -> str:
    """Return the first candidate whose loss is within one standard error of the best one's.

    The rule of Breiman et al. (1984, section 3.4.3). Candidates are judged on the same rows, so the standard error is
    that of the paired difference to the best. Without rows the answer is ``raw``.

    Args:
        losses: (n,) row losses by candidate, the simplest candidate first.
    """
    if not losses:
        return "raw"
    best = min(losses, key=lambda name: float(losses[name].mean()))
    for name, rows in losses.items():
        more = rows - losses[best]
        if more.mean() <= more.std(ddof=1) / math.sqrt(more.size):
            return name
    return best
