"""The detector of several intents, fitted on calibration rows. Knows logits and texts, not models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.calibrate.crossfit import folds_of
from interlock.core.contract import Several
from interlock.core.dataset import CalibrationSet
from interlock.predict.scorer import FloatArray
from interlock.predict.several import Floats, SeveralDetector, signs

MOST = 3  # intents told apart; more are called three
FOLDS = 5
STRENGTH = 1.0  # inverse of the ridge penalty on standardised signs
NEVER = 2.0  # a threshold no probability reaches
FEWEST = 20  # rows with one and with several intents each, below which nothing can be fitted
KEPT_OF_FEW, KEPT_OF_MANY = 0.997, 0.9975  # shares of messages with one intent left alone, unless the contract says
MANY = 2000  # rows with one intent, of which a share of 1 - KEPT_OF_MANY is still five and not the single strangest


@dataclass(frozen=True)
class FittedSeveral:
    """A detector and what it was fitted on."""

    detector: SeveralDetector
    facts: dict[str, Any]


def fit_several(
    calibration: CalibrationSet,
    logits: FloatArray,
    tokens: Sequence[int],
    texts: Sequence[str],
    policy: Several,
    *,
    seed: int = 0,
) -> FittedSeveral | None:
    """Fit the detector; nothing where there are too few rows of either kind.

    The threshold is the contract's, or else the split-conformal quantile of cross-fitted scores: of the next messages
    with one intent a share ``keep_single`` is expected below it, which follows from how many rows there are where the
    contract does not say. With too few rows for that share, no message has several.

    Args:
        calibration: rows with one label and rows with several, such as composed ones.
        logits: (n rows, k labels), from the scorer that will serve.
        tokens: (n,) tokens of each text.
        texts: (n,) as the scorer saw them.
        policy: the contract's.
        seed: of the folds.
    """
    counts = np.minimum([len(row.labels) for row in calibration], MOST)
    single = counts == 1
    if min(single.sum(), (~single).sum()) < FEWEST:
        return None
    rows = np.array([signs(z, tokens=n, text=text) for z, n, text in zip(logits, tokens, texts, strict=True)])
    fold, scores = folds_of(len(rows), folds=FOLDS, seed=seed), np.empty(len(rows))
    for one in range(int(fold.max()) + 1):
        held = fold == one
        scores[held] = 1 - _fitted(rows[~held], counts[~held]).probabilities(rows[held])[:, 0]
    facts: dict[str, Any] = {"rows_with_one": int(single.sum()), "rows_with_several": int((~single).sum())}
    threshold = policy.threshold
    if threshold is None:
        facts["keep_single"] = policy.keep_single or (KEPT_OF_MANY if single.sum() >= MANY else KEPT_OF_FEW)
        threshold = kept(scores[single], share=facts["keep_single"])
    return FittedSeveral(_fitted(rows, counts, threshold), {**facts, "threshold": threshold})


def kept(scores: Floats, *, share: float) -> float:
    """Return the threshold below which a share of new scores is expected (Vovk et al. 2005): a rank of n + 1."""
    rank = math.ceil((len(scores) + 1) * share)
    return float(np.nextafter(np.sort(scores)[rank - 1], math.inf)) if rank <= len(scores) else NEVER


def _fitted(rows: Floats, counts: npt.NDArray[np.int64], threshold: float = NEVER) -> SeveralDetector:
    from sklearn.linear_model import LogisticRegression

    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    model = LogisticRegression(C=STRENGTH, max_iter=2000).fit((rows - mean) / scale, counts)
    weights, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(weights) == 1:  # of two outcomes only the second's weights are kept
        weights, bias = np.vstack([np.zeros_like(weights), weights]), np.array([0.0, bias[0]])
    return SeveralDetector(model.classes_.astype(np.float64), weights, bias, mean, scale, threshold)
