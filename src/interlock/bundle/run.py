"""The folder of one build: made clean, finished once, never mistaken for a finished one. Knows no contents."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from interlock.core.errors import InputError, Problem

CONFIG, FINISHED = "config.json", "result.json"


def start_run(folder: Path, config: dict[str, Any]) -> None:
    """Make an empty run folder; what an interrupted build left there is cleared away.

    Raises:
        InputError: the folder holds a finished run, or files that no build wrote.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file", [Problem(str(folder), "", "a new or empty directory", "a file")])
    if folder.exists() and any(folder.iterdir()):
        if (folder / FINISHED).exists():
            raise InputError(
                f"{folder} holds a finished run", todo="Give another directory with -o, or remove this one."
            )
        if not _is_run(folder):
            raise InputError(f"{folder} is not empty and holds no run", todo="Give a new or empty directory with -o.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG, {"run": 1, **config})


def _is_run(folder: Path) -> bool:
    try:
        found = json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("run") == 1


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
