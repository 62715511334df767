"""A JSON array of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from interlock.core.errors import Problem
from interlock.data.formats.json_stream import elements
from interlock.data.formats.row import Asked, Format, RawRow, Row, nothing
from interlock.data.write import write_whole


def objects(path: Path) -> Iterator[RawRow]:
    """Yield every element of a top-level array; what is no object, or stands elsewhere, is a problem."""
    for key, where, value in elements(path):
        if isinstance(value, Problem):
            yield where, value
        elif key is not None:
            yield where, Problem(where, "", "an array of rows", f"the key {key[:80]!r} of an object")
            return
        elif not isinstance(value, dict):
            yield where, Problem(where, "", "a JSON object", f"a JSON {type(value).__name__}")
        else:
            yield where, value


def read(path: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield a row an element."""
    del asked
    yield from objects(path)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write one array, an element a line."""
    write_array(rows, path)


def write_array(items: Iterable[Row], path: Path) -> None:
    """Write objects as one array, one a line, as they come."""
    write_whole(path, _array_lines(items))


def _array_lines(items: Iterable[Row]) -> Iterator[str]:
    before = "[\n"
    for item in items:
        yield before + json.dumps(item, ensure_ascii=False)
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


JSON_ARRAY = Format("json", (".json",), read, write, nothing)
