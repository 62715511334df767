"""Opening the event store of a URL. Knows no rows; loads SQLAlchemy only where the schema is not the newest yet."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from interlock.core.errors import InputError, Problem, UnavailableError
from interlock.core.event import EventStore
from interlock.store.commits import MOST_WAITING, GroupCommits
from interlock.store.events_sqlite import SqliteEvents
from interlock.store.steps import NEWEST

EXPECTED = "an SQLite file, its URL without options, or PostgreSQL's"


def open_events(where: str | Path, *, most_waiting: int = MOST_WAITING) -> EventStore:
    """Open the event store of this process; close it to write what waits. Open it after any fork.

    Args:
        where: a URL (``sqlite:///events.db``, ``postgresql+psycopg://...``) or the path of an SQLite file; a missing
            file is made.
        most_waiting: how many events may wait for the disk before more are refused.

    Raises:
        InputError: it is no store, or one of a newer version.
        RefusedError: it does not open as a store.
        UnavailableError: it does not answer.
    """
    text = str(where)
    if text.startswith("postgresql"):
        from interlock.store.events_postgres import PostgresEvents

        return GroupCommits(PostgresEvents(text), most_waiting=most_waiting)
    if ("://" in text and (not text.startswith("sqlite:///") or "?" in text)) or text.endswith(":memory:"):
        raise InputError("this is no event store", [Problem("store", "", EXPECTED, text.partition("://")[0][:40])])
    path = Path(text.removeprefix("sqlite:///"))
    if _version(path) != NEWEST:
        from interlock.store.engine import open_store

        open_store(path).dispose()
    try:
        return GroupCommits(SqliteEvents(path), most_waiting=most_waiting)
    except (sqlite3.Error, OSError) as error:
        raise UnavailableError(f"the event store does not open: {error}") from error


def _version(path: Path) -> int:
    """Return the version of the schema in a file; 0 where there is none, or whatever it is cannot say."""
    if not path.is_file():
        return 0
    with suppress(sqlite3.Error):
        uri = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=10.0)) as connection:
            return int(connection.execute("SELECT MAX(version) FROM schema_version").fetchone()[0] or 0)
    return 0
