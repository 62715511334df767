"""Warnings while training, each with the decision it asks for. Knows step-log lines, not models."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

CLIPPED_SHARE, CLIPPED_STEPS = 0.15, 200  # of the first steps
EXPLOSION, WINDOWS = 3.0, 3  # times the mean of the windows before
RISING = 2  # epochs in a row
FLAT_RECALL, FLAT_EPOCHS = 0.5, 3
INPUT_SHARE = 0.3  # of a window's time


class Watchdog:
    """Reads every line of the step log; says each warning once."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        """Give warnings to ``say``."""
        self._say = say
        self._said: set[str] = set()
        self._clipped = 0
        self._losses: list[float] = []
        self._epochs: list[dict[str, Any]] = []

    def see(self, line: dict[str, Any]) -> None:
        """Look at one line."""
        if line["event"] == "step":
            self._see_step(line)
        elif line["event"] == "epoch":
            self._epochs.append(line)
            self._see_epoch()

    def _see_step(self, line: dict[str, Any]) -> None:
        if line["step"] <= CLIPPED_STEPS:
            self._clipped += line.get("spiked", line["clipped"])
            if self._clipped > CLIPPED_SHARE * min(line["steps"], CLIPPED_STEPS):
                self.warn(
                    "gradient.clipped",
                    f"the gradient was clipped far above usual in {self._clipped} of {line['step']} steps",
                    "lower the learning rate, or inspect the labels: interlock audit lists likely wrong ones",
                )
        before = self._losses[-WINDOWS:]
        usual = sum(before) / max(1, len(before))
        if before and line["loss"] > max(EXPLOSION * usual, self._losses[0]):
            self.warn(
                "loss.exploded",
                f"the loss went from {usual:.3g} to {line['loss']:.3g}",
                "lower the learning rate or the clipping norm, and look at the last batches",
            )
        self._losses.append(line["loss"])
        if line.get("input_share", 0.0) > INPUT_SHARE:
            self.warn(
                "input.bound",
                f"{line['input_share']:.0%} of the time went into preparing batches",
                "use larger batches, or a machine whose other processors are free",
            )

    def _see_epoch(self) -> None:
        recent = self._epochs[-RISING - 1 :]
        measured = all("train_loss" in line and "val_loss" in line for line in recent)
        if len(recent) > RISING and measured and all(_parting(before, now) for before, now in pairwise(recent)):
            self.warn(
                "overfitting",
                f"the held rows' loss rose {RISING} epochs in a row while the training loss fell",
                "stop earlier (--stop-early), train fewer epochs, or add rows",
            )
        rare = [line["val_rare_recall"] for line in self._epochs if "val_rare_recall" in line]
        if len(rare) >= FLAT_EPOCHS and not max(rare[-FLAT_EPOCHS:]) > FLAT_RECALL:
            self.warn(
                "rare.flat",
                f"the rarest labels' recall is {rare[-1]:.2f} after {len(self._epochs)} epochs",
                "weigh classes (--class-weights inverse), oversample, or label more rows of them",
            )

    def warn(self, code: str, detail: str, decision: str) -> None:
        """Say a warning, unless it was said before."""
        if code not in self._said:
            self._said.add(code)
            self._say({"event": "warning", "code": code, "detail": detail, "decision": decision})


def _parting(before: dict[str, Any], now: dict[str, Any]) -> bool:
    return bool(now["train_loss"] < before["train_loss"] and now["val_loss"] > before["val_loss"])
