"""One data file to another format; what cannot be carried refuses the conversion, or is counted and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from interlock.core.dataset import Example
from interlock.core.errors import InputError, Problem
from interlock.data.columns import recognised, renamed
from interlock.data.formats import RawRow, format_for, named, raw_rows
from interlock.data.formats.row import FIELDS, Asked, Format, Row
from interlock.data.read import MAX_ROWS, bad_rows, keep, too_much
from interlock.data.rows import examples

ESSENTIAL = frozenset({"text", "label", "labels", "split"})  # without one of these a row says something else
LISTED = 50


@dataclass(frozen=True)
class Converted:
    """What became of a conversion."""

    rows: int
    format: str
    skipped: Mapping[str, int]  # what is not in the new file -> how often
    listed: tuple[str, ...]  # the first rows that are not, or not whole, in the new file
    out: Path

    def to_json(self) -> dict[str, Any]:
        """Return what ``convert --json`` prints."""
        return {
            "rows": self.rows,
            "format": self.format,
            "skipped": dict(self.skipped),
            "listed": list(self.listed),
            "out": str(self.out),
        }


def convert(
    data: str | Path,
    out: Path,
    *,
    source: str | None = None,
    to: str | None = None,
    question: str | None = None,
    columns: Mapping[str, str] = MappingProxyType({}),
    lossy: bool = False,
) -> Converted:
    """Write the rows of ``data`` to ``out``, which appears only when it is whole.

    Args:
        data: any file or folder that can be read.
        out: the new file or folder.
        source: the format of ``data``; told by its name and content without it.
        to: the format of ``out``; told by its extension without it.
        question: which of several questions to annotators holds the label.
        columns: field -> what ``data`` calls it.
        lossy: go on without what cannot be carried: fields that the format does not have, rows without a label, ties.

    Raises:
        InputError: bad rows; or, unless ``lossy``, every field of every row that ``out`` could not give back.
    """
    path = Path(data)
    target = named(to) if to is not None else format_for(out)
    walk = _Walk(path, target, lossy=lossy, asked=Asked(question), columns=columns)
    target.write(walk.rows(source), out)
    return Converted(walk.written, target.name, dict(sorted(walk.asked.skipped.items())), tuple(walk.listed), out)


@dataclass
class _Walk:
    """One pass over the rows, and what it met."""

    path: Path
    target: Format
    lossy: bool
    asked: Asked
    columns: Mapping[str, str]
    written: int = 0
    listed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _where: str = ""
    _raw: Row = field(default_factory=dict)

    def rows(self, source: str | None) -> Iterator[Row]:
        """Yield rows for the writer; raise once all are seen when one cannot be carried."""
        for item in examples(self._noted(self._raw_rows(source)), labels=None):
            if isinstance(item, Problem):
                self._bad(item)
            elif (row := self._kept(self._row(item))) is not None:
                self.written += 1
                if self.written > MAX_ROWS:
                    raise too_much(self.path)
                yield row
        self.asked.skipped = Counter({name: count for name, count in self.asked.skipped.items() if count})
        if self.problems:
            raise bad_rows(self.path, self.problems)
        if not self.written:
            raise InputError(f"no row of {self.path} can be written as {self.target.name}: {dict(self.asked.skipped)}")

    def _raw_rows(self, source: str | None) -> Iterator[RawRow]:
        found = renamed(raw_rows(self.path, format_name=source, asked=self.asked), self.path, self.columns)
        return recognised(found, self.path, needs=("text",) if self.lossy else ("text", "label"))

    def _noted(self, rows: Iterator[RawRow]) -> Iterator[RawRow]:
        for where, row in rows:
            self._where, self._raw = where, {} if isinstance(row, Problem) else row
            self.asked.skipped.update(f"field {name[:80]!r}" for name in self._raw if name not in FIELDS)
            yield where, row

    def _row(self, example: Example) -> dict[str, Any]:
        """Return the fields of a checked row; an id that comes from the content comes from it again."""
        row = example.to_json()
        if "id" not in self._raw:
            del row["id"]
        return row | ({"split": self._raw["split"]} if "split" in self._raw else {})

    def _kept(self, row: dict[str, Any]) -> Row | None:
        if not isinstance(row.get("split", ""), str):
            self._bad(Problem(self._where, "split", "text", repr(row["split"])[:80]))
            return None
        lost = self.target.lost(row)
        if not lost:
            return row
        if not self.lossy:
            for name in lost:
                expected = f"what {self.target.name} can hold (--lossy goes on without it)"
                keep(self.problems, Problem(self._where, name, expected, repr(row[name])[:80]), self.path)
            return None
        whole = not ESSENTIAL & set(lost)
        self._lose(f"field {', '.join(lost)}" if whole else f"row, for its {', '.join(lost)}")
        return {name: value for name, value in row.items() if name not in lost} if whole else None

    def _bad(self, problem: Problem) -> None:
        unlabelled = problem.field in {"label", "labels"} and not self._raw.get("label") and not self._raw.get("labels")
        if self.lossy and unlabelled and self._raw:
            self._lose("row, for a tie of its annotators" if self._raw.get("annotations") else "row without a label")
        else:
            keep(self.problems, problem, self.path)

    def _lose(self, what: str) -> None:
        self.asked.skipped[what] += 1
        if len(self.listed) < LISTED:
            self.listed.append(f"{self._where}: {what}")
