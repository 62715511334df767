"""A URL to an engine whose commits survive a power cut, with its schema up to date. Knows no tables."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from interlock.core.errors import InputError, MissingExtraError, Problem, RefusedError
from interlock.store.folders import make_folder
from interlock.store.migrations import migrate

SCHEME = re.compile(r"(sqlite|postgres(ql)?)(\+\w+)?:")  # what begins so is meant as a URL
BUSY_MS = 10_000  # how long a writer waits for another
PAUSE_MS = 10  # between two tries, where it must try again itself


def open_store(where: str | Path, *, must_exist: bool = False) -> Engine:
    """Open a store and bring its schema up to date.

    Args:
        where: a URL (``sqlite:///runs.db``, ``postgresql+psycopg://...``) or the path of an SQLite file.
        must_exist: whether a missing SQLite file is an error instead of a new store.

    Raises:
        InputError: it is no store, or one of a newer version.
        RefusedError: it does not open.
    """
    url = store_url(where)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and url.database and url.database != ":memory:" and not Path(url.database).exists():
        if must_exist:
            raise InputError(f"there is no store at {url.database}", [Problem(url.database, "", "a store", "no file")])
        make_folder(Path(url.database).absolute().parent)
    try:
        engine = create_engine(url, connect_args={} if sqlite else _patience(url))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise MissingExtraError(f"A store at {url.get_backend_name()}", "postgres", missing=str(error)) from error
    if sqlite:
        _careful_sqlite(engine)
    try:
        with transaction(engine, writes=True) as connection:
            migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def transaction(engine: Engine, *, writes: bool = False) -> Iterator[Connection]:
    """Open a transaction that ends with the block: kept when it ends well, undone when it does not.

    Args:
        engine: the store.
        writes: whether it will write; it then waits for other writers at the start, and never gives up half-way.

    Raises:
        RefusedError: the database failed or is damaged.
    """
    try:
        with engine.connect().execution_options(writes=writes) as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        where = engine.url.set(query={}).render_as_string()  # which may hold a password as well
        problem = Problem(where, "", "a store that answers", str(error.__cause__ or error)[:300])
        raise RefusedError("the store failed; nothing of this was entered", [problem]) from error


def store_url(where: str | Path) -> URL:
    """Return the URL of a store; a plain path is an SQLite file.

    Raises:
        InputError: it is neither, or a database other than SQLite and PostgreSQL.
    """
    text = str(where)
    try:
        url = make_url(text) if "://" in text or SCHEME.match(text) else URL.create("sqlite", database=text)
    except (ArgumentError, ValueError):  # whose words, as the text itself, may hold a password
        expected = "a file, or a URL such as postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        problem = Problem("store", "", expected, f"a URL of {text.partition(':')[0][:40]} that cannot be read")
        raise InputError("this is no store", [problem]) from None
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise InputError("this is no store", [Problem("store", "", "SQLite or PostgreSQL", url.get_backend_name())])
    return url


def _patience(url: URL) -> dict[str, str]:
    """Return how long to wait for a PostgreSQL that does not answer, unless the URL says so itself."""
    limits = {"connect_timeout": str(BUSY_MS // 1000), "tcp_user_timeout": str(BUSY_MS)}
    return {name: value for name, value in limits.items() if name not in url.query}


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Write ahead; where another is about to write a new file, SQLite gives up changing its mode without waiting."""
    for tries_left in reversed(range(BUSY_MS // PAUSE_MS)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not tries_left:
                raise
            time.sleep(PAUSE_MS / 1000)
        else:
            return


def _careful_sqlite(engine: Engine) -> None:
    """WAL with every commit flushed (sqlite.org/pragma.html, synchronous), and transactions that start when we say."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin by itself, and too late
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        _log_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
