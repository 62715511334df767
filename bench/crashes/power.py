"""Power cuts at every step of a recorded run, and what is left of the acknowledged events."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.crashes.disk import Disk, write_out
from bench.crashes.trace import Op, record
from bench.crashes.writer import numbered

from interlock.store.event_rows import COLUMNS, row_of

STORE = "events.db"


@dataclass(slots=True)
class Tally:
    """What was found in the images."""

    images: int = 0
    lost: int = 0  # images that lack an acknowledged event
    doubled: int = 0  # images with two events of one id
    corrupt: int = 0  # images that fail the integrity check or hold an event nobody recorded

    def add(self, folder: Path, acknowledged: set[int]) -> None:
        """Look into one image."""
        self.images += 1
        whole, rows = examined(folder / STORE)
        there = {row[0] for row in rows}
        self.corrupt += not whole or any(tuple(row) != _row(row[0]) for row in rows)
        self.doubled += len(there) != len(rows)
        self.lost += not {f"r-{number}" for number in acknowledged} <= there

    def join(self, other: Tally) -> None:
        """Add what another tally counted."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def examined(store: Path) -> tuple[bool, list[tuple[str, ...]]]:
    """Open a store as after a restart; return whether it is whole, and its events."""
    with contextlib.closing(sqlite3.connect(store)) as connection:
        try:
            whole = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            known = connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = 'events'").fetchone()[0]
            rows = connection.execute(f"SELECT {COLUMNS} FROM events").fetchall() if known else []  # noqa: S608
        except sqlite3.DatabaseError:
            return False, []
    return whole, rows


def cut_everywhere(ops: Sequence[Op], folder: Path, *, each: int, seed: int, disk: Disk | None = None) -> Tally:
    """Cut the power ``each`` times after every step of a run.

    Args:
        ops: what was done.
        folder: an empty folder for the images, best one in memory.
        each: images for every step.
        seed: of the choice of what survives.
        disk: what was there before; an empty folder by default.
    """
    tally, rng, now = Tally(), random.Random(seed), disk or Disk()
    for op in ops:
        now.follow(op)
        for _ in range(each):
            files = now.after_power_cut(rng)
            if rng.random() < 0.3:
                files[f"{STORE}-shm"] = rng.randbytes(32_768)
            write_out(files, folder)
            tally.add(folder, now.notes)
    return tally


def killed_then_cut(ops: Sequence[Op], scratch: Path, *, every: int, each: int, as_found: bool) -> Tally:
    """Kill the writer just before a flush, let the next process answer for what it finds, and cut the power.

    Args:
        ops: the first run.
        scratch: an empty folder.
        every: flushes between one kill and the next.
        each: images for every step of the second process.
        as_found: whether the second process trusts what it finds, as SQLite alone would.
    """
    total, images = Tally(), scratch / "images"
    images.mkdir()
    options = ["--count", str(len([op for op in ops if op.kind == "note"])), "--replay"]
    for length in _before_flushes(ops)[::every]:
        disk, second = Disk(), scratch / f"{length}"
        for op in ops[:length]:
            disk.follow(op)
        second.mkdir()
        write_out(disk.seen(), second)
        more = record(second / STORE, *options, *(["--as-found"] if as_found else []))
        found = cut_everywhere(more, images, each=each, seed=length, disk=disk)
        total.join(found)
    return total


def flush_failed_then_cut(scratch: Path, *, flushes: Sequence[int], each: int) -> Tally:
    """Let one flush of a run fail, as a disk does that loses what it was to write, and cut the power at every step."""
    total, images = Tally(), scratch / "images"
    images.mkdir()
    for number in flushes:
        folder, disk = scratch / f"{number}", Disk()
        folder.mkdir()
        for op in record(folder / STORE, "--count", "3"):
            disk.follow(op)
        inject = f"fdatasync:error=EIO:when={number}"
        more = record(folder / STORE, "--first", "3", "--count", "12", inject=inject)
        total.join(cut_everywhere(more, images, each=each, seed=number, disk=disk))
    return total


def _before_flushes(ops: Sequence[Op]) -> list[int]:
    """Return how many steps had been done before each flush of the log that comes after an acknowledgement."""
    first = next(place for place, op in enumerate(ops) if op.kind == "note")
    return [
        place
        for place, op in enumerate(ops)
        if place > first and op.kind == "sync" and op.name.endswith("-wal") and ops[place - 1].kind == "write"
    ]


def _row(request_id: str) -> tuple[str | None, ...]:
    return row_of(numbered(int(request_id.removeprefix("r-"))))
