"""The writer under strace: what it did to its files, in order, or the N-th of its calls cut off or made to fail."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITER = ROOT / "bench" / "crashes" / "writer.py"
SUFFIXES = ("", "-wal", "-journal")  # the -shm file is shared memory: it means nothing after a power cut
CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink,openat"
LIMIT_S = 120.0

_CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")
_BEGUN = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_FILE = re.compile(r"^\d+<([^>]*)>")
_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_TAIL = re.compile(r", (\d+)$")


@dataclass(frozen=True, slots=True)
class Op:
    """One thing that happened."""

    kind: str  # write, truncate, sync, sync_failed, create, unlink, sync_folder, or note: an acknowledgement
    name: str = ""  # of the file
    offset: int = 0  # of a write; the size of a truncate; the number of a note
    data: bytes = b""


def usable() -> bool:
    """Return whether strace is here and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0  # noqa: S607


def command(store: Path, notes: Path, *options: str) -> list[str]:
    """Return the command of the writer."""
    return [sys.executable, str(WRITER), str(store), str(notes), *options]


def record(store: Path, *options: str, inject: str = "") -> list[Op]:
    """Run the writer on ``store``, with a fault when one is asked for; return what it did to the store's files."""
    notes, log = store.with_suffix(".notes"), store.with_suffix(".strace")
    paths = [str(store) + suffix for suffix in SUFFIXES] + [str(store.parent), str(notes)]
    only = [part for path in paths for part in ("-P", path)]
    strace = ["strace", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-o", str(log), "-e", f"trace={CALLS}", *only]
    strace += ["-e", f"inject={inject}"] if inject else []
    code = _run([*strace, *command(store, notes, *options)])
    if code != 0:
        raise RuntimeError(f"the writer ended with {code}")
    return list(_ops(log.read_text().splitlines(), store, notes))


def injected(store: Path, inject: str, *options: str) -> tuple[int, bool]:
    """Run the writer with a fault; return its exit code (negative: the signal that killed it) and whether it met it."""
    log, notes = store.with_suffix(".strace"), store.with_suffix(".notes")
    paths = [str(store) + suffix for suffix in SUFFIXES] + [str(store.parent)]
    only = [part for path in paths for part in ("-P", path)]
    call = inject.split(":", 1)[0]
    strace = ["strace", "-f", "-qq", "-s", "0", "-o", str(log), "-e", f"trace={call}", *only, "-e", f"inject={inject}"]
    code = _run([*strace, *command(store, notes, *options)])
    met = any(mark in log.read_text() for mark in ("(INJECTED)", "(DELAYED)", "killed by SIGKILL"))
    return code, met


def _run(arguments: Sequence[str]) -> int:
    return subprocess.run(arguments, check=False, timeout=LIMIT_S).returncode  # noqa: S603 - our own writer


def noted(notes: Path) -> set[int]:
    """Return the numbers of the events that were acknowledged."""
    return {int(line) for line in notes.read_text().split()} if notes.exists() else set()


def _ops(lines: Sequence[str], store: Path, notes: Path) -> Iterator[Op]:
    ours = {str(store) + suffix for suffix in SUFFIXES}
    for line in _joined(lines):
        found = _CALL.match(line)
        if found is None:
            continue
        call, said, result = found[1], found[2], int(found[3])
        if result < 0:
            if call in {"fdatasync", "fsync"} and _path(said) in ours:
                yield Op("sync_failed", Path(_path(said)).name)
            continue
        if call in {"unlink", "openat"}:
            path = _text(said)
            if path in ours and (call == "unlink" or "O_CREAT" in said):
                yield Op("unlink" if call == "unlink" else "create", Path(path).name)
            continue
        where = _path(said)
        if where == str(notes):
            yield from (Op("note", offset=int(number)) for number in _text(said).split())
        elif where == str(store.parent):
            yield Op("sync_folder")
        elif where in ours:
            yield _file_op(call, said, result, Path(where).name)


def _file_op(call: str, said: str, result: int, name: str) -> Op:
    if call in {"fdatasync", "fsync"}:
        return Op("sync", name)
    last = int(_TAIL.search(said)[1])  # type: ignore[index]  # both calls end with a number
    if call == "ftruncate":
        return Op("truncate", name, last)
    if call != "pwrite64":
        raise RuntimeError(f"the model knows no {call} of {name}")
    return Op("write", name, last, _decoded(said)[:result])


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """Put calls that others interrupted in the log together, where they ended."""
    begun: dict[str, str] = {}
    for line in lines:
        start, end = _BEGUN.match(line), _ENDED.match(line)
        if start:
            begun[start[1]] = start[2]
        elif end:
            yield f"{end[1]} {begun.pop(end[1])}{end[2]}"
        else:
            yield line


def _path(said: str) -> str:
    found = _FILE.match(said)
    return _unescaped(found[1]).decode() if found else ""


def _text(said: str) -> str:
    return _decoded(said).decode()


def _decoded(said: str) -> bytes:
    found = _BYTES.search(said)
    return _unescaped(found[1]) if found else b""


def _unescaped(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", "")) if "\\x" in text else text.encode()
