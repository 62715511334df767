"""The choices of one training run. Knows no torch and no formula."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from interlock.core.errors import InputError, Problem

Loss = Literal["focal", "cross_entropy"]
Weights = Literal["inverse", "effective", "none"]
Decay = Literal["linear", "cosine"]
Keep = Literal["last", "best"]
Track = Literal["auto", "full", "partial", "lora", "head"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters. The defaults are those of ``docs/decisions/0004-training-recipe.md``.

    Raises:
        InputError: a value outside its range, with every one that is.
    """

    epochs: int = 6
    batch_size: int = 64
    micro_batch: int | None = None  # rows computed at once; a step adds up as many as the batch needs
    learning_rate: float | None = None  # peak, of the head and the top layer; None means the encoder's own
    layer_decay: float = 0.95  # each layer down learns this much slower
    warmup_share: float = 0.1  # of all steps
    decay: Decay = "linear"
    weight_decay: float = 0.01  # biases and norms excepted
    clip_norm: float = 1.0  # global gradient norm
    loss: Loss = "focal"
    gamma: float = 1.0  # focal loss focusing
    gamma_end: float | None = None  # reached linearly at the last step; None keeps gamma
    class_weights: Weights = "inverse"
    label_smoothing: float = 0.0
    oversample: float = 0.0  # how far rare labels are repeated towards the commonest: 0 not at all, 1 as often
    rdrop: float = 0.0  # weight of the divergence between two passes with different dropout
    contrast: float = 0.0  # weight of the supervised contrastive loss
    brier: float = 0.0  # weight of the squared error of the probabilities, which punishes false confidence
    checkpointing: bool = False  # recompute activations instead of keeping them: less memory, more time
    keep: Keep = "last"  # best: the epoch with the highest macro-F1 on rows held out of training
    stop_early: bool = False  # when neither accuracy nor the worst label's recall improves enough
    suspects: float = 1.0  # weight of rows whose label a cross-fitted linear model finds wrong; 0 drops them
    track: Track = "full"
    frozen_layers: int = 0  # of the partial track, from the bottom
    lora_rank: int = 8
    max_tokens: int = 128
    seed: int = 42

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        problems = [
            Problem("recipe", name, said, repr(getattr(self, name)))
            for name, (low, high, said) in RANGES.items()
            if not _within(getattr(self, name), low, high)
        ]
        if problems:
            raise InputError("the recipe does not make sense", problems)

    @property
    def chooses(self) -> bool:
        """Whether an epoch is chosen by what held-out rows say of it."""
        return self.keep == "best" or self.stop_early

    def to_json(self) -> dict[str, Any]:
        """Return every choice by name."""
        return asdict(self)


RANGES: dict[str, tuple[float, float, str]] = {  # name -> least, most, in words
    "epochs": (1, 10_000, "1 or more"),
    "batch_size": (1, 1_000_000, "1 or more"),
    "micro_batch": (1, 1_000_000, "1 or more"),
    "learning_rate": (1e-12, 10, "above 0, at most 10"),
    "layer_decay": (1e-6, 1, "above 0, at most 1"),
    "warmup_share": (0, 1, "0 to 1"),
    "weight_decay": (0, 10, "0 or more"),
    "clip_norm": (1e-12, math.inf, "above 0"),
    "gamma": (0, 100, "0 or more"),
    "gamma_end": (0, 100, "0 or more"),
    "label_smoothing": (0, 0.99, "0 to 0.99"),
    "oversample": (0, 1, "0 to 1"),
    "rdrop": (0, 1000, "0 or more"),
    "contrast": (0, 1000, "0 or more"),
    "brier": (0, 1000, "0 or more"),
    "suspects": (0, 1, "0 to 1"),
    "frozen_layers": (0, 1000, "0 or more"),
    "lora_rank": (1, 4096, "1 or more"),
    "max_tokens": (3, 512, "3 to 512"),
    "seed": (0, 2**31 - 1, "0 or more"),
}


def _within(value: float | None, low: float, high: float) -> bool:
    return value is None or bool(low <= value <= high)
