"""JSON documents of any size, value by value: an array's elements, or the elements of an object's arrays."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from interlock.core.canonical import parse_json
from interlock.core.errors import Problem
from interlock.data.formats.files import MAX_ITEMS, opened, undecodable
from interlock.data.formats.row import MAX_ROW_CHARS

Element = tuple[str | None, str, Any]  # (the array's key, "file:line item 1", the value or a Problem)
_BLANK = re.compile(r"[ \t\r\n]*")
_SCAN = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode  # finds the end; the strict reader judges


def elements(path: Path) -> Iterator[Element]:
    """Yield the elements of a top-level array (key ``None``), or of each array of a top-level object, with their place.

    What a document says outside arrays is yielded under its key. Values are strict JSON; a bad one is a ``Problem``,
    and where the document itself is broken the last element yielded is the ``Problem`` that says so.
    """
    with opened(path) as file:
        document = _Document(file, path)
        try:
            yield from document.elements()
        except _BrokenError as error:
            where = document.where()
            yield None, where, Problem(where, "", error.expected, error.got)


class _BrokenError(Exception):
    def __init__(self, expected: str, got: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.got = got


class _Document:
    """A window on the text: always a whole value ahead, never the whole file."""

    def __init__(self, file: io.TextIOWrapper, path: Path) -> None:
        self._file = file
        self._path = path
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def where(self) -> str:
        return f"{self._path}:{self._line}"

    def elements(self) -> Iterator[Element]:
        start = self._peek()
        if start == "[":
            yield from self._array(None)
        elif start == "{":
            yield from self._members()
        elif start:
            raise _BrokenError("a JSON array or object", repr(start))
        if self._peek():
            raise _BrokenError("nothing after the document", repr(self._peek()))

    def _members(self) -> Iterator[Element]:
        seen: set[str] = set()
        for _ in self._items("}"):
            key = self._value()
            if not isinstance(key, str):
                raise _BrokenError("a key", repr(key)[:80])
            if key in seen:
                raise _BrokenError("each key once", f"the key {key[:80]!r} twice")
            seen.add(key)
            if self._peek() != ":":
                raise _BrokenError("':' after a key", repr(self._peek()) or "the end")
            self._step()
            if self._peek() == "[":
                yield from self._array(key)
            else:
                yield key, self.where(), self._value()

    def _array(self, key: str | None) -> Iterator[Element]:
        for number, _ in enumerate(self._items("]"), start=1):
            if number > MAX_ITEMS:
                raise _BrokenError(f"at most {MAX_ITEMS} elements", "more")
            where = f"{self.where()} item {number}"  # exports are often one line
            yield key, where, self._value(where)

    def _items(self, closing: str) -> Iterator[None]:
        """Stand before each item of a bracket, and consume what is between them."""
        self._step()
        if self._peek() == closing:
            self._step()
            return
        while True:
            yield
            found = self._peek()
            if found not in {",", closing}:
                raise _BrokenError(f"',' or {closing!r}", repr(found) if found else "the end of the file")
            self._step()
            if found == closing:
                return
            self._peek()

    def _peek(self) -> str:
        while True:
            end = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr] # it matches everywhere
            self._line += self._text.count("\n", self._at, end)
            self._at = end
            if end < len(self._text) or not self._fill():
                return self._text[end : end + 1]

    def _step(self) -> None:
        self._at += 1

    def _fill(self) -> bool:
        chunk = "" if self._ended else self._file.read(2 * MAX_ROW_CHARS)
        self._ended = not chunk
        self._text = self._text[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def _value(self, where: str = "") -> Any:
        self._peek()
        while len(self._text) - self._at <= MAX_ROW_CHARS and self._fill():
            pass
        try:
            end = _SCAN(self._text, self._at)[1]
        except RecursionError:
            raise _BrokenError("JSON of modest depth", "nesting without end") from None
        except json.JSONDecodeError as error:
            if error.pos - self._at > MAX_ROW_CHARS or (error.msg.startswith("Untermin") and not self._ended):
                raise _BrokenError(f"a row of at most {MAX_ROW_CHARS} characters", "a longer one") from None
            self._line += self._text.count("\n", self._at, error.pos)
            raise _BrokenError("well-formed JSON", error.msg) from None
        text = self._text[self._at : end]
        where = where or self.where()
        self._line += text.count("\n")
        self._at = end
        return _strict(text, where)


def _strict(text: str, where: str) -> Any:
    if len(text) > MAX_ROW_CHARS:
        return Problem(where, "", f"a row of at most {MAX_ROW_CHARS} characters", "a longer one")
    if bad := undecodable(text):
        return Problem(where, "", "UTF-8 text", bad)
    try:
        return parse_json(text)
    except ValueError as error:
        return Problem(where, "", "strict JSON", str(error))
