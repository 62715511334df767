"""One registry, several processes, on every kind of store and shelf; pushes and removals that end half-way."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle import layout
from interlock.bundle.read import Verified, read_verified
from interlock.bundle.shelf import RemoteShelf, open_shelf
from interlock.core.canonical import canonical
from interlock.core.errors import InputError, RefusedError
from interlock.core.ledger import breaks
from interlock.core.registry import State
from interlock.predict.calibrators import Temperature
from interlock.registry import open_registry
from interlock.testing import FrozenClock

Files = dict[str, bytes]
NUMBERS = itertools.count()
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PUBLISH = """
import sys
from pathlib import Path
from interlock.core.errors import RefusedError
from interlock.registry import open_registry

where, store, actor, *folders = sys.argv[1:]
moved = 0
with open_registry(where, store=store, actor=actor) as registry:
    print("ready", flush=True)
    sys.stdin.readline()
    for folder in folders * 2:
        digest = registry.push(Path(folder)).digest
        try:
            moved += registry.point("shadow", digest, trust=None, development=True)[1] is not None
        except RefusedError as error:
            assert "was not moved" in str(error), error
print(moved)
"""


@pytest.fixture
def make(make_files: Callable[..., Files], pack_files: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    def made(temperature: float) -> Path:
        files = make_files(calibrator_json=canonical(Temperature(temperature).to_json()))
        return Path(pack_files(tmp_path / f"b{temperature}", files))

    return made


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The URL of a bucket at a server that speaks S3, where one is installed."""
    server = pytest.importorskip("moto.server", reason="moto[server], for tests alone, is not installed")
    s3fs = pytest.importorskip("s3fs", reason="s3fs, which an object store needs beside fsspec, is not installed")
    running = server.ThreadedMotoServer(port=0)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as changed:
        for name, value in (
            ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ):
            changed.setenv(name, value)
        s3fs.S3FileSystem().mkdir("routers")
        yield "s3://routers"
    running.stop()


@pytest.fixture(params=["folder", "objects"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "registry")
    return f"{request.getfixturevalue('object_store')}/{next(NUMBERS)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "s.db" if request.param == "sqlite" else request.getfixturevalue("database"))


def test_processes_that_publish_and_activate_at_once_leave_whole_bundles_and_one_order(
    where: str, store: str, make: Callable[..., Path]
) -> None:
    folders = [make(1 + n / 10) for n in range(3)]
    processes = []
    for actor in ("ann", "bob"):
        said = [sys.executable, "-c", PUBLISH, where, store, actor, *map(str, folders)]
        processes.append(subprocess.Popen(said, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        folders.reverse()
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    moved = [int(process.communicate("go\n", timeout=120)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]

    with open_registry(where, store=store, actor="carol", clock=FrozenClock(NOW)) as registry:
        entries = list(registry.records.entries())
        moves = [entry.deed.subject for entry in entries if entry.deed.action == "alias shadow"]
        alias = registry.records.aliases()["shadow"]
        assert breaks(entries) == []
        assert (alias.epoch, alias.digest) == (sum(moved), moves[-1])
        assert registry.gc() == []
        assert set(registry.bundles()) == set(moves)
        for digest in moves:
            assert registry.shelf.fetch(digest).digest == digest


def test_what_another_process_pushed_or_removed_is_seen(where: str, store: str, make: Callable[..., Path]) -> None:
    one, two = make(1.5), make(1.6)
    with open_registry(where, store=store, actor="ann") as here:
        first = here.push(one).digest
        said = ["-m", "interlock", "registry", "push", str(two), "--registry", where, "--store", store]
        assert subprocess.run([sys.executable, *said], check=False).returncode == 0
        second = read_verified(two).digest

        assert here.shelf.fetch(second).digest == second
        assert set(here.gc()) == {first, second}
        with pytest.raises(InputError, match="no such bundle"):
            open_shelf(where).fetch(second)
        assert here.push(one).digest == first


class Breaking:
    """A file system whose other side goes away at its nth change."""

    def __init__(self, files: Any, *, after: int) -> None:
        self._files, self._left = files, after

    def __getattr__(self, name: str) -> Any:
        if name in {"pipe_file", "rm_file", "rm"}:
            self._left -= 1
            if self._left < 0:
                raise ConnectionError("gone")
        return getattr(self._files, name)


def test_a_push_that_ends_at_any_write_leaves_the_alias_and_no_half_bundle(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    pytest.importorskip("fsspec")
    old, new = make(1.5), make(1.6)
    writes = len(read_verified(new).files) + 1
    for after in range(writes + 1):
        url, store, clock = f"memory://half{next(NUMBERS)}", tmp_path / f"{after}.db", FrozenClock(NOW)
        with open_registry(url, store=store, actor="ann", clock=clock) as registry:
            before = registry.point("shadow", registry.push(old).digest, trust=None, development=True)[0]
            assert isinstance(registry.shelf, RemoteShelf)
            whole, digest = registry.shelf._files, read_verified(new).digest
            registry.shelf._files = Breaking(whole, after=after)
            if after < writes:
                with pytest.raises(RefusedError, match="the registry failed"):
                    registry.push(new)
                with pytest.raises(InputError, match="no such bundle"):
                    registry.point("shadow", digest, trust=None, development=True)
            registry.shelf._files = whole
            assert registry.records.aliases()["shadow"] == before
            if after < writes:
                assert registry.bundles()[digest] is State.ARRIVING
                assert registry.gc() == []  # it may still be under way
            if after % 2:  # somebody tries again, or nobody does
                registry.point("shadow", registry.push(new).digest, trust=None, development=True)
                assert registry.active("shadow", trust=None, development=True).bundle.digest == digest
            elif after < writes:
                clock.move(timedelta(days=2).total_seconds())
                assert registry.gc() == [digest]
                assert not [name for name in whole.find(url.removeprefix("memory:/")) if digest[7:] in name]


def test_a_removal_that_ends_half_way_is_finished_by_the_next(make: Callable[..., Path], tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    folder = make(1.5)
    for after in (0, 1):
        with open_registry(f"memory://gone{next(NUMBERS)}", store=tmp_path / f"{after}.db", actor="ann") as registry:
            digest = registry.push(folder).digest
            assert isinstance(registry.shelf, RemoteShelf)
            whole = registry.shelf._files
            registry.shelf._files = Breaking(whole, after=after)
            with pytest.raises(RefusedError, match="the registry failed"):
                registry.gc()
            registry.shelf._files = whole
            with pytest.raises(RefusedError, match="being removed"):
                registry.push(folder)
            assert registry.gc() == [digest]
            assert registry.push(folder).digest == digest


def test_bytes_changed_at_an_object_store_are_refused_by_name(object_store: str, make: Callable[..., Path]) -> None:
    shelf = open_shelf(f"{object_store}/{next(NUMBERS)}")
    assert isinstance(shelf, RemoteShelf)
    bundle: Verified = read_verified(make(1.5))
    shelf.put(bundle)
    for name in (layout.GRAPH_INT8, layout.MANIFEST, layout.CONTRACT):
        path = f"{shelf._path(bundle.digest)}/{name}"
        whole = shelf._files.cat_file(path)
        shelf._files.pipe_file(path, whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises((RefusedError, InputError)):
            shelf.fetch(bundle.digest)
        shelf._files.pipe_file(path, whole)
    assert shelf.fetch(bundle.digest) == bundle
