"""Opening the event store of a URL. Knows no rows; loads SQLAlchemy only where the schema is not the newest yet."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.core.errors import InputError, Problem, RefusedError, UnavailableError
from interlock.core.event import DigestKey, EventStore
from interlock.store.commits import MOST_WAITING, GroupCommits
from interlock.store.events_sqlite import SqliteEvents
from interlock.store.steps import NEWEST

if TYPE_CHECKING:
    from interlock.store.events_postgres import PostgresEvents

EXPECTED = "an SQLite file, its URL without options, or PostgreSQL's"


def open_events(where: str | Path, *, key: DigestKey | None = None, most_waiting: int = MOST_WAITING) -> EventStore:
    """Open the event store of this process; close it to write what waits. Open it after any fork.

    Args:
        where: a URL (``sqlite:///events.db``, ``postgresql+psycopg://...``) or the path of an SQLite file; a missing
            file is made.
        key: under which the events are digested; from then on the store is refused to whoever names another. Under two,
            one message would have two digests: it would conflict with itself, and erasing a subject would miss some.
        most_waiting: how many events may wait for the disk before more are refused.

    Raises:
        InputError: it is no store, or one of a newer version.
        RefusedError: it does not open as a store, or its events are digested under another key.
        UnavailableError: it does not answer.
    """
    text = str(where)
    if text.startswith("postgresql"):
        from interlock.store.events_postgres import PostgresEvents

        return _opened(PostgresEvents(text), key=key, most_waiting=most_waiting)
    if ("://" in text and (not text.startswith("sqlite:///") or "?" in text)) or text.endswith(":memory:"):
        raise InputError("this is no event store", [Problem("store", "", EXPECTED, text.partition("://")[0][:40])])
    path = Path(text.removeprefix("sqlite:///"))
    if _version(path) != NEWEST:
        from interlock.store.engine import open_store

        open_store(path).dispose()
    try:
        return _opened(SqliteEvents(path), key=key, most_waiting=most_waiting)
    except (sqlite3.Error, OSError) as error:
        raise UnavailableError(f"the event store does not open: {error}") from error


def _opened(table: SqliteEvents | PostgresEvents, *, key: DigestKey | None, most_waiting: int) -> EventStore:
    if key is not None and table.keep_mark(key.mark) != key.mark:
        table.let_go()
        raise RefusedError("the events of this store are digested under another secret: use that, or another store")
    return GroupCommits(table, most_waiting=most_waiting)


def _version(path: Path) -> int:
    """Return the version of the schema in a file; 0 where there is none, or whatever it is cannot say."""
    if not path.is_file():
        return 0
    with suppress(sqlite3.Error):
        uri = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=10.0)) as connection:
            return int(connection.execute("SELECT MAX(version) FROM schema_version").fetchone()[0] or 0)
    return 0
