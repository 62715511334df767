"""Where an interrupted training goes on: one file, whole or not there. Knows no loop.

A checkpoint holds the weights, the optimiser's moments and the loop's own counters. Together with batches and dropout
masks that depend on the seed and the step alone, training that goes on from it ends in the same bits.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from interlock.core.errors import InputError

MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Checkpoints:
    """The one checkpoint of a run, replaced whole."""

    path: Path
    key: str  # what the run is made of; a checkpoint of anything else is not continued
    every: float = 2.0  # seconds between two, at least
    share: float = 0.02  # of the time, at most, that goes into saving

    def save(
        self,
        model: Any,
        optimizer: torch.optim.Optimizer,
        counters: dict[str, Any],
        best: dict[str, torch.Tensor] | None = None,
    ) -> None:
        """Write everything beside the last checkpoint, then put it in its place.

        Raises:
            OSError: the disk is full or not writable; the last checkpoint is as it was.
        """
        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in (best or {}).items()}
        for name, parameter in model.named_parameters():
            state = optimizer.state.get(parameter, {})
            tensors |= {f"{moment}.{name}": state[moment] for moment in MOMENTS if moment in state}
        scratch = self.path.with_suffix(".part")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            save_file(
                {name: value.contiguous() for name, value in tensors.items()},
                scratch,
                {"key": self.key, "counters": json.dumps(counters)},
            )
            _flush(scratch)
            scratch.replace(self.path)
            _flush(self.path.parent)
        except SafetensorError as error:  # what the writer makes of an OSError
            scratch.unlink(missing_ok=True)
            raise OSError(str(error)) from error
        except OSError:
            scratch.unlink(missing_ok=True)
            raise

    def load(
        self, model: Any, optimizer: torch.optim.Optimizer
    ) -> tuple[dict[str, Any], dict[str, torch.Tensor] | None] | None:
        """Put a checkpoint's weights and moments back.

        Returns:
            Its counters and best weights, or ``None`` when there is none to continue.

        Raises:
            InputError: the file is not a checkpoint of this model.
        """
        if not self.path.is_file():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                said = file.metadata() or {}
                if said.get("key") != self.key:
                    return None
                counters: dict[str, Any] = json.loads(said["counters"])
                names = set(file.keys())
                model.load_state_dict({name: file.get_tensor(f"model.{name}") for name in model.state_dict()})
                for name, parameter in model.named_parameters():
                    if f"exp_avg.{name}" in names:
                        optimizer.state[parameter] = {
                            "step": torch.tensor(float(counters["step"])),
                            **{moment: file.get_tensor(f"{moment}.{name}") for moment in MOMENTS},
                        }
                best = {name: file.get_tensor(f"best.{name}") for name in model.state_dict() if f"best.{name}" in names}
        except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise InputError(
                f"{self.path} is not a checkpoint of this model: {str(error)[:200]}",
                todo="Remove it, and training starts from the beginning.",
            ) from error
        return counters, best or None

    def remove(self) -> None:
        """Forget the checkpoint: the run is done."""
        self.path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
