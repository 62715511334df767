"""Event stores: one suite over every kind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import RefusedError, UnavailableError
from interlock.core.event import DigestKey, Event, EventStore
from interlock.store.erase import erase_subject
from interlock.store.events import open_events
from interlock.testing import MemoryEvents

KEY = DigestKey(bytes(range(32)))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(number: int, *, text: str = "where is it", subject: str | None = "ada", at: datetime = NOW) -> Event:
    decision = Decision(Outcome.ROUTED, "shop", Reason.AUTO, confidence=0.9, bundle_digest="sha256:" + "a" * 64)
    return Event.of(decision, request_id=f"request-{number}", text=text, subject=subject, key=KEY, at=at)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    """An empty event store of each kind."""
    opened: EventStore
    if request.param == "memory":
        opened = MemoryEvents()
    else:
        sqlite = request.param == "sqlite"
        opened = open_events(tmp_path / "events.db" if sqlite else request.getfixturevalue("database"))
    yield opened
    opened.close()


def test_what_was_recorded_is_found_again_as_it_was(store: EventStore) -> None:
    whole = replace(event(1), metadata={"channel": "web"})
    bare = replace(
        event(2, subject=None), bundle_digest=None, decision='{"outcome":"blocked","route":"p","reason":"empty_text"}'
    )

    assert store.record(whole) == whole == store.find("request-1")
    assert store.record(bare) == bare == store.find("request-2")
    assert store.find("request-3") is None


def test_the_first_event_of_an_id_wins(store: EventStore) -> None:
    first = store.record(event(1))

    assert store.record(event(1, text="another")) == first
    assert store.find("request-1") == first


def test_of_many_at_once_one_wins_and_everyone_learns_which(store: EventStore) -> None:
    futures = [store.submit(event(1, text=str(number))) for number in range(50)]
    results = {future.result(10).text_digest for future in futures}

    assert len(results) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_events_of_one_store_are_digested_under_one_key(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = tmp_path / "events.db" if kind == "sqlite" else request.getfixturevalue("database")
    other = DigestKey(bytes(range(1, 33)))
    open_events(where).close()  # as a store of before, which does not say
    for key in (KEY, KEY):
        store = open_events(where, key=key)
        store.record(event(1))
        store.close()
    with pytest.raises(RefusedError, match="another secret"):
        open_events(where, key=other)
    erase_subject(where, subject_digest=KEY.of_subject("bob"), actor="carol", at=NOW)
    with pytest.raises(RefusedError, match="another secret"):
        open_events(where, key=other)

    erase_subject(where, subject_digest=KEY.of_subject("ada"), actor="carol", at=NOW)
    open_events(where, key=other).close()  # nothing is left to be at odds with
    with pytest.raises(RefusedError, match="another secret"):
        open_events(where, key=KEY)


def test_threads_may_share_a_store(store: EventStore) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 20):
            store.record(event(number))

    workers = [threading.Thread(target=work, args=(first,)) for first in (0, 10, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [number for number in range(130) if store.find(f"request-{number}")] == [*range(30), *range(100, 120)]


def test_closing_writes_what_was_handed_in_and_takes_no_more(store: EventStore) -> None:
    futures = [store.submit(event(number)) for number in range(20)]
    store.close()

    assert all(future.done() and future.result() for future in futures)
    with pytest.raises(UnavailableError, match="closed"):
        store.submit(event(21))
    store.close()


def test_folders_that_are_made_for_a_store_are_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    for room in ("folders", "events_sqlite"):
        monkeypatch.setattr(f"interlock.store.{room}.flush_folder", flushed.append)
    open_events(tmp_path / "a" / "b" / "events.db").close()

    assert {tmp_path, tmp_path / "a", tmp_path / "a" / "b"} == set(flushed)
