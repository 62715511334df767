"""The step log of a run: one JSON line per logged step and per epoch. Knows no torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Watch = Callable[[dict[str, Any]], None]  # told of every line, as it is written


class StepLog:
    """Appends lines to ``train.jsonl`` and tells a watcher."""

    def __init__(self, path: Path, watch: Watch | None = None) -> None:
        """Start an empty log at ``path``."""
        self._file = path.open("w", encoding="utf-8")
        self._watch = watch

    def write(self, line: dict[str, Any]) -> None:
        """Append one line; numbers are rounded to six significant digits."""
        line = _rounded(line)
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        if self._watch is not None:
            self._watch(line)

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
