"""``interlock experiment inject``, ``counterfactual`` and ``uncertainty``: a bundle challenged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from interlock.cli.screen import Watching, console, say_json
from interlock.train.recipe import Recipe

if TYPE_CHECKING:
    from interlock.report.challenge import Counterfactuals, Injections

RECIPE = Recipe()


def inject(  # noqa: PLR0913 - one option per choice
    bundle: Path,
    data: Path,
    *,
    train: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    encoder: str = "minilm",
    most: int = 2000,
    parallel: int = 1,
    json: bool = False,
    recipe: Annotated[Recipe, Parameter(name="*")] = RECIPE,
) -> int:
    """Inject errors into messages, scores, files and training rows. Exit 1 unless every criterion is shown to hold.

    Example: interlock experiment inject runs/1/bundle rows.jsonl --train train.jsonl -o injected

    Args:
        bundle: A bundle directory.
        data: Labelled messages that the bundle has not learnt from.
        train: Training rows: routers are then trained without and with wrong labels and missing rows.
        out: Folder for experiment.json, experiment.md and the trainings; --train needs one.
        encoder: What is trained.
        most: Rows drawn of DATA for errors in messages and scores.
        parallel: Trainings at a time.
        json: Print one machine-readable object.
        recipe: How routers are trained.
    """
    from interlock.bundle.open import open_bundle
    from interlock.challenge import inject as walk

    with Watching() as watch:
        found = walk(
            open_bundle(bundle),
            bundle,
            data,
            train=train,
            out=out,
            encoder=encoder,
            recipe=recipe,
            parallel=parallel,
            most=most,
            seed=recipe.seed,
            watch=watch,
        )
    return _answer(found, f"Errors injected into {bundle}, judged on {data}", about={"bundle": str(bundle)}, json=json)


def counterfactual(
    bundle: Path,
    data: Path | None = None,
    *,
    suite: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    at_least: float = 0.9,
    most: int = 2000,
    seed: int = 42,
    json: bool = False,
) -> int:
    """Change messages that a bundle gets right in ways that should not matter. Exit 1 unless every suite holds.

    Example: interlock experiment counterfactual runs/1/bundle rows.jsonl -o changed

    Args:
        bundle: A bundle directory.
        data: Labelled messages to change.
        suite: Changed messages that an earlier run kept, instead: its suite.jsonl.
        out: Folder for experiment.json, experiment.md and suite.jsonl, which holds the messages' texts.
        at_least: Share of each suite's cases that must be shown to hold.
        most: Rows drawn of DATA.
        seed: Decides which rows are drawn and how they change.
        json: Print one machine-readable object.
    """
    from interlock.bundle.open import open_bundle
    from interlock.challenge import counterfactual as walk

    opened = open_bundle(bundle)
    with Watching() as watch:
        found = walk(opened, data, suite=suite, out=out, least=at_least, most=most, seed=seed, watch=watch)
    return _answer(found, f"Messages changed for {bundle}", about={"bundle": str(bundle)}, json=json)


def uncertainty(
    bundle: Path, data: Path, *, passes: int = 20, most: int = 2000, seed: int = 42, json: bool = False
) -> int:
    """See whether passes with dropout find a model's errors better than its plain confidence does.

    Example: interlock experiment uncertainty runs/1/bundle test.jsonl

    Args:
        bundle: A bundle directory.
        data: Labelled messages that the bundle has not learnt from.
        passes: Passes with dropout, of every message.
        most: Rows drawn of DATA.
        seed: Decides which rows are drawn and what is dropped.
        json: Print one machine-readable object.
    """
    from rich.table import Table as RichTable

    from interlock.bundle.open import open_bundle
    from interlock.challenge import uncertainty as walk

    opened = open_bundle(bundle)
    with Watching() as watch:
        found = walk(opened, data, passes=passes, most=most, seed=seed, watch=watch)
    if json:
        say_json({"bundle": str(bundle), "data": str(data), **found.to_json()})
        return 0
    head, *lines = found.cells()
    title = f"Finding the {found.errors} errors among {found.n} rows, {found.passes} passes with dropout"
    table = RichTable(*head, title=title, title_justify="left")
    for line in lines:
        table.add_row(*line)
    console().print(table)
    return 0


def _answer(found: Injections | Counterfactuals, title: str, *, about: dict[str, str], json: bool) -> int:
    from rich.markup import escape
    from rich.table import Table as RichTable

    from interlock.report.challenge import cells

    if json:
        say_json({**about, **found.to_json()})
    else:
        head, lines = cells(found)
        table = RichTable(title=escape(title), title_justify="left")
        for column in head:
            table.add_column(column, overflow="fold")
        for line in lines:
            table.add_row(*map(escape, line))
        console().print(table)
    return 0 if found.passes else 1
