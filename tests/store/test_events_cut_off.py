"""PostgreSQL behind a wire that is cut around COMMIT: exactly one row, and whoever asks again learns which."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, make_url

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import UnavailableError
from interlock.core.event import DigestKey, Event
from interlock.store.events import open_events

KEY = DigestKey(bytes(range(32)))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Wire:
    """A TCP proxy that cuts a connection at COMMIT when told to: before the server sees it, or before its answer."""

    def __init__(self, database: str) -> None:
        url = make_url(database)
        self._target = (url.host or "127.0.0.1", url.port or 5432)
        self._listening = socket.create_server(("127.0.0.1", 0))
        here = url.set(host="127.0.0.1", port=self._listening.getsockname()[1])
        self.url = here.render_as_string(hide_password=False)
        self.cut = ""  # "before" or "after": what happens to the next COMMIT
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            threading.Thread(target=self._there, args=(near, far), daemon=True).start()
            threading.Thread(target=self._back, args=(near, far), daemon=True).start()

    def _there(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65_536):
                if b"COMMIT" in data and self.cut:
                    how, self.cut = self.cut, ""
                    self.cuts += 1
                    if how == "after":
                        _hang_up(near)  # nobody hears the answer
                        far.sendall(data)
                        return  # the other direction ends when the server has answered
                    break
                far.sendall(data)
        _hang_up(near, far)

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65_536):
                near.sendall(data)
        _hang_up(near, far)

    def close(self) -> None:
        self._listening.close()


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@pytest.fixture
def wire(database: str) -> Iterator[Wire]:
    """A wire to an empty database."""
    made = Wire(database)
    yield made
    made.close()


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
def test_a_commit_that_was_cut_off_is_there_once_after_asking_again(wire: Wire, database: str, cut: str) -> None:
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


def test_a_connection_that_died_while_idle_costs_nobody_an_event(wire: Wire, database: str) -> None:
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
