"""Everything a build asks of this room, in order: baselines, fine-tuning, export. Knows no test labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlock.core.canonical import digest_of
from interlock.core.clock import Clock
from interlock.core.contract import Contract
from interlock.core.dataset import CalibrationSet, Split, TrainSet
from interlock.core.progress import Watch
from interlock.train.baselines import fit_baselines
from interlock.train.encoders import Encoder
from interlock.train.recipe import Recipe

if TYPE_CHECKING:
    from interlock.train.fit import Fitted

CHECKPOINT, STEP_LOG = "checkpoint.safetensors", "train.jsonl"
ADAPTED = "adapted.safetensors"  # the checkpoint of pretraining, kept until training is done
SOUP = tuple(f"soup-{n}.safetensors" for n in range(2, 21))  # the checkpoints of further models of a soup
RATES = {"lora": 5.0}  # track -> times the encoder's rate: few parameters, far from where they should be
# What of a run an interrupted training goes on from.
RESUMED = (CHECKPOINT, ADAPTED, *SOUP, STEP_LOG, "tensorboard")


@dataclass(frozen=True)
class Training:
    """A training to do: how, in which folder, and what it goes on from.

    Args:
        folder: where log and checkpoint are kept: the run folder, or that of a trial.
        encoder: what is fine-tuned.
        recipe: hyper-parameters; a rate of ``None`` means the encoder's own, times what the track asks for.
        key: what the training is made of; an interrupted one of the same is gone on with.
        watch: told of every step.
        clock: for speeds.
        unlabelled: messages the encoder is adapted to first.
    """

    folder: Path
    encoder: Encoder
    recipe: Recipe
    key: str
    watch: Watch
    clock: Clock
    unlabelled: Sequence[str] = ()


@dataclass(frozen=True)
class Trained:
    """What training leaves beside the files in the run folder."""

    encoder: Encoder
    recipe: Recipe
    baselines: Mapping[str, list[str]]  # name -> the label it gives each test row
    facts: dict[str, Any]
    unlabelled: str | None = None  # digest of the messages the encoder was adapted to


def train_and_export(
    training: Training, split: Split, contract: Contract, *, learn: TrainSet, graphs: tuple[str, str]
) -> Trained:
    """Fit the baselines and the encoder; leave ``train.jsonl``, ``model/`` and both graphs in the training's folder.

    The checkpoints stay for a caller that is interrupted later; ``forget`` removes them.

    Args:
        training: what is trained how.
        split: the baselines are fitted on its train part; the calibration part is only watched, of the test part only
            texts are read.
        contract: labels and input policy.
        learn: what the encoder learns from: the train part, and what was composed of it.
        graphs: file names of the fp32 and the int8 graph.
    """
    from interlock.train.export import export, quantize

    folder, watch = training.folder, training.watch
    watch({"event": "stage", "stage": "baselines", "detail": f"{len(split.train)} rows"})
    found = {
        baseline.name: [contract.label_names[column] for column in baseline.predict(split.test.texts)]
        for baseline in fit_baselines(split.train, contract, seed=training.recipe.seed)
    }
    watch({"event": "stage", "stage": "train", "detail": f"{training.encoder.name} on {len(learn)} rows"})
    fitted = fit_in(training, learn, split.calibration, contract)
    fitted.save(folder / "model")
    watch({"event": "stage", "stage": "export", "detail": "ONNX, then int8"})
    graph, graph_int8 = (folder / name for name in graphs)
    export(fitted, graph)
    quantize(fitted, learn, contract.input, source=graph, target=graph_int8)
    digest = digest_of(list(training.unlabelled)) if training.unlabelled else None
    return Trained(training.encoder, fitted.recipe, found, fitted.facts, digest)


def fit_in(training: Training, train: TrainSet, watched: CalibrationSet, contract: Contract) -> Fitted:
    """Fine-tune with log and checkpoint in the training's folder, going on with an interrupted one of the same key."""
    from interlock.train.checkpoint import Checkpoints
    from interlock.train.fit import fit
    from interlock.train.step_log import StepLog

    folder, encoder, recipe = training.folder, training.encoder, training.recipe
    rate = recipe.learning_rate or encoder.learning_rate * RATES.get(recipe.track, 1.0)
    with StepLog(folder / STEP_LOG, training.watch) as log:
        return fit(
            train,
            watched,
            labels=contract.label_names,
            encoder=encoder,
            recipe=replace(recipe, learning_rate=rate),
            policy=contract.input,
            log=log,
            clock=training.clock,
            checkpoints=Checkpoints(folder / CHECKPOINT, training.key),
            unlabelled=training.unlabelled,
        )


def forget(folder: Path) -> None:
    """Remove the checkpoints of a training that is done."""
    for name in (CHECKPOINT, ADAPTED, *SOUP):
        (folder / name).unlink(missing_ok=True)
