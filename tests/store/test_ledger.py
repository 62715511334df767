"""Ledgers: one suite over the stored and the remembered one, and every way to tamper with the stored one."""

from __future__ import annotations

import itertools
import multiprocessing
import random
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from interlock.core.errors import InputError, RefusedError
from interlock.core.ledger import LONGEST, START, Deed, Ledger, breaks
from interlock.store.ledger import open_ledger
from interlock.testing import MemoryLedger

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DATABASES = ("sqlite", "postgresql")
COLUMNS = ("time", "key", "actor", "action", "subject", "evidence", "note", "previous", "hash")


def deed(number: int, **changed: str) -> Deed:
    said = {"actor": "alice", "action": "verdict", "subject": f"sha256:{number:064x}", **changed}
    return Deed.of(
        said["action"], said["subject"], actor=said["actor"], evidence={"rows": "sha256:1"}, note="held: why"
    )


@pytest.fixture(params=["memory", *DATABASES])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger of each kind."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    where = str(tmp_path / "store.db") if request.param == "sqlite" else request.getfixturevalue("database")
    with open_ledger(where) as opened:
        yield opened


@pytest.mark.parametrize("statement", ["UPDATE ledger SET note = 'x'", "DELETE FROM ledger", "TRUNCATE ledger"])
def test_postgresql_refuses_changes_too(statement: str, database: str) -> None:
    with open_ledger(database) as opened:
        opened.append(deed(1), at=NOW)
    engine = create_engine(database)
    with pytest.raises(DBAPIError, match="only grows"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(scope="session")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of eight entries."""
    path = tmp_path_factory.mktemp("eight") / "store.db"
    with open_ledger(path) as opened:
        for number in range(8):
            opened.append(deed(number), at=NOW + timedelta(minutes=number))
    return path


@pytest.fixture
def filled(eight: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copy(eight, tmp_path / "store.db"))


def test_entries_are_numbered_chained_and_kept_in_order(ledger: Ledger) -> None:
    made = [ledger.append(deed(number), at=NOW) for number in range(5)]

    assert [entry.sequence for entry in made] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in made] == [START, *(entry.hash for entry in made[:-1])]
    assert list(ledger.entries()) == made
    assert breaks(ledger.entries()) == []


def test_the_same_deed_again_is_entered_once(ledger: Ledger) -> None:
    first = ledger.append(deed(1), at=NOW)
    again = ledger.append(deed(1), at=NOW + timedelta(days=1))

    assert again == first
    assert len(list(ledger.entries())) == 1


def test_a_key_of_another_deed_is_refused(ledger: Ledger) -> None:
    first = ledger.append(deed(1), at=NOW)

    with pytest.raises(RefusedError, match="another deed"):
        ledger.append(replace(deed(2), key=first.deed.key), at=NOW)
    assert list(ledger.entries()) == [first]


def test_a_clock_that_goes_back_changes_no_order(ledger: Ledger) -> None:
    ledger.append(deed(1), at=NOW)
    ledger.append(deed(2), at=NOW - timedelta(days=1))

    assert [entry.sequence for entry in ledger.entries()] == [1, 2]
    assert breaks(ledger.entries()) == []


@pytest.mark.parametrize("field", ["actor", "action", "subject", "key"])
@pytest.mark.parametrize("text", ["", "a\nb", "\x1b[31m", "x" * (LONGEST + 1)])
def test_a_deed_that_says_nothing_or_too_much_is_not_entered(ledger: Ledger, field: str, text: str) -> None:
    with pytest.raises(InputError, match=field):
        ledger.append(Deed(**{**deed(1).to_json(), field: text}), at=NOW)
    with pytest.raises(InputError, match="note"):
        ledger.append(replace(deed(1), note="x" * (LONGEST + 1)), at=NOW)

    assert list(ledger.entries()) == []


def test_the_head_stays_known_while_the_ledger_grows(ledger: Ledger) -> None:
    head = ledger.append(deed(1), at=NOW).hash
    ledger.append(deed(2), at=NOW)

    assert breaks(ledger.entries(), head=head) == []
    assert [problem.field for problem in breaks(ledger.entries(), head="sha256:unknown")] == ["head"]


def append_many(path: Path | str, first: int, count: int) -> None:
    with open_ledger(path) as opened:
        for number in range(first, first + count):
            opened.append(deed(number), at=NOW)


@pytest.mark.parametrize("kind", DATABASES)
def test_writers_in_several_processes_make_one_chain(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    where = str(tmp_path / "store.db") if kind == "sqlite" else request.getfixturevalue("database")
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=append_many, args=(where, first, 30)) for first in (0, 15, 100)]  # 15 deeds shared
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with open_ledger(where) as opened:
        entries = list(opened.entries())
    assert len(entries) == 75
    assert breaks(entries) == []


def raw(path: Path, *statements: str) -> None:
    """Run statements as someone with the file in hand."""
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


REFUSED = {
    "an edit": "UPDATE ledger SET note = 'x' WHERE sequence = 3",
    "an edit of nothing new": "UPDATE ledger SET note = note",
    "a removal": "DELETE FROM ledger WHERE sequence = 8",
    "removing all": "DELETE FROM ledger",
    "a replacement": "REPLACE INTO ledger SELECT * FROM ledger WHERE sequence = 3",
    "a replacement by key": "REPLACE INTO ledger SELECT 9, time, key, actor, action, subject, evidence, 'x', 'p', 'h' "
    "FROM ledger WHERE sequence = 3",
    "a replacement by digest": "REPLACE INTO ledger SELECT 9, time, 'k', actor, action, subject, evidence, 'x', 'p', "
    "hash FROM ledger WHERE sequence = 3",
    "a gap": "INSERT INTO ledger SELECT 10, time, 'k', actor, action, subject, evidence, note, 'p', 'h' FROM ledger",
    "an entry before the first": "INSERT INTO ledger VALUES (0, 't', 'k', 'a', 'b', 's', '{}', '', 'p', 'h')",
    "an upsert": "INSERT INTO ledger SELECT 9, time, key, actor, action, subject, evidence, note, 'p', 'h' FROM ledger "
    "WHERE sequence = 3 ON CONFLICT DO UPDATE SET note = 'x'",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_the_database_itself_refuses(statement: str, filled: Path) -> None:
    before = filled.parent.joinpath("copy")
    raw(filled, f"ATTACH '{before}' AS c", "CREATE TABLE c.l AS SELECT * FROM ledger")
    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        raw(filled, statement)

    with open_ledger(filled) as opened:
        assert len(list(opened.entries())) == 8
        assert breaks(opened.entries()) == []


DROP = tuple(f"DROP TRIGGER {name}" for name in ("ledger_no_update", "ledger_no_delete", "ledger_in_order"))


def tampered(path: Path, *statements: str, head: str | None = None) -> list[str]:
    """Take the guards away, tamper, and say what verifying finds."""
    raw(path, *DROP, *statements)
    with open_ledger(path) as opened:
        return [str(problem) for problem in breaks(opened.entries(), head=head)]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("sequence", [1, 4, 8])
def test_every_edited_field_of_any_entry_is_found(column: str, sequence: int, filled: Path) -> None:
    found = tampered(filled, f"UPDATE ledger SET {column} = {column} || ' ' WHERE sequence = {sequence}")  # noqa: S608

    assert any(f"entry {sequence}" in problem for problem in found)


@pytest.mark.parametrize("sequence", range(1, 8))
def test_every_removed_entry_is_found(sequence: int, filled: Path) -> None:
    assert tampered(filled, f"DELETE FROM ledger WHERE sequence = {sequence}")  # noqa: S608 - numbers


@pytest.mark.parametrize("sequence", range(1, 8))
def test_a_removed_entry_is_found_though_the_others_are_numbered_anew(sequence: int, filled: Path) -> None:
    later = [f"UPDATE ledger SET sequence = {n - 1} WHERE sequence = {n}" for n in range(sequence + 1, 9)]  # noqa: S608

    assert tampered(filled, f"DELETE FROM ledger WHERE sequence = {sequence}", *later)  # noqa: S608 - numbers


@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(range(1, 9), 2)))
def test_every_pair_of_exchanged_entries_is_found(one: int, two: int, filled: Path) -> None:
    moves = ((one, 99), (two, one), (99, two))
    steps = [f"UPDATE ledger SET sequence = {new} WHERE sequence = {old}" for old, new in moves]  # noqa: S608 - numbers

    assert tampered(filled, *steps)


@pytest.mark.parametrize("place", range(1, 9))
def test_an_entry_put_in_is_found_wherever_it_stands(place: int, filled: Path) -> None:
    later = [f"UPDATE ledger SET sequence = {n + 1} WHERE sequence = {n}" for n in range(8, place - 1, -1)]  # noqa: S608
    columns = "time, 'forged', actor, action, subject, evidence, note, 'x', 'y'"
    forged = f"INSERT INTO ledger SELECT {place}, {columns} FROM ledger WHERE sequence = 9"  # noqa: S608

    assert tampered(filled, *later, forged)


@pytest.mark.parametrize("kept", range(8))
def test_a_tail_cut_off_is_found_by_who_kept_the_head(kept: int, filled: Path) -> None:
    with open_ledger(filled) as opened:
        head = list(opened.entries())[-1].hash
    cut = f"DELETE FROM ledger WHERE sequence > {kept}"  # noqa: S608 - a number

    assert "some are missing" in tampered(filled, cut, head=head)[-1]
    with open_ledger(filled) as opened:
        assert breaks(opened.entries()) == []  # without the head nothing is amiss: that is why it is printed


def test_a_chain_written_anew_is_found_by_who_kept_any_later_digest() -> None:
    honest, forged = MemoryLedger(), MemoryLedger()
    for number in range(5):
        honest.append(deed(number), at=NOW)
        forged.append(deed(number, actor="mallory" if number == 2 else "alice"), at=NOW)

    assert breaks(forged.entries()) == []
    assert breaks(forged.entries(), head=list(honest.entries())[1].hash) == []  # before the change
    for kept in list(honest.entries())[2:]:
        assert breaks(forged.entries(), head=kept.hash)


def noticed_or_refused(store: Path, data: bytes) -> bool:
    """Check a store whose file holds ``data``; anything but a refusal raises here."""
    store.write_bytes(data)
    for side in ("-wal", "-shm"):
        store.with_name(store.name + side).unlink(missing_ok=True)
    try:
        with open_ledger(store) as opened:
            return bool(breaks(opened.entries()))
    except (InputError, RefusedError):
        return True


def test_bytes_of_the_file_that_are_changed_raise_nothing_but_refusals(filled: Path) -> None:
    whole, chance = filled.read_bytes(), random.Random(5)
    for _ in range(60):  # most bytes are free, or belong to indexes and other tables
        spoiled = bytearray(whole)
        spoiled[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        noticed_or_refused(filled, bytes(spoiled))
    assert not noticed_or_refused(filled, whole)  # what is whole is not refused


def test_every_bit_of_an_entry_that_is_changed_in_the_file_is_found(filled: Path) -> None:
    with open_ledger(filled) as opened:
        entries = list(opened.entries())
    whole, chance = filled.read_bytes(), random.Random(5)
    for entry in entries:
        end = whole.index(entry.previous.encode() + entry.hash.encode()) + len(entry.previous + entry.hash)
        start = whole.rindex(entry.time.encode(), 0, end)
        assert end - start < 600
        for _ in range(12):
            spoiled = bytearray(whole)
            place, bit = chance.randrange(start, end), chance.randrange(8)
            spoiled[place] ^= 1 << bit
            assert noticed_or_refused(filled, bytes(spoiled)), (entry.sequence, place - start, bit)


def test_other_values_in_a_row_are_found(filled: Path) -> None:
    found = tampered(
        filled,
        "UPDATE ledger SET note = x'ff00' WHERE sequence = 2",
        "UPDATE ledger SET evidence = '[' WHERE sequence = 5",
    )

    assert any("entry 2" in problem for problem in found)
    assert any("entry 5" in problem for problem in found)


def test_evidence_that_means_the_same_in_other_bytes_is_found(filled: Path) -> None:
    assert tampered(filled, """UPDATE ledger SET evidence = '{"rows": "sha256:1"}' WHERE sequence = 5""")
