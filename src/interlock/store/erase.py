"""Events taken out so that no byte of them stays in the store's files. Knows digests, not whose they are.

What this cannot reach: copies made elsewhere (backups, replicas, a write-ahead archive), and what a disk keeps in
blocks that no file has any more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, select, text

from interlock.core.canonical import digest_of
from interlock.core.errors import UnavailableError
from interlock.core.ledger import Deed, Entry
from interlock.store.engine import open_store, transaction
from interlock.store.ledger import enter
from interlock.store.schema import EVENT_KEY, EVENTS

PATIENCE_S = 30.0  # how long to wait for a moment in which nobody reads the log


@dataclass(frozen=True, slots=True)
class Erased:
    """How many events went, and the ledger's entry of it, which names neither them nor their subject."""

    events: int
    entry: Entry


def erase_subject(where: str | Path, *, subject_digest: str, actor: str, at: datetime) -> Erased:
    """Erase every event of a subject. While the files are rewritten, events handed in wait.

    Args:
        where: a store, as for ``open_store``.
        subject_digest: ``DigestKey.of_subject``.
        actor: who does it, for the ledger.
        at: when, aware.

    Raises:
        InputError: there is no such store.
        RefusedError: the store failed.
        UnavailableError: the events are gone, but the files could not be rewritten: run it again.
    """
    return _erase(where, EVENTS.c.subject_digest == subject_digest, "of one subject", actor=actor, at=at)


def erase_before(where: str | Path, *, before: datetime, actor: str, at: datetime) -> Erased:
    """Erase every event older than ``before`` (aware); otherwise as ``erase_subject``."""
    moment = before.astimezone(UTC).isoformat(timespec="microseconds")
    return _erase(where, EVENTS.c.at < moment, f"from before {moment}", actor=actor, at=at)


def _erase(where: str | Path, which: ColumnElement[bool], said: str, *, actor: str, at: datetime) -> Erased:
    engine = open_store(where, must_exist=True)
    try:
        with transaction(engine, writes=True) as connection:
            count = connection.execute(delete(EVENTS).where(which)).rowcount
            if connection.scalar(select(EVENTS.c.sequence).limit(1)) is None:
                connection.execute(delete(EVENT_KEY))  # an empty store may be used with another secret
            note = f"{count} events {said}"
            body = {"action": "erased", "at": at.isoformat(), "note": note}
            entry = enter(connection, Deed(digest_of(body), actor, "erased", digest_of([body]), note=note), at=at)
        _rewrite(engine)
    finally:
        engine.dispose()
    return Erased(count, entry)


def _rewrite(engine: Engine) -> None:
    """Write the table's files anew: a deleted row's bytes stay in its page, and in the log, until they are."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (FULL) events"))
        return
    pooled = engine.raw_connection()
    try:
        driver: Any = pooled.driver_connection
        driver.execute("VACUUM")
        _empty_log(driver)
    finally:
        pooled.close()


def _empty_log(driver: Any) -> None:
    until = time.monotonic() + PATIENCE_S
    while driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > until:
            raise UnavailableError("the events are erased, but others hold the log open with their bytes: run it again")
