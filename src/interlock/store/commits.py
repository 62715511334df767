"""Group commit: what waits together becomes durable together, with one flush. Knows no database."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from interlock.core.errors import InterlockError, OverloadedError, UnavailableError
from interlock.core.event import Event, EventStore

MOST_WAITING = 4096  # events handed in and not yet taken by the writer
MOST_TOGETHER = 256  # events in one transaction, so that it stays short

Waiting = tuple[Event, "Future[Event]"]


class EventTable(Protocol):
    """One process's way to the table of events. Only the writer calls anything but ``find``."""

    def begin(self) -> None:
        """Start a transaction that writes: wait for the other writers, not forever. Connects anew where it must."""
        ...

    def keep(self, events: Sequence[Event]) -> Sequence[Event | InterlockError]:
        """Insert, commit and flush; return for each event what is durable under its id, or why that is no event."""
        ...

    def find(self, request_id: str) -> Event | None:
        """Return the event kept under an id; safe in any thread."""
        ...

    def let_go(self) -> None:
        """Close every connection; what is broken is forgotten."""
        ...


class GroupCommits(EventStore):
    """An event store with one writer thread. It does not go through a fork: open it after."""

    def __init__(self, table: EventTable, *, most_waiting: int = MOST_WAITING) -> None:
        """Start the writer.

        Args:
            table: where events are written.
            most_waiting: how many may wait before ``submit`` refuses.
        """
        self._table = table
        self._most_waiting = most_waiting
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._closed = False
        self._process = os.getpid()
        self._writer = threading.Thread(target=self._write, name="event-writer", daemon=True)
        self._writer.start()

    def find(self, request_id: str) -> Event | None:
        """Return the event kept under an id; see ``EventStore``."""
        self._check_usable()
        return self._table.find(request_id)

    def submit(self, event: Event) -> Future[Event]:
        """Hand an event in; see ``EventStore``."""
        future: Future[Event] = Future()
        with self._changed:
            self._check_usable()
            if len(self._waiting) >= self._most_waiting:
                raise OverloadedError(f"{self._most_waiting} events wait to be written already")
            self._waiting.append((event, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Write what was handed in, and let go."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._writer.join()
        self._table.let_go()

    def _check_usable(self) -> None:
        if self._closed:
            raise UnavailableError("the event store is closed")
        if os.getpid() != self._process:  # no writer thread here, and SQLite forbids it
            raise UnavailableError("the event store was opened by another process; open it after the fork")

    def _write(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._closed:
                        return
                    self._changed.wait()
            self._write_group()

    def _write_group(self) -> None:
        """Write what waits. Whatever goes wrong, the writer lives on and everyone who waits learns of it."""
        group: list[Waiting] = []
        try:
            self._table.begin()
            group = self._take()  # only now: more came while the others wrote
            kept = self._table.keep([event for event, _ in group])
        except Exception as error:  # noqa: BLE001 - a writer that died would leave its callers waiting forever
            with contextlib.suppress(Exception):  # what is broken may break again
                self._table.let_go()
            for _, future in group or self._take():
                future.set_exception(_failed(error))
            return
        for (_, future), found in zip(group, kept, strict=True):
            if isinstance(found, InterlockError):
                future.set_exception(found)
            else:
                future.set_result(found)

    def _take(self) -> list[Waiting]:
        with self._changed:
            first = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        return [(event, future) for event, future in first if future.set_running_or_notify_cancel()]


def _failed(error: Exception) -> UnavailableError:
    failed = UnavailableError(f"the event store failed, and nothing is promised of this event: {error}")
    failed.__cause__ = error
    return failed
