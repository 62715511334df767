"""The table of events in PostgreSQL. Knows no threads but that ``find`` is called from any."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from interlock.core.errors import InterlockError, UnavailableError
from interlock.core.event import Event
from interlock.store.engine import open_store, transaction
from interlock.store.event_rows import COLUMNS, event_of, kept_or_damaged, row_of
from interlock.store.schema import EVENT_KEY, EVENTS

NAMES = COLUMNS.split(", ")
ROWS = select(*(EVENTS.c[name] for name in NAMES))
INSERT = insert(EVENTS).values({name: bindparam(name) for name in NAMES}).on_conflict_do_nothing()
INSERT_MARK = insert(EVENT_KEY).on_conflict_do_nothing()
# For one transaction: a flush before a commit is answered, and an end to waiting for a lock that never comes.
SETTINGS = text("SELECT set_config('synchronous_commit', 'on', true), set_config('statement_timeout', '10s', true)")


class PostgresEvents:
    """An ``EventTable`` in a PostgreSQL database; any number of processes may write it."""

    def __init__(self, where: str) -> None:
        """Use the database at a URL, with its schema brought up to date.

        Raises:
            InputError: it is no store, or one of a newer version.
            RefusedError: it does not open.
        """
        self._engine: Engine = open_store(where)
        self._writer: Connection | None = None

    def keep_mark(self, mark: str) -> str:
        """Enter which key the events are digested under, unless one is there; return the mark of the one that is."""
        with transaction(self._engine, writes=True) as connection:
            connection.execute(INSERT_MARK, {"one": 1, "mark": mark})
            return str(connection.scalar(select(EVENT_KEY.c.mark)))

    def begin(self) -> None:
        """Start a transaction whose commit waits for the flush, whatever the server's default is."""
        try:
            self._writer = self._begun()
        except SQLAlchemyError:  # the connection had died while nothing was to be written
            self.let_go()
            self._writer = self._begun()

    def keep(self, events: Sequence[Event]) -> list[Event | InterlockError]:
        """Insert what is new, and commit with a flush."""
        writer = self._writer
        assert writer is not None, "begin comes first"  # noqa: S101 - a mistake of ours
        first = {event.request_id: event for event in reversed(events)}
        if first:  # in one order for all processes: none waits for another that waits for it
            rows = [dict(zip(NAMES, row_of(first[name]), strict=True)) for name in sorted(first)]
            writer.execute(INSERT, rows)
        found = writer.execute(ROWS.where(EVENTS.c.request_id.in_(first))).all()
        writer.commit()
        writer.close()  # back to the pool
        self._writer = None
        kept = {row.request_id: kept_or_damaged(row) for row in found}
        return [kept[event.request_id] for event in events]

    def find(self, request_id: str) -> Event | None:
        """Return the event kept under an id."""
        try:
            with self._engine.connect() as connection:
                row = connection.execute(ROWS.where(EVENTS.c.request_id == request_id)).first()
        except SQLAlchemyError as error:
            raise UnavailableError(f"the event store failed: {error.__cause__ or error}") from error
        return None if row is None else event_of(row)

    def let_go(self) -> None:
        """Close every connection, the one in an unknown state first."""
        if self._writer is not None:
            self._writer.invalidate()
            self._writer.close()
            self._writer = None
        self._engine.dispose()

    def _begun(self) -> Connection:
        connection = self._engine.connect()
        connection.execute(SETTINGS)
        return connection
