"""The store: what it opens, how carefully, and every way from an older schema to this one."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from interlock.core.errors import InputError, MissingExtraError, RefusedError
from interlock.store import migrations
from interlock.store.engine import open_store, store_url, transaction
from interlock.store.events import open_events
from interlock.store.migrations import migrate
from interlock.store.schema import METADATA
from interlock.store.steps import STEPS


def schema(path: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("version", range(len(STEPS) + 1))
def test_every_older_version_becomes_the_newest(version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(tmp_path / "new.db").dispose()
    with monkeypatch.context() as then:
        then.setattr("interlock.store.engine.migrate", lambda connection: migrate(connection, to=version))
        open_store(tmp_path / "old.db").dispose()
    open_store(tmp_path / "old.db").dispose()
    open_store(tmp_path / "old.db").dispose()  # and once more changes nothing

    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")


def test_the_migrations_lead_to_the_declared_tables(tmp_path: Path) -> None:
    engine = open_store(tmp_path / "s.db")
    found = inspect(engine)

    assert set(found.get_table_names()) == set(METADATA.tables)
    for name, table in METADATA.tables.items():
        columns = {column["name"]: (str(column["type"]), column["nullable"]) for column in found.get_columns(name)}
        assert columns == {column.name: (str(column.type), column.nullable) for column in table.columns}
        unique = {tuple(one["column_names"]) for one in found.get_unique_constraints(name)}
        assert unique == {(column.name,) for column in table.columns if column.unique}
        assert found.get_pk_constraint(name)["constrained_columns"] == [column.name for column in table.primary_key]
        assert {one["name"] for one in found.get_indexes(name)} == {index.name for index in table.indexes}
    engine.dispose()


def test_a_step_that_fails_leaves_the_older_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(tmp_path / "s.db").dispose()
    before = schema(tmp_path / "s.db")
    bad = (("CREATE TABLE half (a TEXT)", "CREATE NONSENSE"), {"sqlite": ()})
    with monkeypatch.context() as then:
        then.setattr(migrations, "STEPS", (*STEPS, bad))
        then.setattr("interlock.store.engine.migrate", lambda connection: migrate(connection, to=len(STEPS) + 1))
        with pytest.raises(RefusedError, match="NONSENSE"):
            open_store(tmp_path / "s.db")

    assert schema(tmp_path / "s.db") == before


def test_a_store_of_a_newer_version_asks_for_an_upgrade(tmp_path: Path) -> None:
    open_store(tmp_path / "s.db").dispose()
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("INSERT INTO schema_version VALUES (99)")
    connection.close()

    with pytest.raises(InputError, match="Upgrade interlock"):
        open_store(tmp_path / "s.db")


def test_commits_of_sqlite_survive_a_power_cut(tmp_path: Path) -> None:
    engine = open_store(tmp_path / "s.db")
    with transaction(engine) as connection:
        found = {
            name: connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "busy_timeout")
        }
    engine.dispose()

    assert found == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 10_000}  # 2 is FULL


def test_a_writer_holds_its_lock_from_the_start_and_a_reader_needs_none(tmp_path: Path) -> None:
    engine = open_store(tmp_path / "s.db")
    with transaction(engine, writes=True), transaction(engine) as reader:
        reader.scalar(text("SELECT COUNT(*) FROM ledger"))
        other = sqlite3.connect(tmp_path / "s.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    engine.dispose()


def test_a_url_names_sqlite_or_postgresql_and_a_path_is_sqlite() -> None:
    assert store_url("a/b.db").render_as_string() == "sqlite:///a/b.db"
    assert store_url("sqlite:///x.db").database == "x.db"
    assert store_url("postgresql+psycopg://u@h/d").get_backend_name() == "postgresql"
    for bad in ("mysql://h/d", "://", "http://example.com"):
        with pytest.raises(InputError, match="this is no store"):
            store_url(bad)


@pytest.mark.parametrize(
    "where",
    [
        "postgresql://u:word-XYZ@h:port/d",
        "postgresql+psycopg://u:word-XYZ@h:99x/d",
        "postgresql:u:word-XYZ@h/d",
        "postgres:u:word-XYZ@h",
        "sqlite:/word-XYZ",
        "://word-XYZ",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_and_not_repeated(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for opening in (store_url, open_store, open_events):
        with pytest.raises(InputError) as refused:
            opening(where)
        assert "XYZ" not in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_store_that_does_not_answer_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(RefusedError) as refused:
        open_store("postgresql+psycopg://u:word-XYZ@127.0.0.1:1/d?password=word-XYZ")

    assert "127.0.0.1:1/d" in str(refused.value)
    assert "XYZ" not in str(refused.value)


def test_a_missing_store_is_made_or_refused_as_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no store"):
        open_store(tmp_path / "a" / "s.db", must_exist=True)
    assert list(tmp_path.iterdir()) == []

    open_store(tmp_path / "a" / "s.db").dispose()
    open_store(tmp_path / "a" / "s.db", must_exist=True).dispose()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_bytes(b"not a database at all" * 100)

    with pytest.raises(RefusedError, match="not a database"):
        open_store(tmp_path / "s.db")


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)

    with pytest.raises(MissingExtraError, match="postgres"):
        open_store("postgresql+psycopg://nobody@localhost/none")


def test_a_new_file_that_another_process_is_just_changing_is_waited_for(tmp_path: Path) -> None:
    """SQLite gives up at once where one changes how a file is written and another is about to write."""
    path = tmp_path / "store.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    released = threading.Timer(0.3, other.rollback)
    released.start()
    try:
        open_store(path).dispose()
    finally:
        released.join()
        other.close()
