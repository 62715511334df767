"""The folder of one build: made clean or gone on with, finished once, built by one process. Knows no contents."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

from interlock.core.errors import InputError, Problem

CONFIG, FINISHED, LOCK = "config.json", "result.json", ".lock"


def start_run(folder: Path, config: dict[str, Any], *, keep: Collection[str] = ()) -> IO[bytes]:
    """Make an empty run folder; of an interrupted build with the same ``config``, the files named in ``keep`` stay.

    Returns:
        The lock: no other process builds into the folder while it is open.

    Raises:
        InputError: the folder holds a finished run, files that no build wrote, or a build that is going on.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file", [Problem(str(folder), "", "a new or empty directory", "a file")])
    if folder.exists():
        _check(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = _locked(folder)
    try:
        _check(folder)  # again: who held the lock may have finished meanwhile
    except InputError:
        lock.close()
        raise
    config = {"run": 1, **config}
    same = _config(folder) == json.loads(json.dumps(config))
    _clear(folder, but={LOCK, CONFIG, *(keep if same else ())})
    write_json(folder / CONFIG, config)
    return lock


def _check(folder: Path) -> None:
    if not any(path.name != LOCK for path in folder.iterdir()):
        return
    if (folder / FINISHED).exists():
        raise InputError(f"{folder} holds a finished run", todo="Give another directory with -o, or remove this one.")
    if not _is_run(folder):
        raise InputError(f"{folder} is not empty and holds no run", todo="Give a new or empty directory with -o.")


def _locked(folder: Path) -> IO[bytes]:
    lock = (folder / LOCK).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise InputError(f"another build is writing into {folder}", todo="Wait for it, or give another -o.") from error
    return lock


def _clear(folder: Path, *, but: Collection[str]) -> None:
    for path in folder.iterdir():
        if path.name in but:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _config(folder: Path) -> Any:
    try:
        return json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError):
        return None


def _is_run(folder: Path) -> bool:
    found = _config(folder)
    return isinstance(found, dict) and found.get("run") == 1


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
