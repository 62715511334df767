"""How far a training is, and what it has seen since it last said so. Knows no model.

All of it can be written as JSON and read back: it goes into the checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from interlock.train.step import Stepped


@dataclass
class Meter:
    """Running sums between two log lines."""

    rows: int = 0
    loss: float = 0.0
    correct: float = 0.0
    clipped: int = 0
    steps: int = 0

    def add(self, stepped: Stepped) -> None:
        """Count one step."""
        self.rows, self.steps = self.rows + len(stepped.losses), self.steps + 1
        self.loss += float(stepped.losses.sum())
        self.correct += stepped.correct
        self.clipped += stepped.clipped


@dataclass
class Window:
    """The rows since the last log line, and their losses."""

    seen: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    clipped: int = 0
    spiked: int = 0

    def add(self, batch: list[int], stepped: Stepped) -> None:
        """Count one step."""
        self.seen += batch
        self.losses += stepped.losses.tolist()
        self.clipped += stepped.clipped
        self.spiked += stepped.spiked


@dataclass
class Progress:
    """Everything the loop must remember to go on, beside weights and moments."""

    step: int = 0
    whole: Meter = field(default_factory=Meter)  # of the epoch
    recent: Window = field(default_factory=Window)
    epochs: list[dict[str, float]] = field(default_factory=list)  # what each finished epoch measured
    log_bytes: int = 0  # of the step log, when the checkpoint was taken
    seconds: float = 0.0  # trained

    @classmethod
    def read(cls, body: dict[str, Any]) -> Progress:
        """Read what ``asdict`` gave."""
        return cls(**{**body, "whole": Meter(**body["whole"]), "recent": Window(**body["recent"])})
