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
from interlock.train.encoders import Encoder, resolve
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
class Trained:
    """What training leaves beside the files in the run folder."""

    encoder: Encoder
    recipe: Recipe
    baselines: Mapping[str, list[str]]  # name -> the label it gives each test row
    facts: dict[str, Any]
    unlabelled: str | None = None  # digest of the messages the encoder was adapted to


def train_and_export(  # noqa: PLR0913 - the nouns of a training run, by keyword
    split: Split,
    contract: Contract,
    *,
    learn: TrainSet,
    encoder: str,
    recipe: Recipe,
    run: Path,
    key: str,
    graphs: tuple[str, str],
    watch: Watch,
    clock: Clock,
    unlabelled: Sequence[str] = (),
) -> Trained:
    """Fit the baselines and the encoder; leave ``train.jsonl``, ``model/`` and both graphs in ``run``.

    Args:
        split: the baselines are fitted on its train part; the calibration part is only watched, of the test part only
            texts are read.
        contract: labels and input policy.
        learn: what the encoder learns from: the train part, and what was composed of it.
        encoder: a name ``resolve`` knows.
        recipe: hyper-parameters; a rate of ``None`` means the encoder's own.
        run: the run folder.
        key: what the run is made of; an interrupted training of the same is gone on with.
        graphs: file names of the fp32 and the int8 graph.
        watch: told of every step.
        clock: for speeds.
        unlabelled: messages the encoder is adapted to first.
    """
    from interlock.train.export import export, quantize

    chosen = resolve(encoder)
    graph, graph_int8 = graphs
    watch({"event": "stage", "stage": "baselines", "detail": f"{len(split.train)} rows"})
    found = {
        baseline.name: [contract.label_names[column] for column in baseline.predict(split.test.texts)]
        for baseline in fit_baselines(split.train, contract, seed=recipe.seed)
    }
    watch(
        {
            "event": "stage",
            "stage": "train",
            "detail": f"{chosen.name} on {len(learn)} rows",
        }
    )
    fitted = fit_in(
        *(run, learn, split.calibration, contract),
        encoder=chosen,
        recipe=recipe,
        key=key,
        watch=watch,
        clock=clock,
        unlabelled=unlabelled,
    )
    fitted.save(run / "model")
    watch({"event": "stage", "stage": "export", "detail": "ONNX, then int8"})
    export(fitted, run / graph)
    quantize(fitted, learn, contract.input, source=run / graph, target=run / graph_int8)
    forget(run)
    digest = digest_of(list(unlabelled)) if unlabelled else None
    return Trained(chosen, fitted.recipe, found, fitted.facts, digest)


def fit_in(  # noqa: PLR0913 - the nouns of a training run, by keyword
    folder: Path,
    train: TrainSet,
    watched: CalibrationSet,
    contract: Contract,
    *,
    encoder: Encoder,
    recipe: Recipe,
    key: str,
    watch: Watch,
    clock: Clock,
    unlabelled: Sequence[str] = (),
) -> Fitted:
    """Fine-tune with log and checkpoint in ``folder``, going on with an interrupted training of ``key``.

    A rate of ``None`` becomes the encoder's own, times what the track asks for.
    """
    from interlock.train.checkpoint import Checkpoints
    from interlock.train.fit import fit
    from interlock.train.step_log import StepLog

    rate = recipe.learning_rate or encoder.learning_rate * RATES.get(recipe.track, 1.0)
    with StepLog(folder / STEP_LOG, watch) as log:
        return fit(
            train,
            watched,
            labels=contract.label_names,
            encoder=encoder,
            recipe=replace(recipe, learning_rate=rate),
            policy=contract.input,
            log=log,
            clock=clock,
            checkpoints=Checkpoints(folder / CHECKPOINT, key),
            unlabelled=unlabelled,
        )


def forget(folder: Path) -> None:
    """Remove the checkpoints of a training that is done."""
    for name in (CHECKPOINT, ADAPTED, *SOUP):
        (folder / name).unlink(missing_ok=True)
