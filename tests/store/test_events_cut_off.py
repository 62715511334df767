"""PostgreSQL behind a wire that is cut around COMMIT: exactly one row, and whoever asks again learns which."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import UnavailableError
from interlock.core.event import DigestKey, Event
from interlock.store.events import open_events

KEY = DigestKey(bytes(range(32)))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(number: int, *, text: str = "where is it") -> Event:
    decision = Decision(Outcome.ROUTED, "shop", Reason.AUTO)
    return Event.of(decision, request_id=f"request-{number}", text=text, key=KEY, at=NOW)


def kept(database: str) -> list[tuple[str, str]]:
    engine = create_engine(database)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT request_id, text_digest FROM events ORDER BY request_id").all()
    engine.dispose()
    return [(row[0], row[1]) for row in found]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_that_was_cut_off_is_there_once_after_asking_again(wire: Any, database: str, cut: str) -> None:
    store = open_events(wire.url)
    store.record(event(0))
    for number in range(1, 11):
        wire.cut = cut
        with pytest.raises(UnavailableError, match="nothing is promised"):
            store.record(event(number))
        again = store.record(event(number, text="said otherwise"))
        first = event(number) if cut == "after" else event(number, text="said otherwise")
        assert again == first
    store.close()

    assert wire.cuts == 10
    assert [name for name, _ in kept(database)] == sorted(f"request-{number}" for number in range(11))


def test_a_connection_that_died_while_idle_costs_nobody_an_event(wire: Any, database: str) -> None:
    store = open_events(wire.url)
    store.record(event(1))
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    engine.dispose()

    assert store.record(event(2)) == event(2)
    assert store.find("request-1") == event(1)
    store.close()
