"""While too many wait, the door refuses one whole request at a time, and nothing that a parser would read otherwise."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any, cast

import httptools
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from interlock.serve.connection import Joined
from interlock.serve.door import Door
from interlock.serve.log import Log
from interlock.serve.metrics import Metrics

BODY = b'{"text":"yes"}'
LENGTH = b"content-length: %d" % len(BODY)


def request(*headers: bytes, first: bytes = b"POST /v1/route HTTP/1.1", body: bytes = BODY) -> bytes:
    return b"\r\n".join((first, *headers, b"", body))


class Quiet:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def say(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})


def refused(data: bytes, *, full: bool = True) -> tuple[bytes | None, Metrics, list[dict[str, Any]]]:
    """Return what a door says of ``data``, what it counted and what it logged."""
    metrics, log = Metrics(), Quiet()
    door = Door(room=lambda: int(not full), metrics=metrics, log=cast("Log", log))

    async def ask() -> bytes | None:
        found = door.refuse(data)
        door.tell()
        return found

    return asyncio.run(ask()), metrics, log.lines


class Replies:
    """What an HTTP parser makes of bytes."""

    def __init__(self, data: bytes) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.body, self.ended = b"", 0
        self.parser = httptools.HttpResponseParser(self)
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name] = value

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended += 1


class Requests:
    """How many whole requests an HTTP parser finds, and what is left."""

    def __init__(self, data: bytes) -> None:
        self.ended, self.body, self.kept = 0, b"", True
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended += 1
        self.kept = self.kept and self.parser.should_keep_alive()


def test_a_whole_request_is_refused_counted_and_told_once() -> None:
    found, metrics, lines = refused(request(b"host: x", LENGTH))
    assert found is not None
    reply = Replies(found)
    error = json.loads(reply.body)["error"]

    assert (reply.parser.get_status_code(), reply.ended) == (503, 1)
    assert (error["code"], reply.headers[b"retry-after"]) == ("overloaded", b"1")
    assert reply.headers[b"x-request-id"].decode() == error["request_id"]
    assert b"interlock_shed_total 1.0" in metrics.text()
    assert b'interlock_requests_total{route="/v1/route",status="503"} 1.0' in metrics.text()
    assert [(line["event"], line["requests"]) for line in lines] == [("shed", 1)]


def test_nothing_is_refused_where_there_is_room() -> None:
    assert refused(request(LENGTH), full=False)[0] is None


def test_as_many_enter_as_there_is_room_for_whether_they_come_together_or_in_turn() -> None:
    inside: list[int] = []
    door = Door(room=lambda: 4 - len(inside), metrics=Metrics(), log=cast("Log", Quiet()))

    async def take_a_place() -> None:
        inside.append(1)

    async def ask() -> list[int]:
        """Have requests come in three turns of the loop; who is let in takes its place in the turn after."""
        found, tasks = [], []
        for count in (3, 3, 2):
            let_in = [door.refuse(request(LENGTH)) for _ in range(count)].count(None)
            tasks += [asyncio.create_task(take_a_place()) for _ in range(let_in)]
            found.append(let_in)
            await asyncio.sleep(0)
        return found

    for loop in (asyncio.new_event_loop, uvloop.new_event_loop):
        inside.clear()
        with asyncio.Runner(loop_factory=loop) as runner:
            assert runner.run(ask()) == [3, 1, 0]


@pytest.mark.parametrize(
    "data",
    [
        request(LENGTH)[:-1],
        request(LENGTH) + b" ",
        request(LENGTH) * 2,
        request(LENGTH, LENGTH),
        request(b"content-length : 14"),
        request(b"content-length: -14"),
        request(b"content-length: 0x0e"),
        request(b"content-length: 14, 14"),
        request(b"transfer-encoding: chunked", LENGTH),
        request(LENGTH, b"Transfer-Encoding: identity"),
        request(LENGTH, b"connection: close"),
        request(LENGTH, b"expect: 100-continue"),
        request(LENGTH, b"connection: upgrade", b"upgrade: websocket"),
        request(LENGTH, b"x: a", b" folded"),
        request(LENGTH, b"x: a\nb: c"),
        request(LENGTH, b"x: a\0"),
        request(LENGTH, b": nameless"),
        request(LENGTH, first=b"POST /v1/route HTTP/1.0"),
        request(LENGTH, first=b"post /v1/route HTTP/1.1"),
        request(LENGTH, first=b"POST /V1/ROUTE HTTP/1.1"),
        request(LENGTH, first=b"POST /v1/route/batch HTTP/1.1"),
        request(LENGTH, first=b"POST /v1/admin/activate HTTP/1.1"),
        request(LENGTH, first=b"GET /v1/route HTTP/1.1"),
        b"",
        BODY,
    ],
)
def test_what_is_not_plainly_one_request_for_a_decision_goes_the_long_way(data: bytes) -> None:
    assert refused(data)[0] is None


NAMES = st.sampled_from(
    [b"host", b"Accept", b"x-a", b"content-length", b"Content-Length", b"connection", b"Upgrade", b""]
)
VALUES = st.one_of(
    st.sampled_from([b"keep-alive", b"close", b"14", b"0", b"5, 5", b"chunked", b" 14 ", b"\t"]),
    st.binary(max_size=6),
)
PIECES = st.sampled_from([b": ", b":", b" : ", b":\t"])


@given(st.lists(st.tuples(NAMES, PIECES, VALUES), max_size=4), st.binary(max_size=20), st.integers(-2, 20))
def test_what_the_door_refuses_a_parser_reads_as_one_whole_request_that_keeps_the_connection(
    headers: list[tuple[bytes, bytes, bytes]], body: bytes, length: int
) -> None:
    lines = [name + piece + value for name, piece, value in headers]
    for data in (request(*lines, body=body), request(*lines, b"content-length: %d" % length, body=body)):
        if refused(data)[0] is not None:
            seen = Requests(data)
            assert (seen.ended, seen.body, seen.kept) == (1, body, True)


class Sink:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    get_extra_info = pause_reading = resume_reading = abort = close


@pytest.mark.parametrize("end", ["", "close"])
def test_a_refusal_goes_out_after_the_reply_that_is_held(end: str) -> None:
    sink = Sink()

    async def write() -> None:
        joined = Joined(cast("asyncio.Transport", sink), asyncio.get_running_loop())
        joined.write(b"head ")
        joined.write(b"body ")
        assert sink.sent == []
        joined.write_at_once(b"refusal ")
        joined.write(b"next ")
        if end:
            joined.close()
            assert sink.sent[-1] == b"next "
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(write())
    assert sink.sent == [b"head body ", b"refusal ", b"next "]


def test_a_connection_goes_on_after_refusals(start: Any) -> None:
    server = start("--max-waiting", "1", INTERLOCK_KEEP_ALIVE_S="0.5", INTERLOCK_REQUEST_S="0.5")
    whole = request(b"host: localhost", b"content-type: application/json", LENGTH)
    statuses = set()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as one:
        until = time.monotonic() + 1.5
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as other:
            while time.monotonic() < until:
                other.sendall(whole)  # one of the two is let in, mostly
                one.sendall(whole)
                statuses |= {int(each.recv(65536)[9:12]) for each in (one, other)}
    assert statuses == {200, 503}
