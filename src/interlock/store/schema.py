"""The tables as they are now. Knows no history: ``steps`` has every step from nothing to here."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text

METADATA = MetaData()

VERSIONS = Table(  # one row for each migration that was run
    "schema_version",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

LEDGER = Table(
    "ledger",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("time", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # canonical JSON
    Column("note", Text, nullable=False),
    Column("previous", Text, nullable=False, unique=True),
    Column("hash", Text, nullable=False, unique=True),
    Index("ledger_subject", "subject"),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("sequence", Integer, primary_key=True),  # 64 bits in either database
    Column("request_id", Text, nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Column("text_digest", Text, nullable=False),
    Column("subject_digest", Text),
    Column("bundle_digest", Text),
    Column("decision", Text, nullable=False),  # JSON, as it was sent
    Column("metadata", Text, nullable=False),  # JSON
)

EVENT_KEY = Table(  # under which secret the events are digested: one row at most
    "event_key",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("mark", Text, nullable=False),  # a digest under it
)

BUNDLES = Table(  # what was pushed to the registry
    "bundles",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("state", Text, nullable=False),  # arriving, there, leaving
    Column("time", Text, nullable=False),
    Column("receipt", Text),  # the digest of its evidence, once it is there
)

ALIASES = Table(
    "aliases",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("epoch", Integer, nullable=False),  # how often the alias was moved
    Column("basis", Text, nullable=False),  # why it may point there
    Column("time", Text, nullable=False),
)
