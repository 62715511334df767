"""The table of events in SQLite, through the driver itself: a tenth of the time per event. Knows no SQLAlchemy."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from interlock.core.errors import InterlockError, UnavailableError
from interlock.core.event import Event
from interlock.store.event_rows import COLUMNS, event_of, kept_or_damaged, row_of
from interlock.store.folders import flush_folder

BUSY_S = 10.0  # how long a writer waits for another
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON")  # sqlite.org/pragma.html
INSERT = f"INSERT INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (request_id) DO NOTHING"  # noqa: S608
INSERT_MARK = "INSERT INTO event_key VALUES (1, ?) ON CONFLICT DO NOTHING"
SELECT = f"SELECT {COLUMNS} FROM events WHERE request_id = ?"  # noqa: S608 - names of columns


class SqliteEvents:
    """An ``EventTable`` on an SQLite file that has the newest schema; several processes may write it."""

    def __init__(self, path: Path) -> None:
        """Use the file at ``path``.

        Raises:
            OSError: there is no such file, or its folder cannot be flushed.
            sqlite3.Error: it does not open.
        """
        self._path = path
        self._finding = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._file = self._identity()
        self._writer = self._connect()

    def keep_mark(self, mark: str) -> str:
        """Enter which key the events are digested under, unless one is there; return the mark of the one that is."""
        writer = self._writer
        assert writer is not None, "opened above, and nothing has failed yet"  # noqa: S101 - a mistake of ours
        writer.execute(INSERT_MARK, (mark,))
        return str(writer.execute("SELECT mark FROM event_key").fetchone()[0])

    def begin(self) -> None:
        """Take SQLite's one write lock."""
        if self._writer is None:
            self._file = self._identity()
            self._writer = self._connect()
        self._writer.execute("BEGIN IMMEDIATE")

    def keep(self, events: Sequence[Event]) -> list[Event | InterlockError]:
        """Insert what is new, and commit with a flush."""
        writer = self._writer
        assert writer is not None, "begin comes first"  # noqa: S101 - a mistake of ours
        kept = [_kept(writer, event) for event in events]
        writer.execute("COMMIT")
        self._check_file()
        return kept

    def find(self, request_id: str) -> Event | None:
        """Return the event kept under an id."""
        with self._finding:
            try:
                if self._reader is None:
                    self._reader = self._connect()
                self._check_file()
                row = self._reader.execute(SELECT, (request_id,)).fetchone()
            except (sqlite3.Error, OSError) as error:
                self._let_reader_go()
                raise UnavailableError(f"the event store failed: {error}") from error
        return None if row is None else event_of(row)

    def let_go(self) -> None:
        """Close both connections, so that the next ones look at the disk anew."""
        _close(self._writer)
        self._writer = None
        with self._finding:
            self._let_reader_go()

    def _let_reader_go(self) -> None:
        _close(self._reader)
        self._reader = None

    def _connect(self) -> sqlite3.Connection:
        """Open the file, and make durable what is found in it.

        A process that was killed, or whose flush failed, may have left a transaction in the log that no flush has
        reached. SQLite shows it to whoever opens the file next; a checkpoint writes it to the disk before it is shown.
        And SQLite flushes the folder that names its log without looking whether that worked.
        """
        uri = f"{self._path.absolute().as_uri()}?mode=rw"  # never make a file: it would be empty
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
        try:
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            _checkpoint(connection)
            flush_folder(self._path.parent)
        except BaseException:
            connection.close()
            raise
        return connection

    def _identity(self) -> tuple[int, int]:
        found = os.stat(self._path)  # noqa: PTH116 - one call for every group
        return found.st_dev, found.st_ino

    def _check_file(self) -> None:
        """Refuse to go on with a file that has no name any more: what is written there is lost."""
        if self._identity() != self._file:
            raise OSError("the database was replaced while it was open")


def _checkpoint(connection: sqlite3.Connection) -> None:
    """Write what the log holds now into the database, beside whoever else writes or does the same."""
    until, first = time.monotonic() + BUSY_S, -1
    while True:
        busy, logged, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if not busy:
            first = logged if first < 0 else first
            if done >= first or logged < first:  # a log that began anew was written out before
                return
        if time.monotonic() > until:
            raise sqlite3.OperationalError("another process reads an old state of the database, and will not end")
        time.sleep(0.005)


def _kept(writer: sqlite3.Connection, event: Event) -> Event | InterlockError:
    if writer.execute(INSERT, row_of(event)).rowcount == 1:
        return event
    return kept_or_damaged(writer.execute(SELECT, (event.request_id,)).fetchone())


def _close(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(sqlite3.Error):
            connection.close()
