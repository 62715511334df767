"""Event stores when something is wrong: nothing is acknowledged that is not durable, nobody waits forever."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import InputError, OverloadedError, RefusedError, UnavailableError
from interlock.core.event import DigestKey, Event
from interlock.store.commits import MOST_TOGETHER, GroupCommits
from interlock.store.events import open_events

KEY = DigestKey(bytes(range(32)))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(number: int, *, text: str = "where is it") -> Event:
    decision = Decision(Outcome.ROUTED, "shop", Reason.AUTO)
    return Event.of(decision, request_id=f"request-{number}", text=text, key=KEY, at=NOW)


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM events").fetchone()[0])


class SlowTable:
    """A table whose commits wait until they are let through, and fail when told to."""

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Event()
        self.fails: Exception | None = None
        self.groups: list[int] = []

    def begin(self) -> None:
        self.begun.set()

    def keep(self, events: Sequence[Event]) -> list[Event | RefusedError]:
        self.groups.append(len(events))
        assert self.gate.wait(20)
        if self.fails is not None:
            raise self.fails
        return list(events)

    def find(self, request_id: str) -> Event | None:
        return None

    def let_go(self) -> None:
        if self.fails is not None:
            raise OSError("what is broken breaks again")


def held(most_waiting: int) -> tuple[SlowTable, GroupCommits, Future[Event]]:
    """Return a store whose writer is in the middle of a commit of one event."""
    table = SlowTable()
    store = GroupCommits(table, most_waiting=most_waiting)
    first = store.submit(event(0))
    while not table.groups:
        time.sleep(0.001)
    return table, store, first


def test_a_full_queue_refuses_at_once_and_loses_nothing_it_took() -> None:
    table, store, first = held(most_waiting=3)
    taken = [store.submit(event(number)) for number in (1, 2, 3)]
    before = time.perf_counter()
    with pytest.raises(OverloadedError, match="3 events wait"):
        store.submit(event(4))

    assert time.perf_counter() - before < 1
    assert not any(future.done() for future in (first, *taken))
    table.gate.set()
    assert [future.result(20).request_id for future in (first, *taken)] == [f"request-{number}" for number in range(4)]
    store.close()


def test_what_waits_together_is_written_together_up_to_a_limit() -> None:
    table, store, _ = held(most_waiting=1000)
    futures = [store.submit(event(number)) for number in range(MOST_TOGETHER + 10)]
    table.gate.set()
    store.close()

    assert table.groups == [1, MOST_TOGETHER, 10]
    assert all(future.done() for future in futures)


def test_a_caller_who_went_away_before_its_turn_is_not_written() -> None:
    table, store, _ = held(most_waiting=10)
    gone, waits = store.submit(event(1)), store.submit(event(2))
    assert gone.cancel()
    table.gate.set()

    assert waits.result(20) == event(2)
    store.close()
    assert table.groups == [1, 1]


def test_any_failure_reaches_everyone_of_the_group_and_the_writer_lives_on() -> None:
    table, store, first = held(most_waiting=10)
    table.fails = RuntimeError("a mistake of ours")
    waits = store.submit(event(1))
    table.gate.set()
    for future in (first, waits):
        with pytest.raises(UnavailableError, match="nothing is promised"):
            future.result(20)
    table.fails = None

    assert store.record(event(2)) == event(2)
    store.close()


def test_a_locked_store_fails_in_time_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.store.events_sqlite.BUSY_S", 0.05)
    store = open_events(tmp_path / "events.db")
    with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="locked"):
            store.record(event(1))
        other.execute("ROLLBACK")

    assert store.record(event(1)) == event(1)
    store.close()


@pytest.mark.parametrize("replacement", ["nothing", "a copy", "an empty file", "a folder"])
def test_nothing_is_acknowledged_in_a_file_that_has_lost_its_name(replacement: str, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = open_events(path)
    store.record(event(1))
    shutil.copy(path, tmp_path / "copy")
    path.unlink()
    if replacement == "a copy":
        shutil.copy(tmp_path / "copy", path)
    elif replacement == "an empty file":
        path.touch()
    elif replacement == "a folder":
        path.mkdir()

    with pytest.raises(UnavailableError):
        store.find("request-1")
    with pytest.raises(UnavailableError):
        store.record(event(2))
    store.close()


def test_a_store_that_was_put_back_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = open_events(path)
    store.record(event(1))
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(tmp_path / "backup")) as copy:
        source.backup(copy)
    for file in tmp_path.glob("events.db*"):
        file.unlink()
    with pytest.raises(UnavailableError):
        store.record(event(2))
    shutil.move(tmp_path / "backup", path)

    assert store.record(event(2)) == event(2)
    assert store.find("request-1") == event(1)
    store.close()


def test_one_damaged_row_fails_its_own_caller_only(tmp_path: Path) -> None:
    store = open_events(tmp_path / "events.db")
    store.record(event(1))
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        connection.execute("UPDATE events SET decision = '{}'")
        connection.commit()
    damaged, sound = store.submit(event(1)), store.submit(event(2))

    with pytest.raises(RefusedError, match="damaged"):
        damaged.result(20)
    with pytest.raises(RefusedError, match="damaged"):
        store.find("request-1")
    assert sound.result(20) == event(2)
    store.close()


@pytest.mark.parametrize("part", ["header", "pages"])
def test_a_damaged_file_is_refused(part: str, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = open_events(path)
    for number in range(200):
        store.submit(event(number))
    store.close()
    data = bytearray(path.read_bytes())
    data[slice(0, 100) if part == "header" else slice(4096, len(data))] = b"\xa5" * (
        100 if part == "header" else len(data) - 4096
    )
    path.write_bytes(data)

    with pytest.raises((RefusedError, UnavailableError)):
        open_events(path).record(event(1))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # later Pythons warn of the very mistake
def test_a_child_that_was_forked_is_told_to_open_its_own(tmp_path: Path) -> None:
    store = open_events(tmp_path / "events.db")
    child = os.fork()
    if child == 0:
        codes = []
        for ask in (lambda: store.submit(event(1)), lambda: store.find("request-1")):
            try:
                ask()
            except UnavailableError:
                codes.append(0)
        os._exit(0 if codes == [0, 0] else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert store.record(event(1)) == event(1)
    store.close()


def test_what_is_no_event_store_is_refused(tmp_path: Path) -> None:
    for bad in ("mysql://u:hidden@h/d", ":memory:", "sqlite:///:memory:", "sqlite:///events.db?mode=ro"):
        with pytest.raises(InputError, match="no event store") as caught:
            open_events(bad)
        assert "hidden" not in str(caught.value)
    (tmp_path / "text").write_text("not a database at all" * 100)
    with pytest.raises(RefusedError):
        open_events(tmp_path / "text")
    with pytest.raises((RefusedError, UnavailableError)):
        open_events(tmp_path)


def write_many(path: Path, first: int) -> None:
    store = open_events(path)
    for future in [store.submit(event(number)) for number in range(first, first + 200)]:
        future.result(60)
    store.close()


def test_processes_share_a_store_and_agree_on_every_id(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=write_many, args=(path, first)) for first in (0, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0]
    assert count(path) == 300


FILLING = """
import resource, signal, sys
from tests_events import event, open_events, UnavailableError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store, kept, failed = open_events(sys.argv[1]), [], 0
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
for number in range(200):
    try:
        kept.append(store.record(event(number)).request_id)
    except UnavailableError:
        failed += 1
        if failed == 5:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.close()
assert 5 <= failed < 10, failed
print(len(kept))
"""


def test_a_disk_that_fills_up_loses_nothing_and_is_used_again_once_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "tests_events.py").write_text(Path(__file__).read_text())
    done = subprocess.run(
        [sys.executable, "-c", FILLING, str(tmp_path / "events.db")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"},
    )

    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert int(done.stdout) <= count(tmp_path / "events.db")


def test_opening_the_newest_store_loads_no_sqlalchemy(tmp_path: Path) -> None:
    open_events(tmp_path / "events.db").close()
    code = f"import sys\nfrom interlock.store.events import open_events\nopen_events({str(tmp_path / 'events.db')!r})"
    code += "\nprint('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout == "False\n"
