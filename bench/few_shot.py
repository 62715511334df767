"""Ten rows a label: our rule's choice beside a linear probe, TF-IDF and SetFit-style contrastive training, paired.

    python bench/few_shot.py FOLDER                            # holds train.jsonl, test.jsonl and subsets.json
    python bench/few_shot.py FOLDER --labels 5 --test-rows 50  # to see it run

All learn from the rows of one subset of the training rows and are measured on the same official test rows, which
choose nothing. ``setfit_style`` is no run of SetFit: as there, the encoder first learns to put rows of a label near
each other, then a logistic regression reads it; here the pairs are all those of a batch, by the supervised contrastive
loss of our own recipe. The last line is one JSON object; a ratio is a rival's error rate over ours.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from interlock.core.dataset import Dataset
from interlock.data.read import read
from interlock.measure.contest import contests
from interlock.measure.proportion import proportion
from interlock.train.estimators import EncoderClassifier, LinearClassifier
from interlock.train.loop import Task
from interlock.train.tracks import fit_head

SUBSET = "fewshot_10_seed0"
SEEDS = (42, 123, 2024)
CONTRAST = 100.0  # beside a label loss of weight 1: what the encoder learns is decided by the pairs
Flags = npt.NDArray[np.bool_]


def main(folder: Path, *, subset: str, labels: int | None, test_rows: int | None, seeds: Sequence[int]) -> None:
    """Train every rival once for each seed, then print."""
    wanted = set(json.loads((folder / "subsets.json").read_bytes())[subset])
    train = Dataset(tuple(row for row in read(folder / "train.jsonl") if row.id in wanted))
    kept = sorted(train.counts())[:labels]
    train = Dataset(tuple(row for row in train if row.label in kept))
    test = Dataset(tuple(row for row in read(folder / "test.jsonl") if row.label in kept)[:test_rows])
    gold = np.array([row.label for row in test])
    right: dict[str, list[Flags]] = {name: [] for name in RIVALS}
    seconds: dict[str, list[float]] = {name: [] for name in RIVALS}
    for seed in seeds:
        for name, rival in RIVALS.items():
            started = time.perf_counter()
            made = rival(train.texts, [row.label for row in train], seed)
            seconds[name].append(round(time.perf_counter() - started, 1))
            right[name].append(np.asarray(made.predict(test.texts) == gold))
            print(f"seed {seed} {name} {right[name][-1].mean():.4f} in {seconds[name][-1]} s", file=sys.stderr)
    print(json.dumps(report(right, seconds, n=len(train), subset=subset, seeds=seeds)))


def report(
    right: dict[str, list[Flags]], seconds: dict[str, list[float]], *, n: int, subset: str, seeds: Sequence[int]
) -> dict[str, Any]:
    """Return accuracies, error ratios, and ours against each rival, tested together (Holm)."""
    rivals = [name for name in right if name != OURS]
    found = contests(np.stack(right[OURS]), [np.stack(right[name]) for name in rivals])
    wrong = {name: 1 - float(np.mean(flags)) for name, flags in right.items()}
    return {
        "subset": subset,
        "train_rows": n,
        "seeds": list(seeds),
        "accuracy": {name: [measured(flags) for flags in each] for name, each in right.items()},
        "seconds": seconds,
        "ratios": {name: wrong[name] / wrong[OURS] if wrong[OURS] else None for name in rivals},
        "rival_minus_ours": {
            name: {**one.difference.to_json(), "p": one.p, "p_adjusted": one.p_adjusted, "rival_is": one.shown}
            for name, one in zip(rivals, found, strict=True)
        },
    }


def measured(flags: Flags) -> dict[str, Any]:
    """Return the accuracy of one model with its interval."""
    return proportion("accuracy", int(flags.sum()), len(flags)).to_json()


def ours(texts: list[str], labels: list[str], seed: int) -> Any:
    """Leave everything to the recipe's rules."""
    return EncoderClassifier(seed=seed).fit(texts, labels)


def probe(texts: list[str], labels: list[str], seed: int) -> Any:
    """Fit a logistic regression on the frozen encoder."""
    return EncoderClassifier(track="head", seed=seed).fit(texts, labels)


def tfidf(texts: list[str], labels: list[str], seed: int) -> Any:
    """Fit the linear baseline."""
    return LinearClassifier(seed=seed).fit(texts, labels)


def setfit_style(texts: list[str], labels: list[str], seed: int) -> Any:
    """Train the encoder contrastively, then fit a logistic regression on what it says."""
    made = EncoderClassifier(seed=seed, track="full", options={"contrast": CONTRAST}).fit(texts, labels)
    fitted, rows = made.fitted_, made._rows(texts)  # noqa: SLF001 - the estimator's own way from texts to rows
    index = {name: column for column, name in enumerate(fitted.labels)}
    rows.targets[:] = torch.eye(len(index))[[index[label] for label in labels]]
    ones = torch.ones(len(index))
    task = Task(fitted.model, fitted.tokenizer.pad_token_id, rows, rows, ones, [1.0] * len(texts), [])
    fit_head(task, seed=seed)
    return made


OURS = "ours"
RIVALS: dict[str, Callable[[list[str], list[str], int], Any]] = {
    OURS: ours,
    "linear_probe": probe,
    "tfidf_logistic": tfidf,
    "setfit_style": setfit_style,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subset", default=SUBSET)
    parser.add_argument("--labels", type=int, default=None, help="only the first N labels")
    parser.add_argument("--test-rows", type=int, default=None, help="only the first N of their test rows")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    given = parser.parse_args()
    main(given.folder, subset=given.subset, labels=given.labels, test_rows=given.test_rows, seeds=given.seeds)
