"""CSV and its kin (tabs in ``.tsv``, semicolons when the header has them): one header, one record a row."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from interlock.core.canonical import parse_json
from interlock.core.errors import Problem
from interlock.data.formats.files import lines, too_long, undecodable
from interlock.data.formats.row import FIELDS, MAX_ROW_CHARS, Asked, Format, RawRow, Row, nothing
from interlock.data.write import write_whole

_QUOTES = re.compile('""|"')
KEPT_SUSPECTS = 1000  # lines inside quotes that look like rows of their own


def read(path: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield a row a record; empty fields are absent, ``labels`` is ``a|b`` or a JSON list, ``weight`` a number."""
    del asked
    records = _Records(path)
    header = next(records, None)
    if header is None:
        return
    where, first, _ = header
    names = first if isinstance(first, Problem) else _header(first, where)
    if isinstance(names, Problem):
        yield where, names
        return
    seen: set[str] = set()
    suspects: list[tuple[str, str]] = []
    for where, record, text in records:
        if not record:
            continue  # a blank line
        if isinstance(record, Problem):
            yield where, record
            continue
        row = _row(names, record, where)
        if isinstance(row, dict):
            seen.add(row.get("label", ""))
            suspects += _inside(names, text, where) if len(suspects) < KEPT_SUSPECTS else []
        yield where, row
    for where, label in suspects:
        if label and label in seen:
            yield where, Problem(where, "", "one row a line", "a quoted field that holds lines which look like rows")


class _Records:
    """Records with the place they begin at and the text they came from; lines and records are bounded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = lines(path)
        self._taken: list[str] = []
        self._number = 0
        self._done = False
        self._reader: Any = None

    def __iter__(self) -> _Records:
        return self

    def __next__(self) -> tuple[str, list[str] | Problem, list[str]]:
        self._taken = []
        if self._done:
            raise StopIteration
        first = self._number + 1
        where = f"{self._path}:{first}"
        try:
            if self._reader is None:
                self._reader = self._start()
            record = next(self._reader)
        except csv.Error as error:
            self._done = True  # where a record ends is not known any more
            return where, self._broken(first, str(error)), self._taken
        except _BadLineError:
            self._done = True
            where = f"{self._path}:{self._number}"
            return where, too_long(where), self._taken
        return where, record, self._taken

    def _start(self) -> Any:
        source = self._feed()
        first = next(source)
        delimiter = "\t" if ".tsv" in self._path.suffixes else next((c for c in ",;\t" if c in first), ",")
        csv.field_size_limit(MAX_ROW_CHARS)

        def again() -> Iterator[str]:
            yield first
            yield from source

        return csv.reader(again(), delimiter=delimiter, strict=True)

    def _feed(self) -> Iterator[str]:
        size = 0
        for number, line in self._lines:
            self._number = number
            size = size + len(line or "") if self._taken else len(line or "")
            if line is None or size > MAX_ROW_CHARS:
                raise _BadLineError
            self._taken.append(line)
            yield line

    def _broken(self, first: int, said: str) -> Problem:
        if "end of data" not in said:
            got = f"{said} (line {self._number})"
            return Problem(f"{self._path}:{first}", "", "well-formed CSV, a quote in a field doubled", got)
        where = f"{self._path}:{first + _opened(self._taken)}"
        got = f"one that is open up to line {self._number}, the end of the file"
        return Problem(where, "", "a quote that is closed", got)


class _BadLineError(Exception):
    pass


def _opened(taken: list[str]) -> int:
    """Return the index of the line with the last quote that opened a field."""
    at, inside = 0, False
    for index, line in enumerate(taken):
        for quotes in _QUOTES.findall(line):
            if len(quotes) == 1:  # a doubled one is a quote inside a field, or an empty field
                inside = not inside
                at = index if inside else at
    return at


def _header(record: list[str], where: str) -> list[str] | Problem:
    names = [name.strip() for name in record]
    if not any(names):
        return Problem(where, "", "a header", "a blank line")
    counts = Counter(names)
    twice = next((name for name in names if name and counts[name] > 1), None)
    return Problem(where, twice[:80], "each column once", "it twice") if twice else names


def _row(names: list[str], record: list[str], where: str) -> dict[str, Any] | Problem:
    if len(record) != len(names):
        return Problem(where, "", f"{len(names)} fields, as in the header", f"{len(record)}")
    for name, value in zip(names, record, strict=True):
        if bad := undecodable(value):
            return Problem(where, name, "UTF-8 text", bad.split(" at ")[0])
        if "\0" in value:
            return Problem(where, name, "text", "a NUL byte (UTF-16, or a broken file)")
    out: dict[str, Any] = {name: value for name, value in zip(names, record, strict=True) if value}
    if "labels" in out:
        out["labels"] = _labels(out["labels"])
    if "weight" in out:
        out["weight"] = _number(out["weight"])
    return out


def _labels(cell: str) -> Any:
    if cell.startswith("["):
        try:
            return parse_json(cell)
        except ValueError:
            return cell
    return [label.strip() for label in cell.split("|")]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _inside(names: list[str], taken: list[str], where: str) -> list[tuple[str, str]]:
    """Return the lines within a record's quotes that would be whole rows themselves, with the label they would have.

    A quote that was never closed swallows rows up to the next quote; a message of several lines is no such thing.
    """
    if len(taken) < 3 or "label" not in names:  # noqa: PLR2004 - the first and the last line belong to the record
        return []
    path, _, first = where.rpartition(":")
    rows = csv.reader(taken[1:-1], delimiter=_delimiter(taken[0], len(names)))
    return [
        (f"{path}:{int(first) + at}", row[names.index("label")])
        for at, row in enumerate(rows, start=1)
        if len(row) == len(names)
    ]


def _delimiter(line: str, columns: int) -> str:
    return max(",;\t", key=line.count) if columns > 1 else ","


def write(rows: Iterable[Row], path: Path) -> None:
    """Write every column that a row may have; what is absent is empty."""
    delimiter = "\t" if ".tsv" in path.suffixes else ","
    write_whole(path, _text(rows, delimiter))


def _text(rows: Iterable[Row], delimiter: str) -> Iterator[str]:
    cell = io.StringIO(newline="")
    table = csv.writer(cell, delimiter=delimiter, lineterminator="\r\n")  # so that either is quoted inside a field
    table.writerow(FIELDS)
    for row in rows:
        table.writerow([_cell(name, row.get(name)) for name in FIELDS])
        yield cell.getvalue()
        cell.seek(0)
        cell.truncate()


def _cell(name: str, value: Any) -> Any:
    if name == "labels" and value is not None:
        plain = not any("|" in label or label != label.strip() or label.startswith("[") for label in value)
        return "|".join(value) if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


CSV = Format("csv", (".csv", ".tsv"), read, write, nothing)
