"""The choices of one training run, and the formulas behind them. Knows no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters. The defaults are those of ``docs/decisions/0004-training-recipe.md``."""

    epochs: int = 6
    batch_size: int = 64
    learning_rate: float | None = None  # peak, of the head and the top layer; None means the encoder's own
    layer_decay: float = 0.95  # each layer down learns this much slower
    warmup_share: float = 0.1  # of all steps
    weight_decay: float = 0.01  # biases and norms excepted
    clip_norm: float = 1.0  # global gradient norm
    gamma: float = 1.0  # focal loss focusing; 0 is cross-entropy
    label_smoothing: float = 0.0
    max_tokens: int = 128
    seed: int = 42

    def to_json(self) -> dict[str, Any]:
        """Return every choice by name."""
        return asdict(self)


def class_weights(counts: Mapping[str, int], order: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return inverse-frequency weights in ``order``, scaled so that the mean weight of a row is 1.

    Args:
        counts: label -> training rows.
        order: the labels in column order; one that no row carries gets weight 0.
    """
    inverse = np.array([1 / counts[label] if counts.get(label) else 0.0 for label in order])
    rows = np.array([counts.get(label, 0) for label in order])
    mean: float = float((inverse * rows).sum() / rows.sum())
    return (inverse / mean).astype(np.float32)


def layer_rate(top: float, decay: float, layers_below_top: int) -> float:
    """Return a layer's learning rate: top * decay ** distance (Howard & Ruder 2018, discriminative fine-tuning)."""
    return top * decay**layers_below_top


def schedule(step: int, *, total: int, warmup: int) -> float:
    """Return the share of the peak rate at ``step`` (from 1): a linear rise over ``warmup``, a linear fall to 0."""
    if step <= warmup:
        return step / warmup
    return max(0.0, (total - step) / max(1, total - warmup))
