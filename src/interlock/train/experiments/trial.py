"""One training of an experiment: fitted, exported, its rows scored as served, nothing else kept. Knows no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from interlock.core.clock import Clock
from interlock.core.contract import Contract
from interlock.core.dataset import CalibrationSet, Dataset, TestSet, TrainSet
from interlock.core.errors import InputError
from interlock.core.progress import Watch
from interlock.predict.context import in_context
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import NormalText, allowed_start
from interlock.train.baselines import fit_baselines
from interlock.train.encoders import resolve
from interlock.train.recipe import Recipe
from interlock.train.training import Training, fit_in

Engine = Literal["int8", "fp32"]
Floats = npt.NDArray[np.float64]
Columns = npt.NDArray[np.int64]
TIMED = 200  # messages timed at least: fewer than 72 cannot bound P95


@dataclass(frozen=True)
class Material:
    """What every training of an experiment shares."""

    train: TrainSet
    calibration: CalibrationSet
    test: TestSet
    contract: Contract
    engine: Engine = "int8"


@dataclass(frozen=True)
class Trial:
    """One training to do."""

    name: str
    encoder: str
    recipe: Recipe
    baseline: bool = False
    train: TrainSet | None = None  # rows to learn from instead of the material's
    unlabelled: tuple[str, ...] = ()  # messages the encoder is adapted to first


@dataclass(frozen=True)
class Outcome:
    """What a trained model says of the calibration and the test rows, in their order. k labels."""

    calibration: Floats  # (n, k) logits; of a model that states no confidence, 1 for its label and 0 elsewhere
    test: Floats  # (m, k)
    latency_ms: Floats  # (200 or more,) of calibration rows, one at a time: encode and classify
    facts: dict[str, Any]
    states_confidence: bool = True
    cached: bool = False  # read, not trained


def run_trial(trial: Trial, material: Material, *, folder: Path, key: str, watch: Watch, clock: Clock) -> Outcome:
    """Train and score; an interrupted training of the same ``key`` in ``folder`` is gone on with.

    Raises:
        InputError: the rows, the recipe or the encoder do not allow it.
    """
    start = clock.monotonic()
    if trial.baseline:
        score, tokens, facts = _baseline(trial, material)
    else:
        score, tokens, facts = _fine_tuned(trial, material, folder, key, watch, clock)
    minutes = (clock.monotonic() - start) / 60
    logits, texts = _scored(score, material.calibration, material.contract, tokens)
    test, _ = _scored(score, material.test, material.contract, tokens)
    latency = _timed(score, texts, clock)
    seconds = facts.get("train_seconds", 60 * minutes)
    return Outcome(logits, test, latency, {**facts, "train_minutes": seconds / 60}, not trial.baseline)


Score = Callable[[NormalText], Floats]
Tokens = Callable[[NormalText], int]


def _fine_tuned(
    trial: Trial, material: Material, folder: Path, key: str, watch: Watch, clock: Clock
) -> tuple[Score, Tokens, dict[str, Any]]:
    from interlock.train.export import export, quantize

    contract, rows = material.contract, trial.train or material.train
    training = Training(folder, resolve(trial.encoder), trial.recipe, key, watch, clock, trial.unlabelled)
    fitted = fit_in(training, rows, material.calibration, contract)
    graph, small = folder / "model.onnx", folder / "model.int8.onnx"
    export(fitted, graph)
    if material.engine == "int8":
        quantize(fitted, rows, contract.input, source=graph, target=small)
    scorer = OnnxEncoder(
        graph=(small if material.engine == "int8" else graph).read_bytes(),
        tokenizer=fitted.tokenizer.backend_tokenizer.to_str().encode(),
        labels=len(contract.labels),
        max_tokens=contract.input.max_tokens,
    )
    for path in (graph, small):
        path.unlink(missing_ok=True)

    def score(text: NormalText) -> Floats:
        return np.asarray(scorer.classify(scorer.encode(text)).logits, dtype=np.float64)

    return score, lambda text: scorer.encode(text).tokens, fitted.facts


def _baseline(trial: Trial, material: Material) -> tuple[Score, Tokens, dict[str, Any]]:
    contract = material.contract
    fitted = fit_baselines(trial.train or material.train, contract, seed=trial.recipe.seed)
    found = {baseline.name: baseline.predict for baseline in fitted}
    if trial.name not in found:
        raise InputError(f"the contract allows no baseline {trial.name}", todo="Give labels keywords, or leave it out.")
    marks = np.eye(len(contract.labels))

    def score(text: NormalText) -> Floats:
        return np.asarray(marks[found[trial.name]([text])[0]])

    return score, lambda _: material.contract.input.max_tokens + 1, {}  # it looks at the message alone


def _scored(score: Score, rows: Dataset, contract: Contract, tokens: Tokens) -> tuple[Floats, list[NormalText]]:
    policy = contract.input
    texts = [in_context(allowed_start(row.text, policy), row.conversation, policy, tokens=tokens) for row in rows]
    return np.stack([score(text) for text in texts]) if texts else np.empty((0, len(contract.labels))), texts


def _timed(score: Score, texts: Sequence[NormalText], clock: Clock) -> Floats:
    """Return how long each text takes, the whole sequence again until there are enough durations to bound P95."""
    rounds = -(-TIMED // len(texts)) if texts else 0
    out = []
    for text in list(texts) * rounds:
        before = clock.monotonic()
        score(text)
        out.append(1000 * (clock.monotonic() - before))
    return np.array(out, dtype=np.float64)
