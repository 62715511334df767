"""What a label's rows weigh, and how fast what learns. Knows no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from interlock.train.recipe import Decay, Weights

BETA = 0.999  # of the effective number of rows


def class_weights(
    counts: Mapping[str, int], order: Sequence[str], *, kind: Weights = "inverse"
) -> npt.NDArray[np.float32]:
    """Return class weights in ``order``, scaled so that the mean weight of a row is 1.

    Args:
        counts: label -> training rows.
        order: the labels in column order; one that no row carries gets weight 0.
        kind: ``inverse`` frequency, the inverse ``effective`` number of rows (1 - b^n) / (1 - b) with b = 0.999 (Cui
            et al. 2019), or ``none``; ``auto`` is decided before (``settle``).
    """
    rows = np.array([counts.get(label, 0) for label in order], dtype=np.float64)
    with np.errstate(divide="ignore"):
        raw = {
            "inverse": 1 / rows,
            "effective": (1 - BETA) / (1 - BETA**rows),
            "none": np.ones_like(rows),
        }[kind]
    raw = np.where(rows > 0, raw, 0.0)
    mean: float = float((raw * rows).sum() / rows.sum())
    return (raw / mean).astype(np.float32)


def repeats(counts: Mapping[str, int], *, oversample: float) -> dict[str, float]:
    """Return how often an epoch shows a row of each label: (most / count) ** oversample, so 0 shows each row once."""
    most = max(counts.values(), default=0)
    return {label: (most / count) ** oversample for label, count in counts.items() if count}


def rarest(counts: Mapping[str, int], order: Sequence[str], *, share: float = 0.1) -> list[int]:
    """Return the columns of the labels with the fewest rows: a ``share`` of all labels, at least one."""
    columns = sorted(range(len(order)), key=lambda column: (counts.get(order[column], 0), column))
    return columns[: max(1, round(share * len(order)))]


def layer_rate(top: float, decay: float, layers_below_top: int) -> float:
    """Return a layer's learning rate: top * decay ** distance (Howard & Ruder 2018, discriminative fine-tuning)."""
    return top * decay**layers_below_top


def schedule(step: int, *, total: int, warmup: int, decay: Decay = "linear") -> float:
    """Return the share of the peak rate at ``step`` (from 1).

    A linear rise over ``warmup`` steps, then a linear or cosine (Loshchilov & Hutter 2017) fall to 0 at ``total``.
    """
    if step <= warmup:
        return step / warmup
    left = max(0.0, (total - step) / max(1, total - warmup))
    return left if decay == "linear" else (1 - math.cos(math.pi * left)) / 2
