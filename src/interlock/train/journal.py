"""Where a training writes what it does: a step log, a checkpoint, the clock it goes by. Knows no model and no loop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from interlock.core.clock import Clock
from interlock.train.checkpoint import Checkpoints
from interlock.train.step_log import StepLog


@dataclass(frozen=True)
class Journal:
    """The step log, the clock and the checkpoint of one training."""

    log: StepLog
    clock: Clock
    checkpoints: Checkpoints | None = None  # an interrupted run cannot go on without it
    stage: str = ""  # what the log calls the steps of a training that is only a part of the one asked for

    def part(self, stage: str, *, kept: str) -> Journal:
        """Return the journal of a training beside this one: the same log, but a checkpoint of its own, ``kept``."""
        own = self.checkpoints and replace(self.checkpoints, path=self.checkpoints.path.with_name(kept))
        return replace(self, checkpoints=own, stage=stage)

    def write(self, line: dict[str, Any]) -> None:
        """Append a line to the log: steps and epochs of a part under the names of its stage."""
        names = {"step": self.stage, "epoch": f"{self.stage}_epoch"} if self.stage else {}
        self.log.write({**line, "event": names.get(line["event"], line["event"])})
