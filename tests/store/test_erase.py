"""Erasure: what was erased is in no byte of the store's files, what was not is still there, and the ledger says so."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock.cli.app import run
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import InputError
from interlock.core.event import DigestKey, Event
from interlock.core.ledger import breaks
from interlock.store.erase import erase_before, erase_subject
from interlock.store.events import open_events
from interlock.store.ledger import open_ledger

SECRET = "5a" * 32
KEY = DigestKey.from_hex(SECRET)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(number: int, *, subject: str, text: str = "where is it", at: datetime = NOW) -> Event:
    marked = Decision(Outcome.ROUTED, f"route-of-{subject}", Reason.AUTO, bundle_digest="sha256:" + "a" * 64)
    said = f"{text}, asks {subject} {number}"
    return Event.of(marked, request_id=f"{subject}-{number:05}", text=said, subject=subject, key=KEY, at=at)


def filled(path: Path, count: int, *, seed: int = 1) -> list[Event]:
    """Record the events of two people in random order; return them."""
    events = [event(number, subject=subject) for number in range(count) for subject in ("ada", "bob")]
    random.Random(seed).shuffle(events)
    store = open_events(path)
    for future in [store.submit(one) for one in events]:
        future.result(30)
    store.close()
    return events


def raw_bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


@pytest.mark.parametrize("seed", [1, 2])
def test_no_byte_of_what_was_erased_stays_in_any_file(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    events = filled(path, 700, seed=seed)
    live = open_events(path)  # a server goes on meanwhile: its connections hold the log open
    live.find("bob-00001")
    ours = [one for one in events if one.request_id.startswith("ada")]
    assert all(one.text_digest.encode() in raw_bytes(path) for one in ours)

    erased = erase_subject(path, subject_digest=KEY.of_subject("ada"), actor="carol", at=NOW)

    left = raw_bytes(path)
    assert erased.events == 700
    assert KEY.of_subject("ada").encode() not in left
    assert b"route-of-ada" not in left
    assert not any(one.text_digest.encode() in left or one.request_id.encode() in left for one in ours)
    assert all(live.find(one.request_id) == one for one in events if one not in ours)
    live.close()


def test_deleting_alone_would_leave_bytes(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    filled(path, 50)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM events WHERE subject_digest = ?", (KEY.of_subject("ada"),))
        connection.commit()
        assert b"route-of-ada" in raw_bytes(path)


def test_an_erased_request_is_answered_anew_and_its_number_never_comes_again(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = open_events(path)
    store.record(event(1, subject="ada"))

    erase_subject(path, subject_digest=KEY.of_subject("ada"), actor="carol", at=NOW)
    again = event(1, subject="ada", text="something else")

    assert store.find(again.request_id) is None
    assert store.record(again) == again
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT sequence FROM events").fetchall() == [(2,)]


def test_age_is_counted_to_the_microsecond_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = open_events(path)
    ages = {number: NOW - timedelta(days=30, microseconds=number - 1) for number in range(3)}
    for number, at in ages.items():
        store.record(event(number, subject="ada", at=at))

    erased = erase_before(path, before=NOW - timedelta(days=30), actor="carol", at=NOW)

    assert erased.events == 1
    assert [number for number in ages if store.find(f"ada-{number:05}")] == [0, 1]
    store.close()


def test_the_ledger_says_how_many_and_who_but_not_whose(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    filled(path, 5)

    erased = erase_subject(path, subject_digest=KEY.of_subject("ada"), actor="carol", at=NOW)
    erase_subject(path, subject_digest=KEY.of_subject("ada"), actor="carol", at=NOW + timedelta(seconds=1))

    with open_ledger(path) as ledger:
        entries = list(ledger.entries())
    assert [entry.deed.note for entry in entries] == ["5 events of one subject", "0 events of one subject"]
    assert entries[0] == erased.entry
    assert entries[0].deed.actor == "carol"
    assert breaks(entries) == []
    assert "ada" not in str(entries)
    assert KEY.of_subject("ada") not in str(entries)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no store"):
        erase_before(tmp_path / "none.db", before=NOW, actor="carol", at=NOW)
    assert list(tmp_path.iterdir()) == []


def test_postgresql_erases_too(database: str) -> None:
    store = open_events(database)
    for subject in ("ada", "bob"):
        store.record(event(1, subject=subject))

    erased = erase_subject(database, subject_digest=KEY.of_subject("ada"), actor="carol", at=NOW)

    assert erased.events == 1
    assert store.find("ada-00001") is None
    assert store.find("bob-00001") is not None
    store.close()


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store of three events, two of them ada's, and its secret."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INTERLOCK_SECRET", raising=False)
    store = open_events(tmp_path / "interlock.db")
    for number, (subject, age) in enumerate([("ada", 1), ("ada", 100), ("bob", 100)]):
        at = datetime.now(UTC) - timedelta(days=age)
        store.record(replace(event(number, subject=subject), at=at.isoformat(timespec="microseconds")))
    store.close()
    (tmp_path / "interlock.db.secret").write_text(SECRET + "\n")
    return tmp_path


def test_the_command_erases_by_subject_or_by_age(recorded: Path, capsys: Any) -> None:
    assert run(["erase", "--older-than", "30", "--json"]) == 0
    assert '"erased": 2, "entry": 1' in capsys.readouterr().out
    assert run(["erase", "--subject", "ada"]) == 0
    assert "erased 1 events\nentry 2" in capsys.readouterr().out
    assert run(["erase", "--subject", "ada"]) == 0
    assert "another secret" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "either"),
        (["--subject", "ada", "--older-than", "3"], "either"),
        (["--subject", ""], "either"),
        (["--older-than", "0"], "0"),
        (["--older-than", "99999999999999"], "36500"),
        (["--subject", "ada", "--secret-file", "none"], "secret"),
        (["--subject", "ada", "--secret-file", "interlock.db"], "secret"),
        (["--subject", "ada", "--store", "none.db"], "secret"),
        (["--older-than", "3", "--store", "none.db"], "no store"),
        (["--subject", "ada", "--store", "postgresql://u:hidden@h/d"], "Give --secret-file"),
    ],
)
def test_the_command_says_what_is_missing(arguments: list[str], said: str, recorded: Path, capsys: Any) -> None:
    before = sorted(path.name for path in recorded.iterdir())

    assert run(["erase", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "hidden" not in error
    assert sorted(path.name for path in recorded.iterdir()) == before
