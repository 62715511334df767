"""Numbered steps from an empty database to ``schema``. Knows no rows.

To change the schema: add a step at the end, never edit one that was released, change ``schema`` to match, and the tests
walk to the new version from every older one.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from interlock.core.errors import InputError, Problem
from interlock.store.schema import VERSIONS

# A step is statements for both databases, then statements for one of them.
LEDGER_TABLE = """
CREATE TABLE ledger (
  sequence INTEGER NOT NULL PRIMARY KEY,
  time TEXT NOT NULL,
  "key" TEXT NOT NULL UNIQUE,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  evidence TEXT NOT NULL,
  note TEXT NOT NULL,
  previous TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL UNIQUE
)
"""
# SQLite's REPLACE removes rows without asking the trigger on DELETE, so rows that would replace others are refused too.
SQLITE_GUARDS = (
    "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END",
    "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END",
    """
CREATE TRIGGER ledger_in_order BEFORE INSERT ON ledger
WHEN NEW.sequence <> (SELECT COALESCE(MAX(sequence), 0) + 1 FROM ledger)
  OR EXISTS (SELECT 1 FROM ledger WHERE "key" = NEW."key" OR previous = NEW.previous OR hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END
""",
)
POSTGRESQL_GUARDS = (
    """
CREATE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger only grows'; END $$
""",
    """
CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_only_grows()
""",
    """
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()
""",
)

LOCK = 0x696C6B  # any number that nobody else locks

Step = tuple[tuple[str, ...], dict[str, tuple[str, ...]]]
STEPS: tuple[Step, ...] = (
    (
        (LEDGER_TABLE, "CREATE INDEX ledger_subject ON ledger (subject)"),
        {"sqlite": SQLITE_GUARDS, "postgresql": POSTGRESQL_GUARDS},
    ),
)


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
