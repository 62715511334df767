"""A row between files: its fields, and what every format says of itself. Knows no format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interlock.core.errors import Problem

FIELDS = (
    "id",
    "text",
    "label",
    "labels",
    *("group", "timestamp", "slice", "lang", "source"),
    "weight",
    "split",
    "annotations",
)
EXTRAS = ("group", "timestamp", "slice", "lang", "source", "weight", "split")  # what tools keep as data about a row
MAX_ROW_CHARS = 1_000_000  # a labelled message is short; a longer row is a broken file
Row = Mapping[str, Any]
RawRow = tuple[str, dict[str, Any] | Problem]  # ("file:line", the row or what is wrong with it)


@dataclass
class Asked:
    """What the caller wants of an import, and what the import left out."""

    question: str | None = None  # which of several questions to annotators holds the label
    skipped: Counter[str] = field(default_factory=Counter)  # what is no row or no label -> how often


Read = Callable[[Path, Asked], Iterator[RawRow]]


@dataclass(frozen=True)
class Format:
    """One file format: how it is told, read and written, and what it cannot hold."""

    name: str
    suffixes: tuple[str, ...]  # of files it is written to; empty for folders
    read: Read
    write: Callable[[Iterable[Row], Path], None]
    lost: Callable[[Row], Collection[str]]  # the fields of a row that a file of this format would not give back


def nothing(row: Row) -> Collection[str]:
    """Say that every field of ``row`` is carried."""
    del row
    return ()


def outside(row: Row, held: Collection[str]) -> list[str]:
    """Return the fields of ``row`` that are not among those held."""
    return [name for name in row if name not in held]


def borrowed(given: Any, asked: Asked, *, known: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields of a row that a tool kept as data about it; count the others as skipped.

    Args:
        given: what the tool kept; nothing is borrowed from what is no object.
        asked: where the other fields are counted.
        known: fields that were read already.
    """
    if not isinstance(given, dict):
        return {}
    out: dict[str, Any] = {}
    for name, value in given.items():
        if name in EXTRAS and (name != "source" or value in {"production", "synthetic"}):
            out[name] = value
        elif name not in known:
            asked.skipped[f"field {name[:80]!r}"] += 1
    return {name: value for name, value in out.items() if value is not None}


def label_names(row: Row) -> list[str]:
    """Return the labels of a row that has ``label`` or ``labels``."""
    return list(row["labels"]) if "labels" in row else [row["label"]]


def labelled(names: list[Any]) -> dict[str, Any]:
    """Return the field that holds ``names``: ``label`` for one, ``labels`` for several, none for none."""
    if not names:
        return {}
    return {"label": names[0]} if len(names) == 1 else {"labels": names}
