"""Fine-tuning speed: ours beside ``transformers.Trainer``, with padding to 128 tokens and with dynamic padding.

    python bench/training.py FOLDER              # holds train.jsonl and test.jsonl; speed only, minutes
    python bench/training.py FOLDER --accuracy 6   # then trains ours and dynamic padding for 6 epochs: 20 minutes

All three fine-tune the default encoder on the same rows with the same recipe (batch size, epochs, peak rate, warm-up,
decay, clipping, AdamW). They take turns, so that a busy minute hurts all alike; a speed is the median over turns. The
last line is one JSON object with the ratios of examples per second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Dataset, TrainSet
from interlock.data.read import read
from interlock.measure.compare import accuracy_difference
from interlock.train.encoders import load, resolve
from interlock.train.fit import fit, seed_everything
from interlock.train.model import logits_of, native_bfloat16
from interlock.train.recipe import Recipe
from interlock.train.rows import encode_rows
from interlock.train.step_log import StepLog

ENCODER = resolve("minilm")
# What Trainer minimises too: cross-entropy of one pass.
RECIPE = Recipe(learning_rate=ENCODER.learning_rate, gamma=0.0, rdrop=0.0, track="full", epochs=6)
ROWS = {"ours": 64 * 120, "trainer_dynamic": 64 * 30, "trainer_128": 64 * 6}  # a turn's rows: about equal minutes
TURNS = 3
POLICY = InputPolicy()


def main(folder: Path, *, accuracy: int) -> None:
    """Take turns, then print."""
    rows = read(folder / "train.jsonl")
    labels = sorted(rows.counts())
    speeds: dict[str, list[float]] = {name: [] for name in ROWS}
    runners: dict[str, Callable[[Dataset], float]] = {
        "ours": lambda part: _ours(part, labels)[0],
        "trainer_dynamic": lambda part: _trainer(part, labels, width=None)[0],
        "trainer_128": lambda part: _trainer(part, labels, width=128)[0],
    }
    for turn in range(TURNS):
        for name, run in runners.items():
            part = _part(rows, ROWS[name], turn)
            speeds[name].append(run(part))
            print(f"turn {turn + 1}/{TURNS} {name} {speeds[name][-1]:.1f} examples/s", file=sys.stderr)
    median = {name: statistics.median(found) for name, found in speeds.items()}
    out: dict[str, Any] = {
        "ratios": {
            "trainer_128": median["ours"] / median["trainer_128"],
            "trainer_dynamic": median["ours"] / median["trainer_dynamic"],
        },
        "examples_per_second": median,
        "turns": speeds,
        "threads": torch.get_num_threads(),
        "bfloat16": native_bfloat16(),
        "batch_size": RECIPE.batch_size,
    }
    if accuracy:
        out["accuracy"] = _accuracies(rows, read(folder / "test.jsonl", labels=labels), labels, epochs=accuracy)
    print(json.dumps(out))


def _part(rows: Dataset, size: int, turn: int) -> Dataset:
    """Return rows spread evenly over the file, others each turn, at least one of every label."""
    chosen = list(range(turn, len(rows), max(1, len(rows) // size)))[:size]
    first = {row.label: at for at, row in reversed(list(enumerate(rows)))}
    return Dataset(tuple(rows.examples[at] for at in sorted({*chosen, *first.values()})))


def _ours(rows: Dataset, labels: Sequence[str], *, epochs: int = 1) -> tuple[float, Any]:
    """Return examples per second, and the fitted model."""
    with tempfile.TemporaryDirectory() as scratch, StepLog(Path(scratch) / "train.jsonl") as log:
        fitted = fit(
            TrainSet(rows.examples),
            CalibrationSet(()),
            labels=labels,
            encoder=ENCODER,
            recipe=_recipe(epochs),
            policy=POLICY,
            log=log,
            clock=SystemClock(),
        )
    return epochs * len(rows) / fitted.facts["train_seconds"], fitted


def _recipe(epochs: int) -> Recipe:
    return Recipe(**{**RECIPE.to_json(), "epochs": epochs})


def _trainer(rows: Dataset, labels: Sequence[str], *, width: int | None, epochs: int = 1) -> tuple[float, Any]:
    """Return examples per second of ``transformers.Trainer``, and its model; ``width`` None pads dynamically."""
    import transformers

    transformers.logging.set_verbosity_error()
    seed_everything(RECIPE.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(ENCODER.source)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(ENCODER.source, num_labels=len(labels))
    index = {label: column for column, label in enumerate(labels)}
    padding = "max_length" if width else False
    items = [
        {
            **tokenizer(row.text, truncation=True, max_length=POLICY.max_tokens, padding=padding),
            "label": index[row.label],
        }
        for row in rows
    ]
    with tempfile.TemporaryDirectory() as scratch:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=scratch,
                num_train_epochs=epochs,
                per_device_train_batch_size=RECIPE.batch_size,
                learning_rate=RECIPE.learning_rate,
                warmup_steps=RECIPE.warmup_share,
                weight_decay=RECIPE.weight_decay,
                max_grad_norm=RECIPE.clip_norm,
                seed=RECIPE.seed,
                use_cpu=True,
                report_to=[],
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
            ),
            train_dataset=items,
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
        )
        started = time.perf_counter()
        trainer.train()
        return epochs * len(rows) / (time.perf_counter() - started), model


def _accuracies(rows: Dataset, test: Dataset, labels: Sequence[str], *, epochs: int) -> dict[str, Any]:
    """Train both for ``epochs``; return each one's accuracy on the test rows and the paired difference."""
    found = {}
    for name, model in (
        ("ours", _ours(rows, labels, epochs=epochs)[1].model),
        ("trainer_dynamic", _trainer(rows, labels, width=None, epochs=epochs)[1]),
    ):
        _, tokenizer = load(ENCODER, labels, rows.texts)
        encoded = encode_rows(test, tokenizer, labels, POLICY)
        correct = torch.zeros(len(test), dtype=torch.bool)
        for batch, logits in logits_of(model, encoded, tokenizer.pad_token_id):
            correct[batch] = logits.argmax(dim=1) == encoded.targets[batch].argmax(dim=1)
        found[name] = correct.numpy()
    return {
        **{name: {"value": float(correct.mean()), "n": len(correct)} for name, correct in found.items()},
        "difference": accuracy_difference(found["ours"], found["trainer_dynamic"]).to_json(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accuracy", type=int, default=0, metavar="EPOCHS")
    given = parser.parse_args()
    main(given.folder, accuracy=given.accuracy)
