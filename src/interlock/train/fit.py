"""Fine-tune one encoder on a TrainSet. Knows no thresholds, no test rows and no bundles."""

from __future__ import annotations

import math
import random
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from interlock.core.clock import Clock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, TrainSet
from interlock.core.errors import InputError, Problem
from interlock.train.averaged import Averaged
from interlock.train.batches import epoch_batches, pad
from interlock.train.encoders import Encoder, load
from interlock.train.loss import focal_loss
from interlock.train.model import (
    fitting_threads,
    logits_of,
    native_bfloat16,
    parameter_groups,
    reduced_precision,
    start_at_centroids,
)
from interlock.train.quality import concerns, entropy, quality
from interlock.train.recipe import Recipe, class_weights, schedule
from interlock.train.rows import Rows, encode_rows
from interlock.train.step_log import StepLog

LOG_EVERY = 25  # steps


@dataclass(frozen=True)
class Fitted:
    """A fine-tuned torch model and its tokenizer."""

    model: Any
    tokenizer: Any
    labels: tuple[str, ...]
    recipe: Recipe
    encoder: Encoder
    facts: dict[str, Any]  # what the machine did: threads, precision, steps, seconds

    def save(self, folder: Path) -> None:
        """Write a standard Hugging Face directory."""
        model = self.model.standard() if isinstance(self.model, Averaged) else self.model
        model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def fit(
    train: TrainSet,
    watched: CalibrationSet,
    *,
    labels: Sequence[str],
    encoder: Encoder,
    recipe: Recipe,
    policy: InputPolicy,
    log: StepLog,
    clock: Clock,
) -> Fitted:
    """Fine-tune ``encoder``.

    Args:
        train: the rows to learn from.
        watched: rows measured after every epoch, for the log only; nothing is chosen by them.
        labels: in column order.
        encoder: where the pretrained weights are.
        recipe: every hyper-parameter.
        policy: how a text is prepared before the tokenizer; the same as when serving.
        log: where steps are recorded.
        clock: for examples per second.

    Raises:
        InputError: a label without a training row, or a loss that is not a number.
    """
    counts = train.counts()
    if missing := [label for label in labels if not counts[label]]:
        raise InputError(
            f"no training row for: {', '.join(missing[:20])}", todo="Label rows for them, or take them out."
        )
    seed_everything(recipe.seed)
    model, tokenizer = load(encoder, labels, train.texts)
    with fitting_threads(model):
        rows = encode_rows(train, tokenizer, labels, policy, recipe.max_tokens)
        held = encode_rows(watched, tokenizer, labels, policy, recipe.max_tokens)
        if encoder.source:
            start_at_centroids(model, rows, pad_id=tokenizer.pad_token_id)
        weights = torch.from_numpy(class_weights(counts, labels))
        facts = _Loop(model, tokenizer.pad_token_id, rows, held, weights, recipe, log, clock).run()
    model.eval()
    return Fitted(model, tokenizer, tuple(labels), recipe, encoder, facts)


def seed_everything(seed: int) -> None:
    """Seed every generator training draws from, and ask torch for repeatable kernels."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries below draw from the global generator
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)


@dataclass
class _Meter:
    """Running sums between two log lines."""

    rows: int = 0
    loss: float = 0.0
    clipped: int = 0
    steps: int = 0
    seen: list[int] = field(default_factory=list)  # row numbers
    losses: list[torch.Tensor] = field(default_factory=list)  # theirs, batch by batch

    def add(self, batch: list[int], loss: float, losses: torch.Tensor, *, clipped: bool) -> None:
        """Count one step."""
        self.rows, self.loss, self.steps = self.rows + len(batch), self.loss + loss * len(batch), self.steps + 1
        self.clipped += clipped
        self.seen += batch
        self.losses.append(losses)


class _Loop:
    """The training loop and what it holds between steps."""

    def __init__(
        self,
        model: Any,
        pad_id: int,
        rows: Rows,
        held: Rows,
        weights: torch.Tensor,
        recipe: Recipe,
        log: StepLog,
        clock: Clock,
    ) -> None:
        self.model, self.pad_id, self.rows, self.held = model, pad_id, rows, held
        self.weights, self.recipe, self.log, self.clock = weights, recipe, log, clock
        self.optimizer = torch.optim.AdamW(parameter_groups(model, recipe), fused=True)
        self.total = recipe.epochs * math.ceil(len(rows.ids) / recipe.batch_size)
        self.warmup = max(1, round(recipe.warmup_share * self.total))
        self.step = 0
        self.entropy = entropy(rows.targets)
        self.warned: set[str] = set()

    def run(self) -> dict[str, Any]:
        """Train; return what the machine did."""
        started = self.clock.monotonic()
        for epoch in range(1, self.recipe.epochs + 1):
            self._epoch(epoch)
        return {
            "steps": self.total,
            "warmup_steps": self.warmup,
            "train_seconds": round(self.clock.monotonic() - started, 1),
            "threads": torch.get_num_threads(),
            "bfloat16": native_bfloat16(),
            "torch": str(torch.__version__),
        }

    def _epoch(self, epoch: int) -> None:
        self.model.train()
        whole, recent, since = _Meter(), _Meter(), self.clock.monotonic()
        lengths = [len(ids) for ids in self.rows.ids]
        for batch in epoch_batches(lengths, batch_size=self.recipe.batch_size, seed=self.recipe.seed * 1000 + epoch):
            self.step += 1
            loss, losses, norm = self._step(batch)
            for meter in (whole, recent):
                meter.add(batch, loss, losses, clipped=norm > self.recipe.clip_norm)
            if self.step % LOG_EVERY == 0 or self.step == self.total:
                now = self.clock.monotonic()
                line = self._line(epoch, norm, recent, now - since)
                self.log.write(line)
                self._warn(line, recent.rows)
                recent, since = _Meter(), now
        self.log.write(
            {
                "event": "epoch",
                "epoch": epoch,
                "epochs": self.recipe.epochs,
                "train_loss": whole.loss / whole.rows,
                "clipped_share": whole.clipped / whole.steps,
                **self._watch(),
            }
        )

    def _warn(self, line: dict[str, Any], n: int) -> None:
        """Note what looks wrong in the rows of a line, once a run."""
        for code, decision in concerns(line, n=n, whole=self.entropy, k=len(self.weights)):
            if code not in self.warned:
                self.warned.add(code)
                self.log.write({"event": "note", "code": code, "step": self.step, "note": decision})

    def _step(self, batch: list[int]) -> tuple[float, torch.Tensor, float]:
        """Take one optimiser step; return the batch's loss, its rows' losses and the gradient norm before clipping."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * schedule(self.step, total=self.total, warmup=self.warmup)
        ids, mask = pad([self.rows.ids[row] for row in batch], self.pad_id)
        with reduced_precision():
            logits = self.model(input_ids=ids, attention_mask=mask).logits
        losses = self._losses(logits, self.rows.targets[batch]) * self.rows.weights[batch]
        loss = losses.mean()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise InputError(
                "training stopped: the loss is not a number",
                [Problem(f"step {self.step}", "loss", "a finite number", repr(value))],
                todo="Lower the learning rate (--learning-rate), or look at the data with a smaller batch.",
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm))
        self.optimizer.step()
        return value, losses.detach(), norm

    def _losses(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return focal_loss(
            logits, targets, weights=self.weights, gamma=self.recipe.gamma, smoothing=self.recipe.label_smoothing
        )

    def _line(self, epoch: int, norm: float, meter: _Meter, seconds: float) -> dict[str, Any]:
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        return {
            "event": "step",
            "epoch": epoch,
            "step": self.step,
            "steps": self.total,
            "loss": meter.loss / meter.rows,
            "lr_head": max(rates),
            "lr_bottom": min(rates),
            "grad_norm": norm,
            "clipped": meter.clipped,
            "ex_per_sec": meter.rows / max(seconds, 1e-9),
            "mem_gb": _peak_memory_gb(),
            **quality(self.rows, meter.seen, torch.cat(meter.losses)),
        }

    def _watch(self) -> dict[str, float]:
        """Measure the watched rows: for people reading the log, never for choosing anything."""
        if not self.held.ids:
            return {}
        logits = torch.zeros(self.held.targets.shape)
        for batch, found in logits_of(self.model, self.held, self.pad_id):
            logits[batch] = found
        gold = self.held.targets.argmax(dim=1)
        correct = (logits.argmax(dim=1) == gold).float()
        recalls = [float(correct[gold == label].mean()) for label in sorted(set(gold.tolist()))]
        return {
            "val_loss": float(self._losses(logits, self.held.targets).mean()),
            "val_acc": float(correct.mean()),
            "val_macro_recall": sum(recalls) / len(recalls),
            "val_worst_recall": min(recalls),
        }


def _peak_memory_gb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)
