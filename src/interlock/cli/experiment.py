"""``interlock experiment``: trainings compared, and a bundle challenged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from interlock.cli.challenge import counterfactual, inject, uncertainty
from interlock.cli.screen import Watching, console, say_json
from interlock.train.recipe import Recipe

if TYPE_CHECKING:
    from interlock.experiment import Found, Kind

RECIPE = Recipe()
SEEDS = "42,123,2024"
experiments = cyclopts.App(name="experiment", help="Compare trainings, or challenge a bundle; all with intervals.")


@dataclass(frozen=True)
class Given:
    """What every experiment that trains is given.

    Args:
        contract: The contract file.
        data: Labelled messages; the training rows when --test is given.
        out: The experiment's folder. Trainings that it holds are not done again, an interrupted one is gone on with.
        test: Frozen test rows of an official split.
        calibration: Calibration rows of an official split; everything is chosen by calibration rows.
        encoder: minilm, distilbert, tiny, a folder, or a Hub id.
        engine: The graph that is measured.
        parallel: Trainings at a time, each with its share of the cores.
        json: Print one machine-readable object.
    """

    contract: Path
    data: Path
    out: Annotated[Path, Parameter(name=["--out", "-o"])]
    test: Path | None = None
    calibration: Path | None = None
    encoder: str = "minilm"
    engine: Literal["int8", "fp32"] = "int8"
    parallel: int = 1
    json: bool = False


Common = Annotated[Given, Parameter(name="*")]
Choices = Annotated[Recipe, Parameter(name="*")]
By = Literal["accuracy", "rare_recall"]


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    for command in (ablate, losses, tracks, models, seeds, inject, counterfactual, uncertainty):
        experiments.command(command)
    app.command(experiments)


def ablate(
    *,
    given: Common,
    grid: str,
    seeds: str = "",
    by: By = "accuracy",
    recipe: Choices = RECIPE,
) -> int:
    """Train every combination of a grid and compare it with the first, by a paired test; Holm over all of them.

    Example: interlock experiment ablate --contract c.yaml --data rows.jsonl --grid "gamma=0,1,2" -o ablation

    Args:
        given: What is trained on what.
        grid: Recipe fields and values, like "gamma=0,1,2;label_smoothing=0,0.1". The first values are the baseline.
        seeds: Train every combination once for each, like 42,123,2024: differences then allow for another seed.
        by: What counts as better.
        recipe: What all of them share.
    """
    return _run("ablate", given, recipe, grid=grid, seeds=_seeds(seeds), by=by)


def losses(
    *,
    given: Common,
    seeds: str = "",
    by: By = "accuracy",
    recipe: Choices = RECIPE,
) -> int:
    """Compare cross-entropy with class weights, focal loss, both, label smoothing and oversampling.

    Args:
        given: What is trained on what.
        seeds: As for ablate.
        by: As for ablate.
        recipe: What all of them share.
    """
    return _run("losses", given, recipe, seeds=_seeds(seeds), by=by)


def tracks(
    *,
    given: Common,
    seeds: str = "",
    by: By = "accuracy",
    recipe: Choices = RECIPE,
) -> int:
    """Compare training everything with the upper half, low-rank additions and the head alone.

    Args:
        given: What is trained on what.
        seeds: As for ablate.
        by: As for ablate.
        recipe: What all of them share.
    """
    return _run("tracks", given, recipe, seeds=_seeds(seeds), by=by)


def models(
    *,
    given: Common,
    candidates: str = "",
    budget_ms: float | None = None,
    core_hour_usd: float = 0.05,
    recipe: Choices = RECIPE,
) -> int:
    """Compare encoders and the baselines by quality, speed and price; choose under the latency budget.

    Args:
        given: What is trained on what.
        candidates: Encoders with commas between, the reference first; --encoder without it.
        budget_ms: P95 of a message that a candidate must be shown to keep; the contract's limit without it.
        core_hour_usd: Dollars that an hour of one core costs.
        recipe: What all of them share.
    """
    names = [name.strip() for name in candidates.split(",") if name.strip()]
    return _run("models", given, recipe, candidates=names, budget_ms=budget_ms, core_hour_usd=core_hour_usd)


def seeds(*, given: Common, seeds: str = SEEDS, recipe: Choices = RECIPE) -> int:
    """Train the same recipe under several seeds: what the seed changes beside what other test rows would.

    Args:
        given: What is trained on what.
        seeds: At least two, with commas between. --seed decides the split alone.
        recipe: What all of them share.
    """
    return _run("seeds", given, recipe, seeds=_seeds(seeds, least=2))


def _seeds(text: str, *, least: int = 1) -> list[int]:
    from interlock.train.experiments.grid import parse_seeds

    return parse_seeds(text, least=least) if text or least > 1 else []


def _run(kind: Kind, given: Given, recipe: Recipe, **options: Any) -> int:
    from interlock.experiment import experiment as walk

    with Watching() as watch:
        found = walk(
            kind,
            contract=given.contract,
            data=given.data,
            out=given.out,
            test=given.test,
            calibration=given.calibration,
            encoder=given.encoder,
            recipe=recipe,
            engine=given.engine,
            parallel=given.parallel,
            watch=watch,
            **options,
        )
    if given.json:
        say_json({"out": str(given.out), **found.to_json()})
    else:
        show(found, given.out)
    return 0


def show(found: Found, out: Path) -> None:
    """Print an experiment for people."""
    from rich.markup import escape
    from rich.table import Table as RichTable

    from interlock.report.experiment_page import cells, money_cells, readings, title
    from interlock.report.models import Bench

    screen = console()
    tables = [cells(found), *([money_cells(found)] if isinstance(found, Bench) else [])]
    for (head, lines), name in zip(tables, (title(found), "Dollars a month"), strict=False):
        table = RichTable(title=escape(name), title_justify="left", padding=(0, 0, 0, 1))
        for column in head:
            table.add_column(column, overflow="fold")
        for line in lines:
            table.add_row(*(escape(cell.replace(" (", "\n").removesuffix(")")) for cell in line))
        screen.print(table)
    for sentence in readings(found):
        screen.print(sentence, markup=False, soft_wrap=True)
    screen.print(f"read {escape(str(out / 'experiment.md'))}", soft_wrap=True)
