"""The step log of a run: one JSON line per logged step and per epoch. Knows no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Watch = Callable[[dict[str, Any]], None]  # told of every line, as it is written


class StepLog:
    """Appends lines to ``train.jsonl`` and tells a watcher."""

    def __init__(self, path: Path, watch: Watch | None = None) -> None:
        """Open the log at ``path``; what stands in it stays until ``cut``."""
        self.path = path
        self._file = path.open("ab")
        self._watch = watch
        self._cut, self._start = False, 0

    def write(self, line: dict[str, Any]) -> None:
        """Append one line; numbers are rounded to six significant digits."""
        line = _rounded(line)
        if not self._cut:
            self.cut(self._start)
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        if self._watch is not None:
            self._watch(line)

    def cut(self, size: int) -> None:
        """Keep the first ``size`` bytes of what an earlier process wrote; without a call, none of it is kept."""
        self._file.truncate(min(size, self._file.seek(0, os.SEEK_END)))
        self._cut = True

    def start_at(self, size: int) -> None:
        """Keep the first ``size`` bytes, unless a later ``cut`` keeps more."""
        self._start = size

    @property
    def bytes(self) -> int:
        """How long the log is."""
        return self._file.tell()

    def __enter__(self) -> Self:
        """Return the open log."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()


def _rounded(line: dict[str, Any]) -> dict[str, Any]:
    return {
        key: float(f"{value:.6g}")
        if isinstance(value, float)
        else _rounded(value)
        if isinstance(value, dict)
        else value
        for key, value in line.items()
    }
