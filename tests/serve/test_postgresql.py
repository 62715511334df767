"""A server whose decisions are recorded in PostgreSQL: cut off, killed and away, it promises nothing that it loses."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

import pytest
from sqlalchemy import create_engine

SECRET = {"INTERLOCK_SECRET": "ab" * 32}


def rows(database: str) -> dict[str, str]:
    """Return request_id -> decision of every event."""
    engine = create_engine(database)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT request_id, decision FROM events").all()
    engine.dispose()
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1] for row in found}


def agree(kept: dict[str, str], acknowledged: dict[str, Any]) -> None:
    """Check that every decision a caller saw is on record as the caller saw it."""
    assert (
        acknowledged.items() <= {name: {"request_id": name, **json.loads(said)} for name, said in kept.items()}.items()
    )


@pytest.mark.parametrize("cut", ["before", pytest.param("after", marks=pytest.mark.slow)])
def test_a_commit_that_was_cut_off_is_no_answer_and_one_row_once_it_is_asked_for_again(
    start: Any, wire: Any, database: str, cut: str
) -> None:
    server = start("--store", wire.url, **SECRET)
    wire.cut = cut
    first = server.route("yes", request_id="cut-1")
    again = server.route("yes", request_id="cut-1")

    assert (first.status, first.json()["error"]["code"]) == (503, "not_recorded")
    assert again.status == 200
    agree(rows(database), {"cut-1": again.json()})


def test_a_killed_database_loses_nothing_acknowledged_and_is_used_again(
    start: Any, postgres: Any, database: str
) -> None:
    server = start("--store", database, INTERLOCK_RECORD_MS="500", **SECRET)
    acknowledged: dict[str, Any] = {}
    refused: list[tuple[int, str]] = []
    done = threading.Event()

    def ask() -> None:
        number = 0
        while not done.is_set():
            number += 1
            found = server.route("yes", request_id=f"a-{number}")
            if found.status == 200:
                acknowledged[f"a-{number}"] = found.json()
            else:
                refused.append((found.status, found.json()["error"]["code"]))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        time.sleep(0.5)
        postgres.kill()
        time.sleep(1.0)
        postgres.start()
        before = len(acknowledged)
        until = time.monotonic() + 30
        while len(acknowledged) < before + 20 and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        done.set()
        asking.join()

    assert before > 0
    assert len(acknowledged) >= before + 20
    assert set(refused) == {(503, "not_recorded")}
    agree(rows(database), acknowledged)


@pytest.mark.slow
def test_what_was_answered_is_answered_again_by_another_server_of_the_same_store(start: Any, database: str) -> None:
    first, second = (start("--store", database, **SECRET) for _ in range(2))
    said = first.route("yes sure", request_id="b-1")

    assert second.route("yes sure", request_id="b-1").body == said.body
    assert second.route("no", request_id="b-1").status == 409
    agree(rows(database), {"b-1": said.json()})


def test_a_database_that_is_not_there_at_the_start_is_named_without_its_password(start: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    refused = start("--store", f"postgresql+psycopg://u:hidden@127.0.0.1:{port}/d", ready=False, **SECRET)

    assert refused.process.wait(60) == 1
    assert "the store failed" in refused.stderr()
    assert "Connection refused" in refused.stderr()
    assert "hidden" not in refused.stderr()
    assert "Traceback" not in refused.stderr()
