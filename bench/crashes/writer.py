"""The process that is crashed: records numbered events in an event store and notes each that was acknowledged.

python -m bench.crashes.writer STORE NOTES --count 40 [--first 0] [--synchronous FULL] [--as-found] [--replay]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import UnavailableError
from interlock.core.event import DigestKey, Event, EventStore
from interlock.store import events, events_sqlite
from interlock.store.events import open_events
from interlock.store.steps import NEWEST

KEY = DigestKey(bytes(32))
START = datetime(2026, 3, 1, tzinfo=UTC)
TRIES = 5
GAVE_UP = 3  # exit code: some events were never acknowledged


def numbered(number: int) -> Event:
    """Return the one event of a number."""
    decision = Decision(Outcome.ROUTED, "shop", Reason.AUTO, label="order", confidence=0.5 + number % 50 / 100)
    at = START + timedelta(seconds=number)
    return Event.of(decision, request_id=f"r-{number}", text=f"text {number}", subject="ada", key=KEY, at=at)


def main() -> int:
    """Record, or replay, and note what was acknowledged."""
    asked = _arguments()
    pragmas = [pragma for pragma in events_sqlite.PRAGMAS if not pragma.startswith("synchronous=")]
    events_sqlite.PRAGMAS = (*pragmas, f"synchronous={asked.synchronous}", f"wal_autocheckpoint={asked.checkpoint}")
    if asked.as_found:  # without a checkpoint at the start, the harness must find losses
        events_sqlite._checkpoint = lambda _: None  # noqa: SLF001 - a mutation of the code under proof
        events._version = lambda _: NEWEST  # noqa: SLF001 - the same: its connection makes one when it closes
    notes = os.open(asked.notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    store = _opened(asked.store)
    work = _replay if asked.replay else _record
    unacknowledged = work(store, notes, range(asked.first, asked.first + asked.count))
    store.close()
    return GAVE_UP if unacknowledged else 0


def _record(store: EventStore, notes: int, numbers: range) -> int:
    """Hand in groups of one, two and three, each again until acknowledged; return how many never were."""
    left, lost, size = list(numbers), 0, 0
    while left:
        size = size % 3 + 1
        group, left = left[:size], left[size:]
        for _ in range(TRIES):
            group = [number for number, done in _handed_in(store, group) if not _noted(notes, number, done=done)]
            if not group:
                break
            time.sleep(0.01)
        lost += len(group)
    return lost


def _handed_in(store: EventStore, group: list[int]) -> list[tuple[int, bool]]:
    futures = [(number, store.submit(numbered(number))) for number in group]
    found = []
    for number, future in futures:
        try:
            found.append((number, future.result() == numbered(number)))
        except UnavailableError:
            found.append((number, False))
    return found


def _replay(store: EventStore, notes: int, numbers: range) -> int:
    """Ask for events again, as a caller who got no answer does; an answer is an acknowledgement."""
    for number in numbers:
        _noted(notes, number, done=store.find(f"r-{number}") is not None)
    return 0


def _noted(notes: int, number: int, *, done: bool) -> bool:
    if done:
        os.write(notes, b"%d\n" % number)
    return done


def _opened(path: Path) -> EventStore:
    for _ in range(TRIES):
        try:
            return open_events(path)
        except UnavailableError:
            time.sleep(0.01)
    sys.exit(GAVE_UP)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--synchronous", default="FULL")
    parser.add_argument("--checkpoint", type=int, default=20)
    parser.add_argument("--as-found", action="store_true")
    parser.add_argument("--replay", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
