"""Load on a server of decisions: a closed loop and a flood by wrk, and an open loop that costs little of its own.

The open loop sends requests when they are due, whatever came back, and counts latency from when a request was due, so
that a server which stands still is not asked less. ``select`` waits to the microsecond; event loops round to a
millisecond, which would be part of the figure.
"""

from __future__ import annotations

import json
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

TEXTS = [
    "where is my order",
    "what is the balance of my savings account",
    "please book a table for two at eight tonight",
    "how do i say good morning in italian",
    "my card was declined at the store",
    "set an alarm for six",
    "is there traffic on the way to work",
    "transfer fifty dollars from checking to savings",
]
HEAD = b"POST /v1/route HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
PATIENCE_S = 5.0  # after the last request was due


class Caller:
    """One connection that takes one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due, self._came = 0.0, b""

    def fileno(self) -> int:
        return self.socket.fileno()

    def ask(self, request: bytes, due: float) -> None:
        self.due, self._came = due, b""
        self.socket.sendall(request)

    def status(self) -> int | None:
        """Take what has come: the reply's status once it is whole, 0 when the connection broke."""
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            return 0
        self._came += data
        end = self._came.find(b"\r\n\r\n")
        length = LENGTH.search(self._came, 0, end + 2) if end >= 0 else None
        whole = length is not None and len(self._came) >= end + 4 + int(length[1])
        return int(self._came[9:12]) if whole else None


@dataclass
class Open:
    """A request every 1 / ``rate`` seconds, on whichever connection is idle, on a new one when none is."""

    port: int
    rate: float
    seconds: float
    most: int = 400  # connections
    seen: list[tuple[int, float]] = field(default_factory=list)  # status, seconds since it was due

    def run(self) -> dict[str, Any]:
        bodies = [json.dumps({"text": text}).encode() for text in TEXTS]
        requests = [HEAD % len(body) + body for body in bodies]
        idle, late, flying = [Caller(self.port) for _ in range(8)], deque[float](), set[Caller]()
        made, sent, planned = len(idle), 0, int(self.rate * self.seconds)
        began = time.perf_counter() + 0.01
        until = began + self.seconds + PATIENCE_S
        while len(self.seen) < planned and (now := time.perf_counter()) < until:
            while sent < planned and began + sent / self.rate <= now:
                late.append(began + sent / self.rate)
                sent += 1
            while late and (idle or made < self.most):
                made += not idle
                caller = idle.pop() if idle else Caller(self.port)
                caller.ask(requests[len(self.seen) % len(requests)], late.popleft())
                flying.add(caller)
            rest = began + sent / self.rate - time.perf_counter() if sent < planned else 0.1
            for caller in select.select(flying, [], [], max(0.0, rest))[0] if flying or rest > 0 else ():
                if (status := caller.status()) is not None:
                    self.seen.append((status, time.perf_counter() - caller.due))
                    flying.discard(caller)
                    idle += [caller] if status else []
                    made -= not status
        return {"rate": self.rate, **summary(self.seen, planned, self.seconds)}


def summary(seen: list[tuple[int, float]], planned: int, seconds: float) -> dict[str, Any]:
    good = sorted(took for status, took in seen if status == 200)
    shed = sorted(took for status, took in seen if status in {429, 503})
    return {
        "planned": planned,
        "answered": len(good),
        "per_second": len(good) / seconds,
        "p50_ms": quantile(good, 0.5),
        "p95_ms": quantile(good, 0.95),
        "p99_ms": quantile(good, 0.99),
        "refused": len(shed),
        "refused_p50_ms": quantile(shed, 0.5),
        "refused_p99_ms": quantile(shed, 0.99),
        "errors": len(seen) - len(good) - len(shed),
        "no_reply": planned - len(seen),
    }


def quantile(values: list[float], share: float) -> float | None:
    return round(1000 * values[min(len(values) - 1, int(share * len(values)))], 3) if values else None


def closed_loop(port: int, seconds: int, folder: Path, connections: int = 8) -> dict[str, Any]:
    """As fast as the server answers ``connections`` callers, each of which asks again at once."""
    with Wrk(port, seconds, folder, connections) as load:
        return load.found()


class Wrk:
    """wrk in the background; each of its connections waits ``delay_ms`` after a reply before it asks again."""

    def __init__(self, port: int, seconds: int, folder: Path, connections: int, delay_ms: int = 0) -> None:
        script = folder / "wrk.lua"
        bodies = ", ".join(json.dumps(json.dumps({"text": text})) for text in TEXTS)
        script.write_text(
            f"local bodies, ready, n = {{{bodies}}}, {{}}, 0\n"
            'local kind = {["content-type"] = "application/json"}\n'
            'init = function() for i, b in ipairs(bodies) do ready[i] = wrk.format("POST", "/v1/route", kind, b) '
            "end end\n"
            "request = function() n = n + 1 return ready[n % #ready + 1] end\n"
            + (f"delay = function() return {delay_ms} end\n" if delay_ms else "")
            + "done = function(s, l) io.write(string.format('FOUND %d %d %f %f %f %d %d\\n', s.requests, s.duration, "
            "l:percentile(50), l:percentile(95), l:percentile(99), s.errors.status, "
            "s.errors.connect + s.errors.timeout + s.errors.read + s.errors.write)) end\n"
        )
        wrk = shutil.which("wrk") or sys.exit("wrk is needed: apt-get install wrk")
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
        self._connections = connections

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def found(self) -> dict[str, Any]:
        """Wait for the end."""
        said, _ = self._process.communicate()
        match = re.search(r"FOUND (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (\S+)", said)
        assert match, said
        requests, micro, p50, p95, p99, refused, errors = map(float, match.groups())
        seconds = micro / 1e6
        return {
            "connections": self._connections,
            "offered_per_second": requests / seconds,
            "per_second": (requests - refused) / seconds,
            "p50_ms": p50 / 1000,
            "p95_ms": p95 / 1000,
            "p99_ms": p99 / 1000,
            "refused_per_second": refused / seconds,
            "errors": int(errors),
        }
