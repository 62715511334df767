"""Fine-tune one encoder on a TrainSet. Knows no thresholds, no test rows and no bundles."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from interlock.core.clock import Clock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Dataset, Example, TrainSet
from interlock.core.errors import InputError
from interlock.train.adapt import adapt
from interlock.train.checkpoint import Checkpoints
from interlock.train.dropout import seed_dropout
from interlock.train.encoders import Encoder, load
from interlock.train.journal import Journal
from interlock.train.learner import Learner
from interlock.train.loop import Loop, Task
from interlock.train.mean_pooling import MeanPooled
from interlock.train.model import fitting_threads, recompute_activations, start_at_centroids
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows, encode_rows
from interlock.train.settle import settle
from interlock.train.soup import cook
from interlock.train.step import LossNotANumberError
from interlock.train.step_log import StepLog
from interlock.train.teacher import taught
from interlock.train.tracks import finished, fit_head, put_on_track
from interlock.train.vocabulary import extend
from interlock.train.weights import class_weights, rarest, repeats

JUDGING = 0.1  # share of the training rows an epoch is chosen by
BAD_BATCH = "bad_batch.json"  # beside the step log


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
        """Write a standard Hugging Face directory.

        Raises:
            OSError: the disk is full or not writable.
        """
        model = self.model.standard() if isinstance(self.model, MeanPooled) else self.model
        try:
            model.save_pretrained(folder)
        except SafetensorError as error:  # what the writer makes of an OSError
            raise OSError(str(error)) from error
        self.tokenizer.save_pretrained(folder)


def fit(  # noqa: PLR0913 - the nouns of a training run, by keyword
    train: TrainSet,
    watched: CalibrationSet,
    *,
    labels: Sequence[str],
    encoder: Encoder,
    recipe: Recipe,
    policy: InputPolicy,
    log: StepLog,
    clock: Clock,
    checkpoints: Checkpoints | None = None,
    unlabelled: Sequence[str] = (),
) -> Fitted:
    """Fine-tune ``encoder``.

    Args:
        train: the rows to learn from.
        watched: rows measured after every epoch, for the log only; nothing is chosen by them. A recipe that chooses an
            epoch does so by a tenth of the training rows, which it does not learn from then.
        labels: in column order.
        encoder: where the pretrained weights are.
        recipe: every hyper-parameter.
        policy: how a text is prepared before the tokenizer; the same as when serving.
        log: where steps are recorded.
        clock: for examples per second.
        checkpoints: where an interrupted run goes on; none are kept without it.
        unlabelled: messages the encoder is adapted to before it sees a label; none of them a row that is measured on.

    Raises:
        InputError: a label without a training row, or a loss that is not a number.
    """
    _refuse(train, labels, recipe, unlabelled)
    recipe, settled = settle(recipe, train.counts())
    seed_everything(recipe.seed)
    model, tokenizer = load(encoder, labels, [*train.texts, *unlabelled])
    learner = Learner(model, tokenizer, encoder, recipe, policy, Journal(log, clock, checkpoints))
    with fitting_threads(model):
        before = _before_labels(learner, train, unlabelled)
        learnt, held = _judged(train, watched, recipe)
        rows = taught(encode_rows(learnt, tokenizer, labels, policy), learnt, labels, recipe, policy)
        if encoder.source:
            start_at_centroids(model, rows, pad_id=tokenizer.pad_token_id)
        put_on_track(model, recipe, rows, pad_id=tokenizer.pad_token_id)
        task = _task(learner, rows, encode_rows(held, tokenizer, labels, policy), train, labels)
        facts = cook(task, recipe, settled, journal=learner.journal, train=_run)
    return Fitted(finished(model).eval(), tokenizer, tuple(labels), recipe, encoder, {**facts, **before})


def _refuse(train: TrainSet, labels: Sequence[str], recipe: Recipe, unlabelled: Sequence[str]) -> None:
    """Refuse what cannot be trained on."""
    counts = train.counts()
    if missing := [label for label in labels if not counts[label]]:
        raise InputError(
            f"no training row for: {', '.join(missing[:20])}", todo="Label rows for them, or take them out."
        )
    if recipe.adapt and not unlabelled:
        raise InputError(
            f"the recipe adapts to {recipe.adapt}, but no unlabelled messages were given",
            todo="Leave adapt out here; interlock build and interlock experiment read such a file.",
        )


def _judged(train: TrainSet, watched: CalibrationSet, recipe: Recipe) -> tuple[Dataset, Dataset]:
    """Return the rows to learn from and those measured after every epoch."""
    if not recipe.chooses:
        return train, watched
    learnt, judging = judges_of(train, seed=recipe.seed)
    if not len(judging):
        raise InputError(
            f"{len(train)} training rows are too few to choose an epoch by a tenth of them",
            todo="Leave out --keep best and --stop-early, or label more rows.",
        )
    return learnt, judging


def _before_labels(learner: Learner, train: TrainSet, unlabelled: Sequence[str]) -> dict[str, Any]:
    """Teach the encoder what it can learn without a label, as the recipe asks; return what was done."""
    done: dict[str, Any] = {}
    if most := learner.recipe.extend_vocabulary:
        texts = [*train.texts, *unlabelled]
        done["words_added"] = extend(learner.model, learner.tokenizer, texts, most=most, policy=learner.policy)
    if unlabelled:
        done["adapted"] = adapt(learner, unlabelled)
        seed_everything(learner.recipe.seed)  # as it is when pretraining was done by an earlier process
    return done


def _task(learner: Learner, rows: Rows, held: Rows, train: TrainSet, labels: Sequence[str]) -> Task:
    """Return what the loop trains: rows weighed and repeated by how many there are of each label."""
    recipe, counts = learner.recipe, train.counts()
    shown = repeats(counts, oversample=recipe.oversample)
    by_id = {example.id: shown[example.label] for example in train}
    return Task(
        model=learner.model,
        pad_id=learner.tokenizer.pad_token_id,
        rows=rows,
        held=held,
        weights=torch.from_numpy(class_weights(counts, labels, kind=recipe.class_weights)),
        repeats=[by_id[name] for name in rows.names],
        rare=rarest(counts, labels),
    )


def judges_of(train: TrainSet, *, seed: int) -> tuple[Dataset, Dataset]:
    """Return the rows to learn from, and a tenth (whole groups) to choose an epoch by. No label loses its last row."""
    left = train.counts()
    learnt: list[Example] = []
    judging: list[Example] = []
    for example in train:
        key = f"{seed}\0{example.group if example.group is not None else example.id}"
        chosen = hashlib.sha256(key.encode()).digest()[0] < JUDGING * 256 and min(left[x] for x in example.labels) > 1
        left.subtract(example.labels if chosen else ())
        (judging if chosen else learnt).append(example)
    return Dataset(tuple(learnt)), Dataset(tuple(judging))


def seed_everything(seed: int) -> None:
    """Seed every generator training draws from, and ask torch for repeatable kernels."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries below draw from the global generator
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # Otherwise every new tensor is written twice, 9 % of a step, to make reads of unset memory repeatable.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _run(loop: Loop) -> dict[str, Any]:
    """Train; when a loss is not a number, save which rows the batch held and what each gave, for inspection."""
    model, recipe = loop.task.model, loop.recipe
    if recipe.track == "head":
        return loop.run_once(lambda: fit_head(loop.task, seed=recipe.seed))
    if recipe.checkpointing:
        recompute_activations(model)
    else:
        seed_dropout(model, loop.stepper.noise)
    try:
        return loop.run()
    except LossNotANumberError as error:
        _keep_batch(error, loop.task.rows, loop.log.path.with_name(BAD_BATCH))
        raise


def _keep_batch(error: LossNotANumberError, rows: Rows, path: Path) -> None:
    found = [
        {"id": rows.names[row], "loss": str(loss), "tokens": len(rows.ids[row])}
        for row, loss in zip(error.rows, error.losses, strict=False)
    ]
    path.write_text(json.dumps({"step": error.step, "rows": found}, indent=1) + "\n", encoding="utf-8")
