"""A server whose store cannot be written says so, at the start and later, and goes on when it can be written again."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from interlock.store.events import open_events

# What root may do regardless of a file's mode would make every file writable here.
MORTAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
bound_by_modes = pytest.mark.skipif(
    bool(MORTAL) and shutil.which("setpriv") is None, reason="root without setpriv may write everything"
)


def store(folder: Path) -> Path:
    """Make an empty store in a folder of its own."""
    folder.mkdir()
    open_events(folder / "interlock.db").close()
    return folder / "interlock.db"


def until_recorded(server: Any, name: str) -> Any:
    """Ask with one id until the decision is on record; every reply before says that it is not."""
    until = time.monotonic() + 30
    while (found := server.route("yes", request_id=name)).status != 200:
        assert found.json()["error"]["code"] == "not_recorded"
        assert time.monotonic() < until
    return found.json()


@bound_by_modes
@pytest.mark.parametrize(
    ("of", "mode", "said"), [("file", 0o444, "readonly"), ("file", 0o000, "unable to open"), ("folder", 0o555, "store")]
)
def test_a_server_does_not_start_on_a_store_that_it_cannot_write(
    start: Any, tmp_path: Path, of: str, mode: int, said: str
) -> None:
    path = store(tmp_path / "kept")
    secret = "ab" * 32
    changed = path if of == "file" else path.parent
    before = changed.stat().st_mode
    changed.chmod(mode)
    refused = start("--store", path, ready=False, by=MORTAL, INTERLOCK_SECRET=secret)
    code, stderr = refused.process.wait(60), refused.stderr()
    changed.chmod(before)

    assert code in {1, 2}
    assert said in stderr
    assert "Traceback" not in stderr
    assert not refused.logged("ready")


@bound_by_modes
def test_a_store_that_cannot_be_written_for_a_while_is_used_again(start: Any, tmp_path: Path) -> None:
    path = store(tmp_path / "kept")
    server = start("--store", path, by=MORTAL)
    first = server.route("yes", request_id="before").json()
    path.parent.chmod(0o000)
    refused = server.route("yes", request_id="within")
    assert (refused.status, refused.json()["error"]["code"]) == (503, "not_recorded")
    path.parent.chmod(0o755)

    assert until_recorded(server, "within")["label"] == "yes"
    assert server.route("yes", request_id="before").json() == first


def test_a_store_of_a_newer_version_is_left_alone(start: Any, tmp_path: Path) -> None:
    path = store(tmp_path / "kept")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (1000)")
        connection.commit()
    before = path.read_bytes()
    refused = start("--store", path, ready=False)

    assert refused.process.wait(60) == 2
    assert "newer version" in refused.stderr()
    assert "Upgrade interlock" in refused.stderr()
    assert path.read_bytes() == before


def test_two_servers_of_one_store_have_one_secret(start: Any, tmp_path: Path) -> None:
    path = store(tmp_path / "kept")
    one, another = {"INTERLOCK_SECRET": "ab" * 32}, {"INTERLOCK_SECRET": "cd" * 32}
    first = start("--store", path, **one)
    refused = start("--store", path, ready=False, **another)
    second = start("--store", path, **one)

    assert refused.process.wait(60) == 1
    assert "another secret" in refused.stderr()
    said = first.route("yes", request_id="shared", subject="ada")
    assert second.route("yes", request_id="shared", subject="ada").body == said.body
    assert second.route("no", request_id="shared").status == 409


def test_what_another_process_locks_out_is_refused_in_time_and_recorded_once_it_lets_go(start: Any) -> None:
    server = start(INTERLOCK_RECORD_MS="300")
    server.route("yes")
    with closing(sqlite3.connect(server.folder / "interlock.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        while time.monotonic() < began + 3:
            asked = time.monotonic()
            refused = server.route("yes", request_id="locked")
            assert (refused.status, refused.json()["error"]["code"]) == (503, "not_recorded")
            assert time.monotonic() - asked < 1.3 + 1  # deadline_ms and record_ms, and a busy machine
        other.execute("ROLLBACK")

    assert until_recorded(server, "locked")["label"] == "yes"
    server.stop(signal.SIGTERM)
    with closing(sqlite3.connect(server.folder / "interlock.db")) as kept:
        assert kept.execute("SELECT COUNT(*) FROM events WHERE request_id = 'locked'").fetchone() == (1,)
