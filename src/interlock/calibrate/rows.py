"""The rows that calibrators are fitted on, checked. Knows nothing of how they are fitted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.core.errors import InputError
from interlock.predict.calibrators import softmax

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]


def checked_scores(confidence: npt.ArrayLike, correct: npt.ArrayLike) -> tuple[Floats, Flags]:
    """Return (n,) confidences in 0-1 and (n,) hits, n at least 1.

    Raises:
        InputError: no rows, another shape, a confidence that is no number in 0-1, a hit that is neither true nor false.
    """
    stated, hits = np.asarray(confidence, dtype=np.float64), np.asarray(correct)
    if stated.ndim != 1 or hits.shape != stated.shape or not stated.size:
        raise InputError(f"expected as many confidences as hits, at least one, got {stated.shape} and {hits.shape}")
    good = (stated >= 0) & (stated <= 1)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise InputError(f"expected confidences in 0-1, got {stated[row]} in row {row}")
    if hits.dtype.kind != "b" and not np.isin(hits, (0, 1)).all():
        raise InputError(f"expected correct as true or false, got other values ({hits.dtype})")
    return stated, hits.astype(np.bool_)


def checked_logits(logits: npt.ArrayLike, gold: npt.ArrayLike) -> tuple[Floats, Labels]:
    """Return (n rows, k labels) finite logits and (n,) columns of the right labels, n and k at least 1.

    Raises:
        InputError: no rows, another shape, logits that are not finite, a label outside 0..k-1.
    """
    z, labels = np.asarray(logits, dtype=np.float64), np.asarray(gold)
    if z.ndim != 2 or not z.size or labels.shape != z.shape[:1]:  # noqa: PLR2004 - a matrix
        raise InputError(f"expected logits (n, k) and n labels, at least one, got {z.shape} and {labels.shape}")
    if not np.isfinite(z).all():
        raise InputError("calibration needs finite logits, got NaN or infinity")
    if labels.dtype.kind not in "iu" or not ((labels >= 0) & (labels < z.shape[1])).all():
        raise InputError(f"expected labels in 0..{z.shape[1] - 1}, got {labels.dtype} {labels.min()}..{labels.max()}")
    return z, labels.astype(np.int64)


def top_scores(logits: Floats, gold: Labels) -> tuple[Floats, Flags]:
    """Return the (n,) confidences of the first labels of (n, k) logits, and whether each is right."""
    return np.asarray(softmax(logits).max(axis=1)), np.asarray(logits.argmax(axis=1) == gold)
