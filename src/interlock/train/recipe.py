"""The choices of one training run. Knows no torch and no formula."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from interlock.core.errors import InputError, Problem

Loss = Literal["focal", "cross_entropy"]
Weights = Literal["auto", "inverse", "effective", "none"]
Decay = Literal["linear", "cosine"]
Keep = Literal["last", "best"]
Track = Literal["full", "partial", "lora", "head"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters. The defaults are those of ``docs/decisions/0004-training-recipe.md``.

    Args:
        epochs: Passes over the training rows; 6, and more where the rows are few, if not given.
        batch_size: Rows per optimiser step.
        micro_batch: Rows computed at once, when memory does not hold a batch; a step adds up as many as it needs.
        learning_rate: Peak rate of the head and the top layer; the encoder's own if not given.
        layer_decay: Each layer down learns this much slower.
        warmup_share: Share of the steps over which the rate rises.
        decay: How the rate falls after that.
        weight_decay: Of matrices; biases and norms have none.
        clip_norm: Largest global gradient norm.
        loss: Focal loss or cross-entropy.
        gamma: Focusing of the focal loss.
        gamma_end: Focusing at the last step, reached linearly; gamma throughout if not given.
        class_weights: Inverse frequency, inverse effective number of rows, or none; auto is inverse, or effective where
            one label has so many of the rows that a row of it would hardly count.
        label_smoothing: Share of each target spread over all labels.
        oversample: How far rare labels are repeated towards the commonest: 0 not at all, 1 until as often.
        rdrop: Weight of the divergence between two passes with different dropout; doubles the time.
        contrast: Weight of the supervised contrastive loss.
        brier: Weight of the squared error of the probabilities, which punishes false confidence.
        checkpointing: Recompute activations instead of keeping them: less memory, more time.
        keep: The last epoch, or the best by macro-F1 on a tenth of the training rows held out for it.
        stop_early: Stop when an epoch brings neither 0.3 points of accuracy nor 0.5 of the rarest labels' recall.
        compose: Messages of several intents made by joining training rows, as a share of the rows; if not given, half
            as many when the contract detects several intents and hardly a row is labelled with several.
        suspects: Weight of rows whose label is likely wrong, as the audit finds them; 1 keeps them, 0 drops them.
        teacher: A folder with a larger trained model, or several with commas between, to learn from.
        teacher_share: Share of the target that the teacher's probabilities make up.
        teacher_temperature: Softens the teacher's probabilities.
        track: What learns: all, the layers above the frozen ones, low-rank additions, or the head alone.
        frozen_layers: Of the partial track, from the bottom.
        lora_rank: Of the lora track.
        extend_vocabulary: Words of the domain, at most, that the tokenizer learns to keep whole; 0 adds none.
        adapt: A file of unlabelled messages that the encoder learns to fill hidden words into, before it sees a label;
            for encoders pretrained on words alone: it makes a sentence encoder such as minilm worse.
        adapt_epochs: Passes over those messages.
        adapt_rate: Peak rate of that; half the encoder's own if not given.
        adapt_mask: Share of the words that is hidden.
        soup: Models trained from one start with seeds that follow each other, and averaged weight by weight.
        seed: Decides the split, the order of the rows and every random start.

    Raises:
        InputError: a value outside its range, with every one that is.
    """

    epochs: int | None = None
    batch_size: int = 64
    micro_batch: int | None = None
    learning_rate: float | None = None
    layer_decay: float = 0.95
    warmup_share: float = 0.1
    decay: Decay = "linear"
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    loss: Loss = "focal"
    gamma: float = 1.0
    gamma_end: float | None = None
    class_weights: Weights = "auto"
    label_smoothing: float = 0.0
    oversample: float = 0.0
    rdrop: float = 4.0
    contrast: float = 0.0
    brier: float = 0.0
    checkpointing: bool = False
    keep: Keep = "last"
    stop_early: bool = False
    compose: float | None = None
    suspects: float = 1.0
    teacher: str | None = None
    teacher_share: float = 0.5
    teacher_temperature: float = 2.0
    track: Track = "full"
    frozen_layers: int = 0
    lora_rank: int = 8
    extend_vocabulary: int = 0
    adapt: str | None = None
    adapt_epochs: int = 1
    adapt_rate: float | None = None
    adapt_mask: float = 0.15
    soup: int = 1
    seed: int = 42

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        problems = [
            Problem("recipe", name, said, repr(getattr(self, name)))
            for name, (low, high, said) in RANGES.items()
            if not _within(getattr(self, name), low, high)
        ]
        if self.soup > 1 and self.track in {"lora", "head"}:
            problems.append(Problem("recipe", "soup", f"1 on the {self.track} track", repr(self.soup)))
        if not problems and self.seed + self.soup - 1 > RANGES["seed"][1]:
            problems.append(Problem("recipe", "seed", f"room for {self.soup} that follow each other", repr(self.seed)))
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
    "compose": (0, 10, "0 to 10"),
    "suspects": (0, 1, "0 to 1"),
    "frozen_layers": (0, 1000, "0 or more"),
    "lora_rank": (1, 4096, "1 or more"),
    "extend_vocabulary": (0, 100_000, "0 to 100,000"),
    "adapt_epochs": (1, 10_000, "1 or more"),
    "adapt_rate": (1e-12, 10, "above 0, at most 10"),
    "adapt_mask": (0.01, 0.9, "0.01 to 0.9"),
    "soup": (1, 20, "1 to 20"),
    "teacher_share": (0, 1, "0 to 1"),
    "teacher_temperature": (0.01, 1000, "0.01 to 1,000"),
    "seed": (0, 2**31 - 1, "0 or more"),
}


def _within(value: float | None, low: float, high: float) -> bool:
    return value is None or bool(low <= value <= high)
