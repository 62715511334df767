"""Opening files that nobody vouched for: only regular ones, unpacked within bounds, line by line within bounds."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interlock.core.errors import InputError, Problem
from interlock.data.formats.row import MAX_ROW_CHARS

MAX_EXPANSION = 200  # text packs to a tenth, repetitive logs to a fiftieth
FREE_BYTES = 10_000_000  # what any packed file may expand to
MAX_ITEMS = 10_000_000  # blank lines of a file, or elements of an array: no rows come of more
_ESCAPED = re.compile("[\udc80-\udcff]")  # how surrogateescape spells a byte that is no UTF-8
_NOT_UTF_8 = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK": "a zip archive", b"\x1f\x8b": "gzip"}


def check_regular(path: Path) -> None:
    """Refuse what is missing and what is no regular file: reading a pipe or a device may never end.

    Raises:
        InputError: it does not exist or is no regular file.
    """
    try:
        there = path.exists()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if not there:
        raise InputError(f"{path} does not exist", todo="Check the path; a data file or a dataset folder is expected.")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file", todo="Write the rows to a file first, and give that file.")


@contextmanager
def opened(path: Path) -> Iterator[io.TextIOWrapper]:
    """Open a UTF-8 file, unpacked when it is ``.gz``; bytes that are no UTF-8 come escaped, a byte order mark is gone.

    Raises:
        InputError: the file is missing, no regular file, unreadable, UTF-16, broken, or expands beyond bounds.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            whole: io.BufferedReader = file
            if path.name.endswith(".gz"):
                whole = io.BufferedReader(_Unpacked(file, path), buffer_size=1 << 16)
            start = whole.peek(4)
            for mark, what in _NOT_UTF_8.items():
                if start.startswith(mark):
                    raise InputError(
                        f"{path} is {what}, not UTF-8 text", todo="Unpack it, or save it again as UTF-8 text."
                    )
            if start.startswith(b"\xef\xbb\xbf"):
                whole.read(3)
            yield io.TextIOWrapper(whole, encoding="utf-8", errors="surrogateescape", newline="")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


class _Unpacked(io.RawIOBase):
    """A gzip file that stops when it expands as no text does."""

    def __init__(self, packed: io.BufferedReader, path: Path) -> None:
        self._file = gzip.GzipFile(fileobj=packed)
        self._path = path
        self._limit = max(FREE_BYTES, MAX_EXPANSION * path.stat().st_size)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        count = self._file.readinto(into)
        self._read += count
        if self._read > self._limit:
            raise InputError(
                f"{self._path} expands to more than {MAX_EXPANSION} times its size",
                todo="Text does not pack like this: check where the file comes from, or unpack it yourself.",
            )
        return count


def lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Yield every line with its number, line end included; ``None`` for one of more than ``MAX_ROW_CHARS``.

    Lines end with LF, CRLF or a lone CR.
    """
    with opened(path) as file:
        number = blank = 0
        while line := file.readline(MAX_ROW_CHARS + 1):
            number += 1
            if len(line) > MAX_ROW_CHARS and not line.endswith(("\n", "\r")):
                while line and not line.endswith(("\n", "\r")):
                    line = file.readline(MAX_ROW_CHARS)
                yield number, None
            else:
                blank += line.isspace()
                if blank > MAX_ITEMS:
                    raise InputError(f"{path} has more than {MAX_ITEMS:,} blank lines", todo="Check what wrote it.")
                yield number, line


def too_long(where: str) -> Problem:
    """Return the problem of a row that is longer than any message."""
    return Problem(where, "", f"a row of at most {MAX_ROW_CHARS} characters", "a longer one")


def undecodable(text: str) -> str | None:
    """Return which byte of ``text`` is no UTF-8; ``None`` when all are."""
    if text.isascii() or not (found := _ESCAPED.search(text)):
        return None
    return f"byte 0x{ord(found[0]) - 0xDC00:02x} at column {found.start() + 1}"
