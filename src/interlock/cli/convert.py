"""``interlock convert``: labelled rows from any format to any other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from interlock.cli.screen import console, say_json


def register(app: cyclopts.App) -> None:
    """Add this file's command."""
    app.command(convert)


def convert(
    data: Path,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    to: str | None = None,
    source: Annotated[str | None, Parameter(name="--format")] = None,
    question: str | None = None,
    column: Annotated[tuple[str, ...], Parameter(negative_iterable=())] = (),
    lossy: bool = False,
    json: bool = False,
) -> int:
    """Write labelled rows in another format.

    The formats: jsonl, json, csv, parquet, huggingface, rasa, autointent, labelstudio, argilla.
    Example: interlock convert export.json -o rows.jsonl

    Args:
        data: The rows, a file or a dataset folder.
        out: The file to write, or the folder for huggingface.
        to: Its format; told by the extension otherwise.
        source: The format of the data; told by its extension and content otherwise.
        question: Of a Label Studio or Argilla project with several questions, the one that holds the label.
        column: What the data calls a field, such as text=utterance; once for each field that has another name.
        lossy: Go on without fields the format cannot hold, rows without a label and ties; they are counted and listed.
        json: Print one machine-readable object.
    """
    from interlock.data.columns import parse_columns
    from interlock.data.convert import convert as walk

    columns = parse_columns(column)
    made = walk(data, out, source=source, to=to, question=question, columns=columns, lossy=lossy)
    if json:
        say_json(made.to_json())
        return 0
    screen = console()
    screen.print(f"{made.rows} rows written to {made.out} ({made.format})", markup=False, soft_wrap=True)
    for what, count in made.skipped.items():
        screen.print(f"  not carried: {what} ({count})", markup=False, soft_wrap=True)
    for line in made.listed:
        screen.print(f"    {line}", markup=False, soft_wrap=True)
    return 0
