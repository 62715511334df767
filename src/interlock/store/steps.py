"""Numbered steps from an empty database to ``schema``, as SQL. Knows no rows, and no SQLAlchemy.

To change the schema: add a step at the end, never edit one that was released, change ``schema`` to match, and the tests
walk to the new version from every older one.
"""

from __future__ import annotations

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

# ``sequence`` never comes twice, not even after the newest event was erased: readers of the table go on from it.
# No index but the one that makes ids unique: two more would double the work of a commit, and erasing reads the whole
# table anyway.
EVENTS_COLUMNS = """
  request_id TEXT NOT NULL UNIQUE,
  at TEXT NOT NULL,
  text_digest TEXT NOT NULL,
  subject_digest TEXT,
  bundle_digest TEXT,
  decision TEXT NOT NULL,
  metadata TEXT NOT NULL
"""
EVENTS_SQLITE = f"CREATE TABLE events (sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, {EVENTS_COLUMNS})"
EVENTS_POSTGRESQL = f"""
CREATE TABLE events (sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {EVENTS_COLUMNS})
"""

BUNDLES_TABLE = """
CREATE TABLE bundles (
  digest TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  time TEXT NOT NULL
)
"""
ALIASES_TABLE = """
CREATE TABLE aliases (
  name TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  basis TEXT NOT NULL,
  time TEXT NOT NULL
)
"""

# One row: under which secret the events are digested, told by a digest under it.
EVENT_KEY_TABLE = """
CREATE TABLE event_key (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  mark TEXT NOT NULL
)
"""

Step = tuple[tuple[str, ...], dict[str, tuple[str, ...]]]
STEPS: tuple[Step, ...] = (
    (
        (LEDGER_TABLE, "CREATE INDEX ledger_subject ON ledger (subject)"),
        {"sqlite": SQLITE_GUARDS, "postgresql": POSTGRESQL_GUARDS},
    ),
    (
        (),
        {"sqlite": (EVENTS_SQLITE,), "postgresql": (EVENTS_POSTGRESQL,)},
    ),
    ((BUNDLES_TABLE, ALIASES_TABLE), {"sqlite": (), "postgresql": ()}),
    (("ALTER TABLE bundles ADD COLUMN receipt TEXT",), {"sqlite": (), "postgresql": ()}),
    ((EVENT_KEY_TABLE,), {"sqlite": (), "postgresql": ()}),
)
NEWEST = len(STEPS)
