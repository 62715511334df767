"""What a disk may hold after the power failed: all that was flushed, and any part of what was not.

Of the writes since a file's last flush each may be there or not, whole or in part: a sector of 512 bytes is the unit.
A file's name is there for certain after its folder was flushed, and a removed file may come back until then.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bench.crashes.trace import Op

SECTOR = 512


@dataclass(slots=True)
class File:
    """What processes see, what was flushed, and what was done since."""

    seen: bytearray = field(default_factory=bytearray)
    flushed: bytearray = field(default_factory=bytearray)
    since: list[Op] = field(default_factory=list)

    def change(self, op: Op) -> None:
        """Write or truncate."""
        _apply(self.seen, op)
        self.since.append(op)

    def flush(self) -> None:
        """Make everything durable."""
        for op in self.since:
            _apply(self.flushed, op)
        self.since = []

    def fail_to_flush(self) -> None:
        """Forget what was not flushed, as Linux does: it is seen, it counts as clean, and it never reaches the disk."""
        self.since = []


class Disk:
    """Follows what was done, and gives what a power cut may leave of it."""

    def __init__(self) -> None:
        """Start with an empty folder."""
        self.files: dict[str, File] = {}  # as a process sees them
        self.named: dict[str, File] = {}  # as the flushed folder names them
        self.notes: set[int] = set()

    def follow(self, op: Op) -> None:
        """Go on by one step."""
        if op.kind == "note":
            self.notes.add(op.offset)
        elif op.kind == "sync_folder":
            self.named = dict(self.files)
        elif op.kind == "create":
            self.files.setdefault(op.name, File())
        elif op.kind == "unlink":
            self.files.pop(op.name, None)
        elif op.kind == "sync":
            self.files[op.name].flush()
        elif op.kind == "sync_failed":
            self.files[op.name].fail_to_flush()
        else:
            self.files[op.name].change(op)

    def seen(self) -> dict[str, bytes]:
        """Return the files as the next process sees them when this one is killed."""
        return {name: bytes(file.seen) for name, file in self.files.items()}

    def after_power_cut(self, rng: random.Random) -> dict[str, bytes]:
        """Return one of the states that a power cut may leave."""
        folder = self.files if rng.random() < 0.5 else self.named
        fate = rng.choice((_none, _all, _prefix, _writes, _sectors, _sectors))
        return {name: bytes(fate(file, rng)) for name, file in folder.items()}


def write_out(files: dict[str, bytes], folder: Path) -> None:
    """Write files into a folder and remove what else is there."""
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _apply(found: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        del found[op.offset :]
        found.extend(b"\0" * (op.offset - len(found)))
        return
    found.extend(b"\0" * (op.offset + len(op.data) - len(found)))
    found[op.offset : op.offset + len(op.data)] = op.data


def _kept(file: File, ops: Iterable[Op]) -> bytearray:
    found = bytearray(file.flushed)
    for op in ops:
        _apply(found, op)
    return found


def _none(file: File, _rng: random.Random) -> bytearray:
    return _kept(file, ())


def _all(file: File, _rng: random.Random) -> bytearray:
    return _kept(file, file.since)


def _prefix(file: File, rng: random.Random) -> bytearray:
    return _kept(file, file.since[: rng.randint(0, len(file.since))])


def _writes(file: File, rng: random.Random) -> bytearray:
    return _kept(file, [op for op in file.since if rng.getrandbits(1)])


def _sectors(file: File, rng: random.Random) -> bytearray:
    return _kept(file, [part for op in file.since for part in _parts(op) if rng.getrandbits(1)])


def _parts(op: Op) -> list[Op]:
    """Cut a write where its sectors end."""
    if op.kind != "write":
        return [op]
    first = op.offset - op.offset % SECTOR
    edges = [max(op.offset, edge) for edge in range(first, op.offset + len(op.data), SECTOR)]
    ends = [*edges[1:], op.offset + len(op.data)]
    return [
        Op("write", op.name, start, op.data[start - op.offset : end - op.offset])
        for start, end in zip(edges, ends, strict=True)
    ]
