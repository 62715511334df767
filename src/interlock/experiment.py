"""Many trainings on one split, compared: which settings, which loss, which model, how much the seed matters."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from interlock.core.clock import Clock, SystemClock
from interlock.core.contract import Contract
from interlock.core.contract_file import parse_contract
from interlock.core.dataset import Split
from interlock.core.errors import InputError, require
from interlock.core.progress import Watch, unwatched
from interlock.data.compose import to_learn
from interlock.data.prepare import file_bytes, prepare
from interlock.data.suspects import weigh_suspects
from interlock.data.unlabelled import unlabelled
from interlock.report.arms import Arm, By, Rows
from interlock.report.experiment import Table, compare_arms
from interlock.report.experiment_page import write_experiment
from interlock.report.models import Bench, bench
from interlock.report.seeds import Seeds, over_seeds
from interlock.train.encoders import check_available, resolve
from interlock.train.experiments import grid as grids
from interlock.train.experiments.cache import open_folder
from interlock.train.experiments.run import run_trials
from interlock.train.experiments.trial import Engine, Material, Trial
from interlock.train.recipe import Recipe
from interlock.train.weights import rarest

Kind = Literal["ablate", "losses", "tracks", "models", "seeds"]
Found = Table | Bench | Seeds
MODULES = ("torch", "transformers", "sklearn", "onnx", "onnxscript", "polars")
SEEDS = (42, 123, 2024)
BASELINES = ("tfidf_logistic", "keywords")
LATENCY = "latency_p95_ms"


def experiment(  # noqa: PLR0913 - the keyword options of the commands
    kind: Kind,
    *,
    contract: str | Path,
    data: str | Path,
    out: str | Path,
    test: str | Path | None = None,
    calibration: str | Path | None = None,
    encoder: str = "minilm",
    grid: str = "",
    candidates: Sequence[str] = (),
    seeds: Sequence[int] = (),
    by: By = "accuracy",
    budget_ms: float | None = None,
    core_hour_usd: float = 0.05,
    recipe: Recipe | None = None,
    engine: Engine = "int8",
    parallel: int = 1,
    watch: Watch = unwatched,
    clock: Clock | None = None,
) -> Found:
    """Train what ``kind`` asks for, compare it, and write ``experiment.json`` and ``experiment.md`` into ``out``.

    Args:
        kind: ``ablate`` (a grid), ``losses``, ``tracks``, ``models`` (encoders and baselines) or ``seeds``.
        contract: the contract file.
        data: labelled messages; all of them, or the training rows when ``test`` is given.
        out: the experiment's folder; trainings it holds already are not done again, interrupted ones are gone on with.
        test: frozen test rows of an official split.
        calibration: its calibration rows.
        encoder: what is fine-tuned, except by ``models``.
        grid: recipe fields and values, for ``ablate``.
        candidates: encoders, for ``models``.
        seeds: of every arm; by default the recipe's own, and 42, 123 and 2024 for ``seeds``.
        by: what counts as better.
        budget_ms: P95 a model must keep, for ``models``; by default the contract's limit.
        core_hour_usd: dollars an hour of a core costs, for ``models``.
        recipe: what all arms share; its seed decides the split.
        engine: the graph that is measured.
        parallel: worker processes.
        watch: told how far it is.
        clock: the machine's, unless a test gives another.

    Raises:
        InputError: anything wrong with what was given, or a baseline that cannot be trained.
    """
    require("Experiments", extra="train", modules=MODULES)
    recipe, clock, folder = recipe or Recipe(), clock or SystemClock(), Path(out)
    terms = parse_contract(file_bytes(contract), where=str(contract))
    arms, notes = _arms(kind, terms, encoder=encoder, grid=grid, candidates=candidates, seeds=seeds, recipe=recipe)
    for name in dict.fromkeys(arm.encoder for arm in arms if not arm.baseline):
        check_available(resolve(name))
    split = prepare(data, calibration=calibration, test=test, contract=terms, seed=recipe.seed, watch=watch)
    material = Material(split.train, split.calibration, split.test, terms, engine)
    texts = {path: unlabelled(path, split, watch=watch) for path in {arm.recipe.adapt for arm in arms}}
    trials = [
        [_trial(arm, seed, split, terms, texts[arm.recipe.adapt], watch) for seed in _seeds_of(arm, kind, seeds)]
        for arm in arms
    ]
    every = list(chain.from_iterable(trials))
    with open_folder(folder):
        outcomes = iter(run_trials(every, material, out=folder, parallel=parallel, watch=watch, clock=clock))
        trained = [
            Arm(arm.name, arm.settings, tuple(islice(outcomes, len(own))))
            for arm, own in zip(arms, trials, strict=True)
        ]
        if trained[0].failed is not None:
            raise InputError(f"the baseline {trained[0].name} could not be trained", todo=trained[0].failed)
        watch({"event": "stage", "stage": "measure", "detail": f"{len(arms)} arms"})
        rare = tuple(rarest(split.train.counts(), terms.label_names))
        judging = Rows(terms, "calibration", split.calibration, split.calibration, rare)
        tests = Rows(terms, "test", split.test, split.calibration, rare)
        result = _compared(kind, trained, judging, tests, by=by, budget_ms=budget_ms, core_hour_usd=core_hour_usd)
        about = {"contract": terms.name, "contract_digest": terms.digest, "split": split.manifest.digest}
        write_experiment(result, folder, about={**about, "data": Path(data).name}, notes=notes)
    return result


def _compared(
    kind: Kind, arms: Sequence[Arm], judging: Rows, test: Rows, *, by: By, budget_ms: float | None, core_hour_usd: float
) -> Found:
    if kind == "seeds":
        return over_seeds(arms, test)
    if kind == "models":
        limit = judging.contract.limit(LATENCY)
        budget = budget_ms if budget_ms is not None else limit.at_most if limit is not None else None
        return bench(arms, judging, test, budget_ms=budget, core_hour_usd=core_hour_usd)
    return compare_arms(arms, judging, test, kind=kind, by=by)


def _arms(
    kind: Kind,
    contract: Contract,
    *,
    encoder: str,
    grid: str,
    candidates: Sequence[str],
    seeds: Sequence[int],
    recipe: Recipe,
) -> tuple[list[grids.Arm], list[str]]:
    """Return what is trained, the baseline first, and what a reader should know of what is not."""
    if kind == "ablate":
        return grids.grid_arms(grids.parse_grid(grid), encoder=encoder, recipe=recipe), []
    if kind == "losses":
        return grids.loss_arms(encoder=encoder, recipe=recipe), []
    if kind == "seeds":
        return grids.seed_arms(seeds or SEEDS, encoder=encoder, recipe=recipe), []
    if kind == "models":
        keywords = any(label.keywords for label in contract.labels.values())
        baselines = [name for name in BASELINES if name != "keywords" or keywords]
        return grids.model_arms(candidates or (encoder,), baselines, recipe=recipe), []
    arms = grids.track_arms(encoder=encoder, recipe=recipe, layers=grids.layers_of(encoder))
    if importlib.util.find_spec("peft") is None:
        return [arm for arm in arms if arm.name != "lora"], ["lora was left out: pip install 'interlock[lora]'"]
    return arms, []


def _seeds_of(arm: grids.Arm, kind: Kind, seeds: Sequence[int]) -> Sequence[int]:
    return [arm.recipe.seed] if kind in {"seeds", "models"} or not seeds else seeds


def _trial(arm: grids.Arm, seed: int, split: Split, contract: Contract, texts: tuple[str, ...], watch: Watch) -> Trial:
    recipe = replace(arm.recipe, seed=seed)
    train = weigh_suspects(split, contract, weight=recipe.suspects, watch=watch).train
    if not arm.baseline:
        train = to_learn(train, contract, share=recipe.compose, seed=seed)
    name = arm.name if seed == arm.recipe.seed else f"{arm.name}, seed {seed}"
    rows = None if train is split.train else train
    return Trial(name, arm.encoder, recipe, baseline=arm.baseline, train=rows, unlabelled=texts)
