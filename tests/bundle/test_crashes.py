"""A process killed at any system call of an installation leaves the old router active or the new one, whole.

The child is forked, stops itself, is taken up by ``strace``, and goes on; ``strace`` kills it at the n-th call of a
kind. A careless installer shows that the harness sees what it is for.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interlock.bundle.read import Verified, read_verified
from interlock.bundle.shelf import LocalShelf
from interlock.core.canonical import canonical
from interlock.core.errors import InterlockError
from interlock.core.ledger import breaks
from interlock.core.registry import Basis, Move
from interlock.predict.calibrators import Temperature
from interlock.store.engine import open_store
from interlock.store.registry import StoredRecords
from interlock.testing import FrozenClock

STRACE = shutil.which("strace")
CALLS = (
    "openat,open,close,read,pread64,write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,"
    "rmdir,mkdir,mkdirat,fchmod,chmod,flock,fcntl,fstat,newfstatat,lseek,getdents64,mmap,munmap"
)
FAILING = {"write", "pwrite64", "fsync", "fdatasync", "ftruncate", "mkdir", "mkdirat", "unlink", "unlinkat"} | {
    *("rename", "renameat", "renameat2", "openat")
}  # calls that a full or broken disk refuses
KILLED = "signal=KILL"
Point = tuple[str, int]  # a system call, and the which of its kind


def calls_of(work: Callable[[], None], *, scratch: Path) -> list[Point]:
    """Return every system call of ``work``, in a run that is not disturbed."""
    log = scratch / "calls.txt"
    code = _run(work, ["-e", f"trace={CALLS}", "-o", str(log)])
    if code != 0:
        raise AssertionError(f"undisturbed, the child ended with {code}")
    names = re.findall(r"^(?:\d+ +)?(\w+)\(", log.read_text(errors="replace"), flags=re.MULTILINE)
    return list(_numbered(names))


def disturbed_at(work: Callable[[], None], point: Point, *, how: str = KILLED) -> bool:
    """Run ``work`` in a child that is killed at ``point``, or whose call fails there; whether it did not end well."""
    name, n = point
    return _run(work, ["-e", f"trace={name}", "-e", f"inject={name}:{how}:when={n}", "-o", os.devnull]) != 0


def _numbered(names: list[str]) -> Iterator[Point]:
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name, seen[name]


def _run(work: Callable[[], None], options: list[str]) -> int:
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    os.waitpid(child, os.WUNTRACED)
    command = [str(STRACE), "-qq", "-f", *options, "-p", str(child)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    _wait_until_traced(child)
    os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    tracer.wait(timeout=60)
    if tracer.stderr is not None:
        tracer.stderr.close()
    return os.waitstatus_to_exitcode(status)


def _wait_until_traced(child: int) -> None:
    for _ in range(2000):
        if "TracerPid:\t0\n" not in Path(f"/proc/{child}/status").read_text():
            return
        time.sleep(0.002)
    raise AssertionError("strace did not take the child up")


NOW = FrozenClock().now()
pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


@dataclass(frozen=True)
class World:
    """A registry whose champion is ``old``, and a ``new`` bundle."""

    folder: Path
    old: Verified
    new: Verified

    def install(self, verified: Verified) -> None:
        """Push a bundle and make it champion."""
        engine = open_store(self.folder / "store.db")
        records, shelf = StoredRecords(engine), LocalShelf(self.folder / "registry")
        records.arriving(verified.digest, at=NOW)
        shelf.put(verified)
        records.there(verified.digest, receipt="sha256:r", at=NOW)
        before = records.aliases().get("champion")
        records.move(Move("champion", verified.digest, before, Basis.DEVELOPMENT, "ann"), at=NOW)
        engine.dispose()

    def careless(self, verified: Verified) -> None:
        """Do the same as many installers do: say what is active first, then write its files where they are read."""
        (self.folder / "active").write_text(verified.digest)
        here = self.folder / "careless" / verified.digest
        for name, data in {"manifest.json": verified.listing, **verified.files}.items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_bytes(data)

    def active(self) -> str:
        """Return which bundle is active after a restart, once it has verified."""
        engine = open_store(self.folder / "store.db")
        records = StoredRecords(engine)
        assert breaks(records.entries()) == []
        digest = records.aliases()["champion"].digest
        last = [entry for entry in records.entries() if entry.deed.action == "alias champion"][-1]
        assert last.deed.subject == digest  # entered, or not moved
        engine.dispose()
        return LocalShelf(self.folder / "registry").fetch(digest).digest

    def carelessly_active(self) -> str:
        """Return the same of the careless installer."""
        digest = (self.folder / "active").read_text()
        return read_verified(self.folder / "careless" / digest).digest


@pytest.fixture
def world(make_files: Callable[..., dict[str, bytes]], pack_files: Callable[..., Path], tmp_path: Path) -> World:
    made = []
    for name, temperature in (("old", 1.5), ("new", 1.6)):
        files = make_files(calibrator_json=canonical(Temperature(temperature).to_json()))
        made.append(read_verified(pack_files(tmp_path / name, files)))
    return World(tmp_path / "world", *made)


def tried(world: World, *, careless: bool, step: int, how: str = KILLED) -> tuple[dict[str, int], list[Point]]:
    """Disturb an installation at every ``step``-th call; count what is active after, and what points left neither."""
    work, look = (world.careless, world.carelessly_active) if careless else (world.install, world.active)
    world.folder.mkdir(exist_ok=True)
    work(world.old)
    before = world.folder.with_name("before")
    shutil.copytree(world.folder, before)
    points = calls_of(lambda: work(world.new), scratch=world.folder.parent)
    points = [point for point in points if how == KILLED or point[0] in FAILING]
    found, half = {"old": 0, "new": 0}, []
    for point in points[::step]:
        shutil.rmtree(world.folder)
        shutil.copytree(before, world.folder)
        if not disturbed_at(lambda: work(world.new), point, how=how) and how == KILLED:
            continue
        try:
            digest = look()
        except (InterlockError, AssertionError, OSError):
            half.append(point)
            continue
        found["new" if digest == world.new.digest else "old"] += 1
        if not careless:  # and the next attempt ends well
            work(world.new)
            assert look() == world.new.digest
    return found, half


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 40])
def test_killed_anywhere_exactly_one_of_old_and_new_is_active(world: World, step: int) -> None:
    found, half = tried(world, careless=False, step=step)
    print(f"killed at {sum(found.values())} points: {found}")  # noqa: T201 - the figure that pytest -s shows

    assert half == []
    assert found["old"] > 0


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 20])
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_full_or_broken_disk_anywhere_leaves_exactly_one_of_old_and_new_active(
    error: str, world: World, step: int
) -> None:
    found, half = tried(world, careless=False, step=step, how=f"error={error}")
    print(f"{error} at {sum(found.values())} calls: {found}")  # noqa: T201 - the figure that pytest -s shows

    assert half == []
    assert found["old"] > 0


def test_a_careless_installer_is_caught_leaving_neither(world: World) -> None:
    _, half = tried(world, careless=True, step=6)

    assert half != []
