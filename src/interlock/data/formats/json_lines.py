"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from interlock.core.canonical import parse_json
from interlock.core.errors import Problem
from interlock.data.formats.files import lines, too_long, undecodable
from interlock.data.formats.row import Asked, Format, RawRow, Row, nothing
from interlock.data.write import write_whole


def read(path: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield a row a line; blank lines are passed over."""
    del asked
    for number, line in lines(path):
        where = f"{path}:{number}"
        if line is None:
            yield where, too_long(where)
        elif not line.isspace():
            yield where, one_object(line, where)


def one_object(text: str, where: str) -> dict[str, Any] | Problem:
    """Return the JSON object that ``text`` spells, or what is wrong with it."""
    if bad := undecodable(text):
        return Problem(where, "", "UTF-8 text", bad)
    try:
        row = parse_json(text)
    except ValueError as error:
        return Problem(where, "", "one JSON object", str(error))
    return row if isinstance(row, dict) else Problem(where, "", "one JSON object", f"a JSON {type(row).__name__}")


def write(rows: Iterable[Row], path: Path) -> None:
    """Write a line a row, in order."""
    write_whole(path, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


JSON_LINES = Format("jsonl", (".jsonl", ".ndjson"), read, write, nothing)
