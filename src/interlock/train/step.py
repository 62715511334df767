"""One optimiser step: a batch's loss, its gradient, the update. Knows no epochs and no files."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from interlock.core.clock import Clock
from interlock.core.errors import InputError, Problem
from interlock.train.batches import pad
from interlock.train.dropout import Noise
from interlock.train.loss import brier_loss, contrastive_loss, divergence, focal_loss
from interlock.train.model import features_of, last_linear, parameter_groups, reduced_precision
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows
from interlock.train.weights import schedule

TOKENS_AT_ONCE = 2048  # padded, of one pass through the model: a default encoder trains in less than 3 GB

LEAST_NORMS, MOST_NORMS = 10, 50  # steps whose gradients say what is usual
UNUSUAL = 2.0  # times that


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one step saw and did."""

    losses: torch.Tensor  # (n rows,)
    correct: float  # rows the model got right, dropout and all
    norm: float  # of the gradient, before clipping
    clipped: bool
    spiked: bool = False  # clipped, and over twice the usual norm


class LossNotANumberError(InputError):
    """Training must stop; ``rows`` are the row numbers of the batch and ``losses`` what they gave."""

    def __init__(self, step: int, rows: list[int], losses: list[float]) -> None:
        """Say where."""
        bad = sum(not math.isfinite(loss) for loss in losses)
        super().__init__(
            "training stopped: the loss is not a number",
            [Problem(f"step {step}", "loss", "a finite number", f"{bad} of {len(losses)} rows without one")],
            todo="Lower the learning rate (--learning-rate), or look at the rows named in bad_batch.json.",
        )
        self.step, self.rows, self.losses = step, rows, losses


class Steps(ABC):
    """Takes optimiser steps, whatever is learnt; ``total`` steps make the schedule."""

    passes = 1  # of a row through the model, side by side

    def __init__(self, model: Any, rows: Rows, *, pad_id: int, recipe: Recipe, total: int, clock: Clock) -> None:
        """Make the optimiser."""
        self.model, self.rows, self.pad_id, self.recipe = model, rows, pad_id, recipe
        self.total, self.warmup = total, max(1, round(recipe.warmup_share * total))
        self.optimizer = torch.optim.AdamW(parameter_groups(model, recipe), fused=True)
        self.noise = Noise(recipe.seed)
        self.micro = recipe.micro_batch or recipe.batch_size
        self.norms: deque[float] = deque(maxlen=MOST_NORMS)
        self.clock, self.input_seconds = clock, 0.0  # spent on making tensors of batches

    @abstractmethod
    def losses(self, batch: list[int], step: int) -> tuple[torch.Tensor, float]:
        """Return the losses of rows computed at once, (n,), and how many were right."""

    def take(self, batch: list[int], step: int) -> Stepped:
        """Learn from the rows numbered ``batch``.

        When memory does not hold them at once, batches are computed in halves from here on: the same effective batch,
        with other dropout masks.

        Raises:
            LossNotANumberError: before anything was learnt from the batch.
        """
        while True:
            try:
                losses, correct = self._gradient(batch, step)
                break
            except RuntimeError as error:
                if self.micro == 1 or "alloc" not in str(error).lower():
                    raise
                self.micro = max(1, self.micro // 2)
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm))
        if not math.isfinite(norm):
            raise LossNotANumberError(step, batch, [norm] * len(batch))
        self._set_rates(step)
        self.optimizer.step()
        clipped = norm > self.recipe.clip_norm
        return Stepped(losses, correct, norm, clipped=clipped, spiked=self._unusual(norm) and clipped)

    def _unusual(self, norm: float) -> bool:
        """Whether a gradient's norm is over twice the median of the steps before it."""
        before = list(self.norms)
        self.norms.append(norm)
        return len(before) >= LEAST_NORMS and norm > UNUSUAL * median(before)

    def _gradient(self, batch: list[int], step: int) -> tuple[torch.Tensor, float]:
        """Sum the gradient of the batch's mean loss; return the row losses, (n,), and how many rows were right."""
        self.optimizer.zero_grad(set_to_none=True)
        self.noise.start(step)
        parts: list[torch.Tensor] = []
        correct = 0.0
        size = self._at_once(batch)
        for start in range(0, len(batch), size):
            losses, right = self.losses(batch[start : start + size], step)
            if not bool(torch.isfinite(losses).all()):
                raise LossNotANumberError(step, batch, torch.cat([*parts, losses.detach()]).tolist())
            (losses.sum() / len(batch)).backward()  # type: ignore[no-untyped-call]
            parts.append(losses.detach())
            correct += right
        return torch.cat(parts), correct

    def _at_once(self, batch: list[int]) -> int:
        """Return how many rows are computed at once: fewer where texts are long, so that memory stays bounded."""
        tokens = self.passes * max(len(self.rows.ids[row]) for row in batch)
        return self.micro if self.recipe.contrast else max(1, min(self.micro, TOKENS_AT_ONCE // tokens))

    def _padded(self, batch: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return token ids and attention mask of some rows, (n, tokens)."""
        started = self.clock.monotonic()
        ids, mask = pad([self.rows.ids[row] for row in batch], self.pad_id)
        self.input_seconds += self.clock.monotonic() - started
        return ids, mask

    def _set_rates(self, step: int) -> None:
        share = schedule(step, total=self.total, warmup=self.warmup, decay=self.recipe.decay)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share


class Stepper(Steps):
    """Learns labels."""

    def __init__(
        self, model: Any, rows: Rows, *, pad_id: int, weights: torch.Tensor, recipe: Recipe, total: int, clock: Clock
    ) -> None:
        """Find the head; ``weights`` (k,) are the labels'."""
        super().__init__(model, rows, pad_id=pad_id, recipe=recipe, total=total, clock=clock)
        self.weights, self.head = weights, last_linear(model)
        self.passes = 2 if recipe.rdrop else 1

    def losses(self, batch: list[int], step: int) -> tuple[torch.Tensor, float]:
        """Return the losses of rows computed at once, (n,), weighted by row, and how many first labels were found."""
        recipe, n = self.recipe, len(batch)
        ids, mask = self._padded(batch)
        targets, twice = self.rows.targets[batch], self.passes > 1
        if twice:
            ids, mask = ids.repeat(2, 1), mask.repeat(2, 1)
        with features_of(self.head, keep_graph=recipe.contrast > 0) as seen, reduced_precision():
            logits = self.model(input_ids=ids, attention_mask=mask).logits.float()
        done = step / self.total
        losses = row_losses(logits[:n], targets, weights=self.weights, recipe=recipe, done=done)
        if twice:
            again = row_losses(logits[n:], targets, weights=self.weights, recipe=recipe, done=done)
            losses = (losses + again) / 2
            losses = losses + recipe.rdrop * divergence(logits[:n], logits[n:])
        if recipe.contrast:
            losses = losses + recipe.contrast * contrastive_loss(seen[-1][:n], targets.argmax(dim=1))
        correct = int((logits[:n].argmax(dim=1) == targets.argmax(dim=1)).sum())
        return losses * self.rows.weights[batch], correct


def row_losses(
    logits: torch.Tensor, targets: torch.Tensor, *, weights: torch.Tensor, recipe: Recipe, done: float
) -> torch.Tensor:
    """Return each row's loss by logits alone, (n,), when a share ``done`` of all steps is done."""
    losses = focal_loss(logits, targets, weights=weights, gamma=_gamma(recipe, done), smoothing=recipe.label_smoothing)
    return losses + recipe.brier * brier_loss(logits, targets) if recipe.brier else losses


def _gamma(recipe: Recipe, done: float) -> float:
    if recipe.loss == "cross_entropy":
        return 0.0
    if recipe.gamma_end is None:
        return recipe.gamma
    return recipe.gamma + (recipe.gamma_end - recipe.gamma) * min(1.0, done)


@contextmanager
def norms_by_layer(stepper: Steps) -> Iterator[dict[str, dict[str, float]]]:
    """Fill the dictionary with each layer's clipped gradient, update and weight norm of the step taken while open."""
    found: dict[str, dict[str, float]] = {}
    groups: list[dict[str, Any]] = stepper.optimizer.param_groups
    before = [(group["layer"], group["params"][0], group["params"][0].detach().clone()) for group in groups]
    yield found
    sums: dict[str, list[float]] = {}
    for layer, parameter, old in before:
        if parameter.grad is None:
            continue
        squares = sums.setdefault(layer, [0.0, 0.0, 0.0])
        squares[0] += float(parameter.grad.square().sum())
        squares[1] += float((parameter.detach() - old).square().sum())
        squares[2] += float(parameter.detach().square().sum())
    for layer, squares in sums.items():
        grad, update, weight = (math.sqrt(square) for square in squares)
        found[layer] = {"grad": grad, "update": update, "weight": weight}
