"""When the machine's clock is set forwards or back by hours, deadlines, connections and ids go on as before."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

# Python runs this at the start of every process of the server: its wall clock is off by the hours in a file.
SET = """
import time
from datetime import timedelta
from pathlib import Path
from interlock.core.clock import SystemClock
real_time, real_now = time.time, SystemClock.now
hours = lambda: float(Path({file!r}).read_text())
time.time = lambda: real_time() + 3600 * hours()
SystemClock.now = lambda self: real_now(self) + timedelta(hours=hours())
"""


@pytest.fixture
def hours(tmp_path: Path) -> Path:
    """Return the file that says by how many hours the clocks of servers started with ``PYTHONPATH`` are off."""
    file = tmp_path / "clock" / "hours"
    file.parent.mkdir()
    file.write_text("0")
    (file.parent / "sitecustomize.py").write_text(SET.format(file=str(file)))
    return file


def test_a_clock_that_jumps_by_hours_moves_only_what_is_written_of_the_time(start: Any, hours: Path) -> None:
    path = f"{hours.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    server = start("--deadline-ms", "400", INTERLOCK_STUCK_MS="60000", INTERLOCK_KEEP_ALIVE_S="30", PYTHONPATH=path)
    (worker,) = server.workers()
    connection = server.connect()
    began = datetime.now(UTC)
    jumps = (0, 5, -10, 24_000, 0)
    for number, jump in enumerate(jumps):
        hours.write_text(str(jump))
        for name in (f"jump-{number}", f"jump-{number - 1}" if number else "jump-0"):  # the one before is found again
            body = json.dumps({"text": "yes", "request_id": name})
            connection.request("POST", "/v1/route", body, {"content-type": "application/json"})
            reply = connection.getresponse()
            assert (reply.status, json.loads(reply.read())["reason"]) == (200, "auto")
        os.kill(worker, signal.SIGSTOP)  # the deadline passes as it would have
        asked = time.monotonic()
        assert server.route("yes").json()["reason"] == "deadline_passed"
        assert 0.4 <= time.monotonic() - asked < 0.4 + 2
        os.kill(worker, signal.SIGCONT)
    connection.close()
    server.stop()

    with closing(sqlite3.connect(server.folder / "interlock.db")) as kept:
        rows = kept.execute("SELECT request_id, at FROM events WHERE request_id LIKE 'jump-%' ORDER BY sequence")
        found = rows.fetchall()
    assert [name for name, _ in found] == [f"jump-{number}" for number in range(len(jumps))]
    for (_, at), jump in zip(found, jumps, strict=True):
        assert timedelta(0) <= datetime.fromisoformat(at) - timedelta(hours=jump) - began < timedelta(minutes=2)
    assert not server.logged("worker", result="replaced")
