"""The ledger as a table that only grows. Knows what a row is, not what a deed means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.engine import RowMapping

from interlock.core.canonical import canonical, read_json
from interlock.core.errors import InputError
from interlock.core.ledger import Deed, Entry, next_entry, same_deed
from interlock.store.engine import open_store, transaction
from interlock.store.schema import LEDGER


class StoredLedger:
    """A ``Ledger`` on a store; any number of processes may append."""

    def __init__(self, engine: Engine) -> None:
        """Use an opened store."""
        self._engine = engine

    def append(self, deed: Deed, *, at: datetime) -> Entry:
        """Enter a deed and return its entry; the same deed again returns the entry it already has.

        Raises:
            RefusedError: its key was used for another deed.
        """
        with transaction(self._engine, writes=True) as connection:
            return enter(connection, deed, at=at)

    def entries(self) -> Iterator[Entry]:
        """Return every entry, in order."""
        with transaction(self._engine) as connection:
            found = connection.execute(select(LEDGER).order_by(LEDGER.c.sequence)).mappings()
            yield from map(_entry, found)


def enter(connection: Connection, deed: Deed, *, at: datetime) -> Entry:
    """Enter a deed as ``StoredLedger.append`` does, in a transaction that does something else as well."""
    if connection.dialect.name == "postgresql":  # as SQLite's BEGIN IMMEDIATE: one writer at a time
        connection.execute(text("LOCK TABLE ledger IN SHARE ROW EXCLUSIVE MODE"))
    known = connection.execute(select(LEDGER).where(LEDGER.c.key == deed.key)).mappings().first()
    if known is not None:
        return same_deed(_entry(known), deed)
    newest = select(LEDGER).order_by(LEDGER.c.sequence.desc()).limit(1)
    last = connection.execute(newest).mappings().first()
    entry = next_entry(_entry(last) if last is not None else None, deed, at=at)
    connection.execute(LEDGER.insert().values(_row(entry)))
    return entry


@contextmanager
def open_ledger(where: str | Path, *, must_exist: bool = False) -> Iterator[StoredLedger]:
    """Open the ledger of a store as ``open_store`` does, and close it at the end."""
    engine = open_store(where, must_exist=must_exist)
    try:
        yield StoredLedger(engine)
    finally:
        engine.dispose()


def _row(entry: Entry) -> dict[str, Any]:
    return {**entry.to_json(), "evidence": canonical(dict(entry.deed.evidence)).decode()}


def _entry(row: RowMapping) -> Entry:
    """Return a row as it stands; one that was damaged gives an entry whose digest does not hold."""
    said = {name: str(row[name]) for name in ("key", "actor", "action", "subject", "note")}
    deed = Deed(**said, evidence=_evidence(str(row["evidence"])))
    return Entry(row["sequence"], str(row["time"]), deed, str(row["previous"]), str(row["hash"]))


def _evidence(stored: str) -> dict[str, str]:
    try:
        found = read_json(stored.encode(), where="evidence")
        if isinstance(found, dict) and canonical(found).decode() == stored:
            return found
    except (InputError, UnicodeEncodeError):
        pass
    return {"damaged": stored.encode("utf-8", "backslashreplace").decode()}
