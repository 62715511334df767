"""Every request gets one reply, in its order: in a burst far above what may wait, and to a half-closed connection."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import httptools
import pytest

ROOM = 8
LENGTHY = ("--max-waiting", str(ROOM), "--deadline-ms", "30000")  # what is let in waits for as long as a test wants


def request(name: str, *headers: str, text: str = "yes") -> bytes:
    """Return the bytes of one request for a decision under a ``request_id``."""
    body = json.dumps({"text": text, "request_id": name}).encode()
    head = ("POST /v1/route HTTP/1.1", "host: localhost", "content-type: application/json", *headers)
    return "\r\n".join([*head, f"content-length: {len(body)}", "", ""]).encode() + body


class Caller:
    """One connection: what is sent on it, and every reply, as (status, body)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.replies: list[tuple[int, dict[str, Any]]] = []
        self.reader, self.writer = reader, writer
        self._parser, self._body = httptools.HttpResponseParser(self), b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.replies.append((self._parser.get_status_code(), json.loads(self._body)))
        self._body = b""

    async def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Send pieces, so that each arrives by itself if there is a pause."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(pause)

    async def until(self, count: int) -> None:
        """Read until so many replies have come, and a little longer: there must be no more."""
        async with asyncio.timeout(60):
            while len(self.replies) < count:
                data = await self.reader.read(65536)
                assert data, (count, self.replies)
                self._parser.feed_data(data)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                self._parser.feed_data(await self.reader.read(65536))
        assert len(self.replies) == count

    def judge(self, names: list[str]) -> int:
        """Return how many were decided, once every reply is that to the request in its place."""
        decided = 0
        for (status, body), name in zip(self.replies, names, strict=True):
            if status == 200:
                assert body["request_id"] == name
                decided += 1
            else:
                assert (status, body["error"]["code"]) == (503, "overloaded")
        return decided


@asynccontextmanager
async def calling(server: Any, count: int) -> AsyncIterator[list[Caller]]:
    """Open so many connections for the time of a block."""
    callers = [Caller(*await asyncio.open_connection("127.0.0.1", server.port)) for _ in range(count)]
    try:
        yield callers
    finally:
        for caller in callers:
            caller.writer.close()
        for caller in callers:
            with suppress(OSError):
                await caller.writer.wait_closed()


@contextmanager
def stopped(server: Any) -> Iterator[None]:
    """Stop the only worker for the time of a block, so that nothing that is let in is decided."""
    (worker,) = server.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


async def until_waiting(server: Any, count: int, *, refused: float = 0.0) -> None:
    """Wait until so many messages wait, and so many were refused; no more may."""
    until = time.monotonic() + 30
    while server.metric("interlock_waiting") < count or server.metric("interlock_shed_total") < refused:
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    assert server.metric("interlock_waiting") == count


async def together(server: Any, count: int, kind: str) -> int:
    """Send one request on each of many connections at once; return how many were decided, when all have a reply."""
    refused = server.metric("interlock_shed_total") + max(0, count - ROOM)
    names = [f"{kind}-{number}" for number in range(count)]
    async with calling(server, count) as callers:
        with stopped(server):
            for name, caller in zip(names, callers, strict=True):
                caller.writer.write(request(name))
            await until_waiting(server, min(count, ROOM), refused=refused)
        await asyncio.gather(*[caller.until(1) for caller in callers])
        return sum(caller.judge([name]) for name, caller in zip(names, callers, strict=True))


async def send(caller: Caller, how: int, names: list[str]) -> None:
    """Send requests in one piece, one by one, cut anywhere, or each once the reply before it has come."""
    whole = [request(name) for name in names]
    data = b"".join(whole)
    if how == 0:
        await caller.send(data)
    elif how == 1:
        await caller.send(*whole, pause=0.001)
    elif how == 2:
        await caller.send(*[data[at : at + 97] for at in range(0, len(data), 97)], pause=0.001)
    else:
        for number, one in enumerate(whole):
            head, end, body = one.partition(b"\r\n\r\n")
            await caller.send(head + end, body, pause=0.001)
            await caller.until(number + 1)
    await caller.until(len(names))


def test_as_many_as_may_wait_are_let_in_of_a_burst_and_no_place_is_lost(start: Any) -> None:
    server = start(*LENGTHY, INTERLOCK_STUCK_MS="60000")

    async def bursts() -> list[int]:
        return [await together(server, count, f"burst{turn}") for turn, count in enumerate((ROOM, 200, 200, ROOM))]

    assert asyncio.run(bursts()) == [ROOM] * 4
    assert server.metric("interlock_waiting") == 0
    server.stop()
    assert sum(line["requests"] for line in server.logged("shed")) == 2 * (200 - ROOM)
    assert not server.logged("request", status=503)  # none went past the door to be refused behind it


def test_whatever_the_pieces_every_request_gets_its_one_reply_in_order(start: Any) -> None:
    server = start(*LENGTHY, INTERLOCK_STUCK_MS="60000")
    names = [[f"flood-{number}-{place}" for place in range(6)] for number in range(48)]

    async def flood() -> tuple[int, float]:
        async with calling(server, len(names)) as callers:
            with stopped(server):
                sending = [asyncio.create_task(send(one, at % 4, names[at])) for at, one in enumerate(callers)]
                most = max([await asyncio.to_thread(server.metric, "interlock_waiting") for _ in range(10)])
            await asyncio.gather(*sending)
            return sum(caller.judge(each) for caller, each in zip(callers, names, strict=True)), most

    decided, most = asyncio.run(flood())
    assert most == ROOM
    assert decided >= ROOM
    assert server.metric("interlock_waiting") == 0
    assert server.metric("interlock_shed_total") == 48 * 6 - decided
    assert asyncio.run(together(server, ROOM, "after")) == ROOM


@pytest.mark.parametrize("count", [1, 3])
def test_a_caller_that_has_sent_all_it_will_is_answered(server: Any, count: int) -> None:
    names = [f"half-{count}-{number}" for number in range(count)]

    async def halved() -> tuple[int, bytes]:
        async with calling(server, 1) as (caller,):
            await caller.send(b"".join(map(request, names)))
            caller.writer.write_eof()
            await caller.until(count)
            return caller.judge(names), await caller.reader.read()

    assert asyncio.run(halved()) == (count, b"")  # and closed


@pytest.mark.parametrize("cut", [0, 1, 60, -1])
def test_a_caller_that_ends_within_a_request_is_let_go(server: Any, cut: int) -> None:
    async def cut_off() -> bytes:
        async with calling(server, 1) as (caller,), asyncio.timeout(8):  # before a slow one would be
            await caller.send(request("cut-off")[:cut])
            caller.writer.write_eof()
            return await caller.reader.read()

    assert asyncio.run(cut_off()) == b""
    assert server.route("yes").status == 200


def test_a_refusal_reaches_a_caller_that_has_sent_all_it_will(start: Any) -> None:
    server = start("--max-waiting", "1", "--deadline-ms", "30000", INTERLOCK_STUCK_MS="60000")

    async def refused() -> bytes:
        async with calling(server, 2) as (first, second), asyncio.timeout(20):
            await first.send(request("first"))
            await until_waiting(server, 1)
            second.writer.write(request("second"))
            second.writer.write_eof()
            return await second.reader.read()

    with stopped(server):
        assert asyncio.run(refused()).startswith(b"HTTP/1.1 503 ")
