"""Data files to the rows of each part, by file or by a field ``split``. Knows no check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from interlock.core.dataset import Example, Part
from interlock.core.errors import InputError, Problem
from interlock.data.audit.mask import masked
from interlock.data.formats import RawRow, raw_rows
from interlock.data.read import read
from interlock.data.rows import examples

NAMES: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "calibration": "calibration",
    "validation": "calibration",
    "valid": "calibration",
    "val": "calibration",
    "dev": "calibration",
    "test": "test",
    "testing": "test",
}
Rows = dict[Part, tuple[Example, ...]]


def load(
    data: str | Path, *, labels: Collection[str], test: str | Path | None, calibration: str | Path | None
) -> tuple[Rows, list[str]]:
    """Return the rows of each part, and what a person should know about how they were read.

    Raises:
        InputError: unreadable rows, or an id that two files use for different texts.
    """
    whole, said = _with_split(Path(data), labels)
    rows: Rows = {}
    notes: list[str] = []
    for part, path in (("test", test), ("calibration", calibration)):
        if path is not None:
            rows[_part(part)] = read(path, labels=labels).examples
    if rows:
        rows["train"] = whole
        _check_ids(rows)
        return rows, notes
    unknown = Counter(name for name in said if name is not None and name.casefold() not in NAMES)
    for part in dict.fromkeys(NAMES.values()):
        chosen = tuple(
            row for row, name in zip(whole, said, strict=True) if NAMES.get((name or "").casefold(), "train") == part
        )
        if chosen:
            rows[part] = chosen
    notes += [
        f"the split {masked(name)!r} of {count} rows is not known and was read as train"
        for name, count in unknown.items()
    ]
    return rows, notes


def _with_split(path: Path, labels: Collection[str]) -> tuple[tuple[Example, ...], list[str | None]]:
    said: list[str | None] = []

    def noted() -> Iterator[RawRow]:
        for where, row in raw_rows(path):
            if not isinstance(row, Problem):
                name = row.get("split")
                said.append(name if isinstance(name, str) else None)
            yield where, row

    known = dict.fromkeys(labels)
    good: list[Example] = []
    for item in examples(noted(), labels=known):
        if isinstance(item, Problem):
            return read(path, labels=labels).examples, said  # raises, with every problem named
        good.append(item)
    return tuple(good), said


def _check_ids(rows: Rows) -> None:
    seen: dict[str, str] = {}
    problems = [
        Problem(f"{part} file", f"id {row.id}", "one text for one id", "another file's id for another text")
        for part, some in rows.items()
        for row in some
        if seen.setdefault(row.id, row.text) != row.text
    ]
    if problems:
        raise InputError("two files use the same id for different texts", problems, todo="Give every row its own id.")


def _part(name: str) -> Part:
    return NAMES[name]
