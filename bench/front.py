"""What a request, and a refusal, cost the process that speaks HTTP: its Python alone, without sockets, model or disk.

    python bench/front.py [--rounds 60]

Processor time, the second least of many short rounds, which a busy machine hardly moves. Bytes go into a connection, a
worker that answers at once stands for the model, and a store in memory for the disk. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import uvloop
from uvicorn.server import ServerState

from interlock.core.clock import SystemClock
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.event import Event
from interlock.serve import frames
from interlock.serve.front import Front
from interlock.serve.pool import Link
from interlock.serve.router import Router
from interlock.serve.settings import Settings
from interlock.serve.source import Source

DIGEST = "sha256:" + "a" * 64
STAGES = {
    "normalise": 0.0041,
    "encode": 0.0321,
    "classify": 0.727,
    "calibrate": 0.0171,
    "decide": 0.0831,
    "total": 0.87,
}
DECIDED = Decision(
    Outcome.ROUTED,
    "balance",
    Reason.AUTO,
    label="balance",
    confidence=0.9987654321,
    second_label="bill_balance",
    second_confidence=0.0002345,
    margin=0.99853,
    unknown_score=-3.123456,
    tokens=11,
    stage_ms=STAGES,
    bundle_digest=DIGEST,
)
BODY = b'{"text":"what is the balance of my savings account"}'
REQUEST = (
    b"POST /v1/route HTTP/1.1\r\nhost: 127.0.0.1:8080\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
EACH = 100  # requests of a round


class Memory:
    """A store that keeps nothing."""

    def find(self, _request_id: str) -> None:
        return None

    def submit(self, event: Event) -> Future[Event]:
        kept: Future[Event] = Future()
        kept.set_result(event)
        return kept

    def close(self) -> None:
        """Do nothing."""


class AtOnce(Link):
    """A worker that has decided already."""

    def say(self, message: dict[str, Any]) -> None:
        frames.pack(message)
        said = frames.pack({"id": message["id"], "decision": DECIDED.to_json(), "probabilities": []})
        asyncio.get_running_loop().call_soon(self.data_received, said)


class Wire(asyncio.Transport):
    """A transport to nobody that says when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.last = asyncio.Event(), b""

    def write(self, data: Any) -> None:
        self.last = bytes(data)
        self.written.set()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def is_closing(self) -> bool:
        return False

    def _nothing(self) -> None:
        pass

    pause_reading = resume_reading = abort = close = _nothing


async def measure(folder: Path, rounds: int) -> dict[str, float]:
    settings = Settings(bundle=folder, development=True, secret="ab" * 32, store=str(folder / "s.db"))  # type: ignore[arg-type]
    control, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    front = Front(settings, control, events=Memory(), clock=SystemClock())  # type: ignore[arg-type]
    front.service.pool.links.append(AtOnce(front.service.pool, 1))
    router = Router(DIGEST, "tiny", "none", {"balance": "balance"}, "person", "person", 2000)
    front.service.bundles._enter(router, Source.of(settings))  # noqa: SLF001 - no worker says what it opened
    config = front.server.config
    config.load()
    connection = config.http_protocol_class(config=config, server_state=ServerState(), app_state={})  # type: ignore[call-arg]
    wire = Wire()
    connection.connection_made(wire)

    async def least() -> float:
        found = []
        for _ in range(rounds):
            before = time.thread_time()
            for _ in range(EACH):
                wire.written.clear()
                connection.data_received(REQUEST)
                await wire.written.wait()
            found.append(1e6 * (time.thread_time() - before) / EACH)
        return round(sorted(found)[1], 1)

    request = await least()
    assert wire.last.startswith(b"HTTP/1.1 200 ")
    front.service.waiting = settings.max_waiting
    refusal = await least()
    assert wire.last.startswith(b"HTTP/1.1 503 ")
    return {"request_us": request, "refusal_us": refusal}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    shown = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the log is written there
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(measure(Path(folder), given.rounds))
    os.write(shown, json.dumps(found).encode() + b"\n")


if __name__ == "__main__":
    main()
