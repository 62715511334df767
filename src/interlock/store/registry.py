"""Aliases and pushed bundles as tables beside the ledger. Knows no bytes of bundles, and not why an alias may move."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Table, select, text
from sqlalchemy.engine import RowMapping

from interlock.core.errors import Problem, RefusedError
from interlock.core.ledger import Entry
from interlock.core.registry import Alias, AliasName, Basis, Move, State
from interlock.store.engine import open_store, transaction
from interlock.store.ledger import StoredLedger, enter
from interlock.store.schema import ALIASES, BUNDLES, LEDGER, METADATA

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAMES_NOTHING = {BUNDLES.name, "events", "schema_version"}  # an event says what was, it keeps no bundle


class StoredRecords(StoredLedger):
    """``Records`` on a store; any number of processes may use it."""

    def arriving(self, digest: str, *, at: datetime) -> None:
        """Say that a bundle is being pushed, so that nothing of it is removed.

        Raises:
            RefusedError: it is being removed.
        """
        with self._writing() as connection:
            state = _state(connection, digest)
            if state is State.LEAVING:
                problem = Problem("registry", digest, "a bundle that is not being removed", "one that is")
                raise RefusedError("this bundle is being removed; push it again after the next gc", [problem])
            if state is None:
                row = {"digest": digest, "state": State.ARRIVING.value, "time": at.isoformat()}
                connection.execute(BUNDLES.insert().values(row))
            elif state is State.ARRIVING:
                connection.execute(BUNDLES.update().where(BUNDLES.c.digest == digest).values(time=at.isoformat()))

    def there(self, digest: str, *, receipt: str, at: datetime) -> None:
        """Say that a bundle is whole, and which receipt is its evidence.

        Raises:
            RefusedError: it was removed meanwhile, as pushes are that take longer than a day.
        """
        with self._writing() as connection:
            if _state(connection, digest) not in {State.ARRIVING, State.THERE}:
                problem = Problem("registry", digest, "a push in time", "one whose files were removed meanwhile")
                raise RefusedError("this push took too long; push again", [problem])
            values = {"state": State.THERE.value, "time": at.isoformat(), "receipt": receipt}
            connection.execute(BUNDLES.update().where(BUNDLES.c.digest == digest).values(values))

    def bundles(self) -> dict[str, State]:
        """Return every bundle that was pushed and not removed, in the order of their digests."""
        with transaction(self._engine) as connection:
            rows = connection.execute(select(BUNDLES.c.digest, BUNDLES.c.state).order_by(BUNDLES.c.digest))
            return {digest: State(state) for digest, state in rows}

    def aliases(self) -> dict[AliasName, Alias]:
        """Return every alias that points somewhere."""
        with transaction(self._engine) as connection:
            return _aliases(connection)

    def move(self, move: Move, *, at: datetime) -> tuple[Alias, Entry]:
        """Move an alias and enter it in the ledger, both or neither.

        Raises:
            RefusedError: the bundle is not there, the alias points elsewhere by now, or the token was used.
        """
        with self._writing() as connection:
            if problems := list(_hindrances(connection, move)):
                raise RefusedError(f"{move.name} was not moved", problems)
            entry = enter(connection, move.deed(), at=at)
            alias = Alias(move.name, move.digest, move.after, move.basis, entry.time)
            row = {"name": alias.name, "digest": alias.digest, "epoch": alias.epoch}
            row |= {"basis": alias.basis.value, "time": alias.time}
            connection.execute(ALIASES.delete().where(ALIASES.c.name == move.name))
            connection.execute(ALIASES.insert().values(row))
        return alias, entry

    def condemn(self, *, stale: datetime) -> tuple[str, ...]:
        """Mark bundles that no alias, ledger entry or other table names as leaving, and return all that are.

        A bundle is named by its digest or by its receipt's, as attempts and verdicts do.
        """
        with self._writing() as connection:
            named = _named(connection)
            rows = connection.execute(select(BUNDLES).order_by(BUNDLES.c.digest)).mappings().all()
            leaving = [row["digest"] for row in rows if not _kept(row, named, stale=stale)]
            leave = BUNDLES.update().where(BUNDLES.c.digest.in_(leaving)).values(state=State.LEAVING.value)
            connection.execute(leave)
        return tuple(leaving)

    def gone(self, digest: str) -> None:
        """Say that a leaving bundle's files are removed."""
        with self._writing() as connection:
            mine = (BUNDLES.c.digest == digest) & (BUNDLES.c.state == State.LEAVING.value)
            connection.execute(BUNDLES.delete().where(mine))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with transaction(self._engine, writes=True) as connection:
            if connection.dialect.name == "postgresql":  # as SQLite's BEGIN IMMEDIATE: one writer at a time
                connection.execute(text("LOCK TABLE ledger, bundles, aliases IN SHARE ROW EXCLUSIVE MODE"))
            yield connection


@contextmanager
def open_records(where: str | Path, *, must_exist: bool = False) -> Iterator[StoredRecords]:
    """Open the records of a store as ``open_store`` does, and close it at the end."""
    engine = open_store(where, must_exist=must_exist)
    try:
        yield StoredRecords(engine)
    finally:
        engine.dispose()


def _state(connection: Connection, digest: str) -> State | None:
    found = connection.scalar(select(BUNDLES.c.state).where(BUNDLES.c.digest == digest))
    return State(found) if found is not None else None


def _kept(row: RowMapping, named: set[str], *, stale: datetime) -> bool:
    """Whether a bundle stays: something names it, or it is being pushed, or nobody knows its receipt."""
    if row["state"] == State.LEAVING:  # named only since: files may be gone, and pushing it again waits for the end
        return False
    if row["state"] == State.ARRIVING and datetime.fromisoformat(row["time"]) >= stale:
        return True
    if row["state"] == State.THERE and row["receipt"] is None:  # pushed by a release that did not note receipts
        return True
    return bool({row["digest"], row["receipt"]} & named)


def _aliases(connection: Connection) -> dict[AliasName, Alias]:
    rows = connection.execute(select(ALIASES).order_by(ALIASES.c.name)).mappings()
    return {
        row["name"]: Alias(row["name"], row["digest"], row["epoch"], Basis(row["basis"]), row["time"]) for row in rows
    }


def _hindrances(connection: Connection, move: Move) -> Iterator[Problem]:
    if _state(connection, move.digest) is not State.THERE:
        yield Problem("registry", move.digest, "a bundle that was pushed", "none")
    now = _aliases(connection).get(move.name)
    if now != move.before:
        yield Problem("registry", move.name, str(move.before and move.before.digest), str(now and now.digest))
    if move.token:
        evidence = connection.scalars(select(LEDGER.c.evidence).where(LEDGER.c.evidence.contains(move.token)))
        if evidence.first() is not None:
            yield Problem("registry", "token", "one that was never used", "a used one")


def _named(connection: Connection) -> set[str]:
    """Return every digest that stands in any text of any table but those that only list or remember bundles."""
    found: set[str] = set()
    for table in METADATA.tables.values():
        if table.name not in NAMES_NOTHING:
            found |= _digests(connection, table)
    return found


def _digests(connection: Connection, table: Table) -> set[str]:
    texts = [column for column in table.columns if str(column.type) == "TEXT"]
    if not texts:
        return set()
    return {
        digest
        for row in connection.execute(select(*texts))
        for value in row
        if value is not None
        for digest in DIGEST.findall(value)
    }
