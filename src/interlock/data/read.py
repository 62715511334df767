"""A data file to a ``Dataset``, all of it or one error that lists what is wrong. Knows no splits."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from interlock.core.dataset import Dataset, Example
from interlock.core.errors import InputError, Problem
from interlock.data.formats import raw_rows
from interlock.data.rows import check_text, examples

KEPT_PROBLEMS = 10_000  # beyond this a file is plainly of another kind; counting on would only use memory


def read(path: str | Path, *, labels: Collection[str] | None = None) -> Dataset:
    """Read labelled messages.

    Args:
        path: JSON lines, CSV, Parquet (``.gz`` allowed for the first two), or a Hugging Face dataset folder.
        labels: the labels a row may carry; ``None`` accepts any.

    Raises:
        InputError: naming every problem with file:line, field, expected and got. Nothing half-read is returned.
    """
    path = Path(path)
    known = None if labels is None else dict.fromkeys(labels)  # ordered, with fast membership
    good: list[Example] = []
    problems: list[Problem] = []
    for item in examples(raw_rows(path), labels=known):
        if isinstance(item, Example):
            good.append(item)
        elif len(problems) < KEPT_PROBLEMS:
            problems.append(item)
    if problems:
        raise _bad_rows(path, problems)
    return Dataset(tuple(good))


def read_texts(path: str | Path) -> list[str]:
    """Read messages that need no label, such as examples of what the router should not know."""
    problems: list[Problem] = []
    texts: list[str] = []
    for where, row in raw_rows(Path(path)):
        found = [row] if isinstance(row, Problem) else check_text(row.get("text"), where)
        problems += found
        if not found and not isinstance(row, Problem):
            texts.append(row["text"])
    if problems:
        raise _bad_rows(Path(path), problems)
    return texts


def _bad_rows(path: Path, problems: list[Problem]) -> InputError:
    many = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    return InputError(
        f"{path} was not read: {many}", problems, todo="Mend these rows and run again; nothing was written."
    )
