"""The training loop: epochs of steps, watched, able to go on where it was interrupted. Knows no run folder."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from interlock.train.attention import attention_entropy
from interlock.train.batches import epoch_batches, shown_rows
from interlock.train.journal import Journal
from interlock.train.model import logits_of, native_bfloat16
from interlock.train.progress import Meter, Progress, Window
from interlock.train.quality import concerns, entropy, quality
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows
from interlock.train.settle import EPOCHS
from interlock.train.step import Stepped, Stepper, Steps, norms_by_layer, row_losses
from interlock.train.watchdog import Watchdog

LOG_EVERY = 25  # steps
CONTINUE_ACCURACY, CONTINUE_RECALL = 0.003, 0.005  # what one more epoch must bring, by the documents' rule


@dataclass(frozen=True)
class Task:
    """What is trained on what."""

    model: Any
    pad_id: int
    rows: Rows
    held: Rows  # measured after every epoch
    weights: torch.Tensor  # (k labels,)
    repeats: list[float]  # how often an epoch shows each row
    rare: list[int]  # columns of the labels with the fewest rows


class Loop:
    """Trains the model of ``task``."""

    labelled = True  # whether the rows of a few steps are compared with all of them

    def __init__(self, task: Task, recipe: Recipe, settled: str = "", *, journal: Journal) -> None:
        """Prepare; ``settled`` is said first."""
        self.task, self.recipe, self.journal = task, recipe, journal
        self.log, self.clock, self.checkpoints = journal.log, journal.clock, journal.checkpoints
        self.lengths = [len(ids) for ids in task.rows.ids]
        self.epochs, self.settled = recipe.epochs or EPOCHS, settled
        self.stepper = self._steps(self.epochs * len(self._batches(1)))
        self.progress = Progress()
        self.watchdog = Watchdog(self.log.write)
        self.best: dict[str, torch.Tensor] | None = None
        self.entropy = entropy(task.rows.targets)

    def run(self) -> dict[str, Any]:
        """Train; return what the machine did."""
        resumed = self._resume()
        self.started = self.clock.monotonic() - self.progress.seconds
        self.due = self.clock.monotonic() + (self.checkpoints.every if self.checkpoints else 0.0)
        for epoch in range(1, self.epochs + 1):
            if epoch > len(self.progress.epochs):
                self._epoch(epoch)
            if self._enough():
                break
        if self.best is not None:
            self.task.model.load_state_dict(self.best)
        return {
            "steps": self.stepper.total,
            "warmup_steps": self.stepper.warmup,
            "steps_taken": self.progress.step,
            "resumed_at_step": resumed,
            "train_seconds": round(self.clock.monotonic() - self.started, 1),
            **machine(),
        }

    def run_once(self, fit: Callable[[], None]) -> dict[str, Any]:
        """Let ``fit`` train the model without steps, then measure it as an epoch is measured."""
        started = self.clock.monotonic()
        self._say_settled()
        fit()
        self._say({"event": "epoch", "epoch": 1, "epochs": 1, **self.measured()})
        return {"steps": 0, "train_seconds": round(self.clock.monotonic() - started, 1), **machine()}

    def _steps(self, total: int) -> Steps:
        """Return what learns from a batch."""
        return Stepper(
            self.task.model,
            self.task.rows,
            pad_id=self.task.pad_id,
            weights=self.task.weights,
            recipe=self.recipe,
            total=total,
            clock=self.clock,
        )

    def _epoch(self, epoch: int) -> None:
        batches = self._batches(epoch)
        done = self.progress.step - (epoch - 1) * len(batches)
        since, spent, rows = self.clock.monotonic(), self.stepper.input_seconds, 0
        for batch in batches[done:]:
            self.task.model.train()
            step = self.progress.step + 1
            logged = step % LOG_EVERY == 0 or step == self.stepper.total
            stepped, layers = self._step(batch, step, by_layer=logged)
            self.progress.step = step
            self.progress.whole.add(stepped)
            self.progress.recent.add(batch, stepped)
            rows += len(batch)
            if logged:
                now = self.clock.monotonic()
                seconds = max(now - since, 1e-9)
                input_share = (self.stepper.input_seconds - spent) / seconds
                speed = {"ex_per_sec": rows / seconds, "input_share": input_share}
                self._say({**self._line(epoch, stepped), **speed, "layers": layers})
                self.progress.recent, since, spent, rows = Window(), now, self.stepper.input_seconds, 0
            self._checkpoint()
        whole, self.progress.whole = self.progress.whole, Meter()
        line = {
            "epoch": epoch,
            "train_loss": whole.loss / whole.rows,
            "train_acc": whole.correct / whole.rows,
            "clipped_share": whole.clipped / whole.steps,
        }
        self.progress.epochs.append({**line, **(self.measured() if self._looks(epoch) else {})})
        spread = attention_entropy(self.task.model, self.task.held, pad_id=self.task.pad_id)
        self._say(
            {
                "event": "epoch",
                "epochs": self.epochs,
                **self.progress.epochs[-1],
                **({"attention_entropy": spread} if spread else {}),
            }
        )
        self._remember_best()

    def _step(self, batch: list[int], step: int, *, by_layer: bool) -> tuple[Stepped, dict[str, Any]]:
        if not by_layer:
            return self.stepper.take(batch, step), {}
        with norms_by_layer(self.stepper) as layers:
            stepped = self.stepper.take(batch, step)
        return stepped, layers

    def _batches(self, epoch: int) -> list[list[int]]:
        """Return the epoch's batches of row numbers: they depend on the seed and the epoch alone."""
        seed = self.recipe.seed * 1000 + epoch
        shown = shown_rows(self.task.repeats, seed=seed)
        lengths = [self.lengths[row] for row in shown]
        return [
            [shown[at] for at in batch]
            for batch in epoch_batches(lengths, batch_size=self.recipe.batch_size, seed=seed)
        ]

    def _resume(self) -> int:
        found = self.checkpoints.load(self.task.model, self.stepper.optimizer) if self.checkpoints else None
        if found is None:
            self._say_settled()
            return 0
        counters, self.best = found
        self.progress = Progress.read(counters)
        if len(self.progress.epochs) == self.epochs or self._enough():  # nothing is left to do here
            self.log.start_at(self.progress.log_bytes)
            return self.progress.step
        self.log.cut(self.progress.log_bytes)
        self._say({"event": "note", "note": f"training goes on after step {self.progress.step}"})
        return self.progress.step

    def _checkpoint(self) -> None:
        if self.checkpoints is not None and self.clock.monotonic() >= self.due:
            self.save()

    def save(self) -> None:
        """Save a checkpoint, where there is a place for one; a disk that takes none is warned of."""
        if self.checkpoints is None:
            return
        now = self.clock.monotonic()
        self.progress.seconds, self.progress.log_bytes = now - self.started, self.log.bytes
        try:
            self.checkpoints.save(self.task.model, self.stepper.optimizer, asdict(self.progress), self.best)
        except OSError as error:
            self._say(
                {
                    "event": "warning",
                    "code": "checkpoint.failed",
                    "detail": str(error)[:200],
                    "decision": "free space on the disk; until then an interruption goes back to the last checkpoint",
                }
            )
        after = self.clock.monotonic()
        self.due = after + max(self.checkpoints.every, (after - now) / self.checkpoints.share)

    def keep(self) -> None:
        """Save the weights alone, as those of a training that is done."""
        self.stepper.optimizer.state.clear()
        self.save()

    def _say(self, line: dict[str, Any]) -> None:
        self.journal.write(line)
        self.watchdog.see(line)
        if line["event"] == "step" and self.labelled:
            seen, k = len(self.progress.recent.seen), len(self.task.weights)
            for warning in concerns(line, n=seen, whole=self.entropy, k=k):
                self.watchdog.warn(*warning)

    def _say_settled(self) -> None:
        if self.settled:
            self._say({"event": "note", "note": self.settled})

    def _line(self, epoch: int, stepped: Stepped) -> dict[str, Any]:
        recent, rates = self.progress.recent, [float(group["lr"]) for group in self.stepper.optimizer.param_groups]
        return {
            "event": "step",
            "epoch": epoch,
            "step": self.progress.step,
            "steps": self.stepper.total,
            "loss": sum(recent.losses) / len(recent.losses),
            "lr_head": max(rates),
            "lr_bottom": min(rates),
            "grad_norm": stepped.norm,
            "clipped": recent.clipped,
            "spiked": recent.spiked,
            "mem_gb": _peak_memory_gb(),
            **quality(self.task.rows, recent.seen, torch.tensor(recent.losses)),
        }

    def _looks(self, epoch: int) -> bool:
        """Whether an epoch ends with a look at the held rows: epochs of fewer rows than are held share one."""
        rows, held = len(self.lengths), max(1, len(self.task.held.ids))
        return self.recipe.chooses or epoch == self.epochs or epoch * rows // held > (epoch - 1) * rows // held

    def measured(self) -> dict[str, float]:
        """Measure the held rows."""
        if not self.task.held.ids:
            return {}
        logits = torch.zeros(self.task.held.targets.shape)
        for batch, found in logits_of(self.task.model, self.task.held, self.task.pad_id):
            logits[batch] = found
        done = self.progress.step / self.stepper.total
        losses = row_losses(logits, self.task.held.targets, weights=self.task.weights, recipe=self.recipe, done=done)
        return {"val_loss": float(losses.mean()), **scores(logits, self.task.held.targets, rare=self.task.rare)}

    def _remember_best(self) -> None:
        epochs = self.progress.epochs
        if self.recipe.keep == "best" and epochs[-1]["val_macro_f1"] >= max(epoch["val_macro_f1"] for epoch in epochs):
            self.best = {name: value.clone() for name, value in self.task.model.state_dict().items()}

    def _enough(self) -> bool:
        """Whether the last epoch brought too little to go on, by the documents' rule."""
        if not self.recipe.stop_early or len(self.progress.epochs) < 2:  # noqa: PLR2004 - a comparison needs two
            return False
        before, now = self.progress.epochs[-2:]
        better = now["val_acc"] - before["val_acc"] >= CONTINUE_ACCURACY
        return not (better or now["val_rare_recall"] - before["val_rare_recall"] >= CONTINUE_RECALL)


def machine() -> dict[str, Any]:
    """Return what of the machine the trained bits may depend on."""
    return {
        "threads": torch.get_num_threads(),
        "bfloat16": native_bfloat16(),
        "torch": str(torch.__version__),
    }


def scores(logits: torch.Tensor, targets: torch.Tensor, *, rare: list[int]) -> dict[str, float]:
    """Return what an epoch's line says of held rows: accuracy, macro-F1, macro, worst and rare-label recall."""
    gold, said = targets.argmax(dim=1), logits.argmax(dim=1)
    correct = (said == gold).float()
    present = sorted(set(gold.tolist()))
    recalls = {label: float(correct[gold == label].mean()) for label in present}
    hits = [2 * float(correct[gold == label].sum()) for label in present]
    sizes = [float((gold == label).sum() + (said == label).sum()) for label in present]
    rarest = [recalls[label] for label in rare if label in recalls]
    return {
        "val_acc": float(correct.mean()),
        "val_macro_f1": sum(hit / size for hit, size in zip(hits, sizes, strict=True)) / len(present),
        "val_macro_recall": sum(recalls.values()) / len(present),
        "val_worst_recall": min(recalls.values()),
        "val_rare_recall": sum(rarest) / max(1, len(rarest)),
    }


def _peak_memory_gb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)
