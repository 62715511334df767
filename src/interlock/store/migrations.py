"""Running the numbered steps that were not run yet. Knows no rows."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from interlock.core.errors import InputError, Problem
from interlock.store.schema import VERSIONS
from interlock.store.steps import STEPS

LOCK = 0x696C6B  # any number that nobody else locks


def migrate(connection: Connection, *, to: int = len(STEPS)) -> None:
    """Run the steps that were not run yet, up to version ``to``, in the caller's transaction.

    Raises:
        InputError: a newer release has been here.
    """
    if connection.dialect.name == "postgresql":  # as SQLite's BEGIN IMMEDIATE: one process migrates, the others wait
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    if not inspect(connection).has_table(VERSIONS.name):
        VERSIONS.create(connection)
    done = max(connection.scalars(select(VERSIONS.c.version)), default=0)
    if done > len(STEPS):
        raise InputError(
            "the store is of a newer version",
            [Problem("store", "schema_version", f"at most {len(STEPS)}", str(done))],
            todo="Upgrade interlock to use this store.",
        )
    for version in range(done + 1, to + 1):
        common, own = STEPS[version - 1]
        for statement in (*common, *own[connection.dialect.name]):
            connection.exec_driver_sql(statement)
        connection.execute(VERSIONS.insert().values(version=version))
