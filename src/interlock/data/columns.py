"""Fields under other names than the ones that are read: noticed, told, and renamed. Knows no file formats."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from interlock.core.errors import InputError, Problem, did_you_mean
from interlock.data.formats.row import FIELDS, RawRow

LOOKED_AT = 100  # rows in which a field must stand at least once
NEEDED = {"text": ("text",), "label": ("label", "labels", "annotations")}  # what a row must say -> the fields that may
LISTED = 20  # names of fields in an error


def recognised(rows: Iterator[RawRow], path: Path, *, needs: Collection[str] = NEEDED) -> Iterator[RawRow]:
    """Return ``rows``, unless the file seems to call what is needed by other names.

    Args:
        rows: raw rows with their place.
        path: the file, for the error.
        needs: keys of ``NEEDED``.

    Raises:
        InputError: none of the first rows has a field that is needed, and they have fields that are not known.
    """
    first = list(islice(rows, LOOKED_AT))
    names = _names(first)
    absent = [need for need in needs if not names & set(NEEDED[need])]
    others = sorted(names - set(FIELDS))
    if absent and others:
        mapping = " ".join(f"--column {need}=FIELD" for need in absent)
        raise InputError(
            f"{path} has no field {' and no field '.join(absent)}; its other fields are {_listed(others)}",
            todo=f"Say which of them it is: interlock convert {path} -o rows.jsonl {mapping}",
        )
    return chain(first, rows)


def parse_columns(given: Sequence[str]) -> dict[str, str]:
    """Return what stands for each field, from ``FIELD=COLUMN`` each.

    Raises:
        InputError: with every problem: no such field, a field or a column twice, or no column.
    """
    problems: list[Problem] = []
    found: dict[str, str] = {}
    for each in given:
        name, equals, column = each.partition("=")
        if not equals or not column:
            problems.append(Problem("--column", "", "FIELD=COLUMN, such as text=utterance", repr(each[:80])))
        elif name not in FIELDS:
            expected = f"one of {', '.join(FIELDS)}"
            problems.append(Problem("--column", each[:80], expected, repr(name) + did_you_mean(name, list(FIELDS))))
        elif name in found or column in found.values():
            problems.append(Problem("--column", each[:80], "each field and each column once", "it twice"))
        else:
            found[name] = column
    if problems:
        raise InputError("--column does not read", problems)
    return found


def renamed(rows: Iterator[RawRow], path: Path, columns: Mapping[str, str]) -> Iterator[RawRow]:
    """Return ``rows`` with the fields in ``columns`` (name -> what the file calls it) by their own names.

    Raises:
        InputError: none of the first rows has such a field.
    """
    first = list(islice(rows, LOOKED_AT))
    names = _names(first)
    if absent := [column for column in columns.values() if column not in names]:
        todo = f"Its fields are {_listed(sorted(names))}."
        raise InputError(f"{path} has no field {' and no field '.join(absent)}", todo=todo)
    back = {column: name for name, column in columns.items()}
    return ((where, _renamed(row, where, back)) for where, row in chain(first, rows))


def _renamed(row: dict[str, Any] | Problem, where: str, back: Mapping[str, str]) -> dict[str, Any] | Problem:
    if isinstance(row, Problem):
        return row
    for column, name in back.items():
        if column in row and name in row and name not in back:
            return Problem(where, name, "one field that says it", f"{name} and {column}")
    return {back.get(name, name): value for name, value in row.items()}


def _names(rows: Iterable[RawRow]) -> set[str]:
    return {name for _, row in rows if not isinstance(row, Problem) for name in row}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:80]) for name in names[:LISTED])
    return shown + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
