"""One HTTP connection with bounds on what a caller may send, and on how long that may take. Knows no operation."""

from __future__ import annotations

import asyncio
from typing import ClassVar, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from interlock.serve.app import new_id
from interlock.serve.door import Door
from interlock.serve.message import Reply
from interlock.serve.refusal import Refusal
from interlock.serve.settings import Settings

OFFERS = frozenset({b"connection", b"upgrade", b"http2-settings"})  # of another protocol, and what else is this hop's


class Joined:
    """A transport that sends what is written in one turn of the loop at once: a reply's head and body cost one call."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Send through ``transport``."""
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []
        for name in ("get_extra_info", "is_closing", "pause_reading", "resume_reading", "abort"):
            setattr(self, name, getattr(transport, name))

    def write(self, data: bytes) -> None:
        """Hold ``data`` until the loop's next turn."""
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)

    def write_at_once(self, data: bytes) -> None:
        """Send what is held, then ``data``."""
        self._send()
        self._transport.write(data)

    def close(self) -> None:
        """Send what is held, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(b"".join(self._held))
        self._held.clear()


class Connection(HttpToolsProtocol):
    """Uvicorn's connection; closed when a request takes too long to arrive, or its reply to be read."""

    bounds: ClassVar[Settings]
    door: ClassVar[Door]
    _patience: asyncio.TimerHandle | None = None
    _in_headers = True
    _unfinished = 0  # bytes of headers that have not ended yet
    _finished = 0  # bytes of those that have, in the request that arrives
    _hosted = False  # whether that request has said which host it means
    _refused_at = 0.0  # when the door last refused a request, by the loop's clock

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Bound how many connections there are, and how long the first request may take."""
        super().connection_made(cast("asyncio.Transport", Joined(transport, self.loop)))
        if len(self.connections) > self.bounds.max_connections:
            self._refuse("overloaded")
        else:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bound the bytes of headers that do not end; refuse at the door what would only wait."""
        if self._at_rest() and (refusal := self.door.refuse(data)) is not None:
            self._turn_away(refusal)
            return
        if self._in_headers:
            self._unfinished += len(data)
            if self._patience is None:
                self._expect()
        self._parse(data)
        if self._in_headers and self._unfinished > self.bounds.max_header_bytes:
            self._refuse("headers_too_large")

    def _parse(self, data: bytes) -> None:
        """Give bytes to the parser, as uvicorn does, which would leave out the body of a request that offers more."""
        self._unset_keepalive_if_required()
        rest = memoryview(data)
        try:
            while rest:
                try:
                    self.parser.feed_data(rest)
                except httptools.HttpParserUpgrade as upgrade:
                    rest = rest[upgrade.args[0] :]
                    self._stay()
                else:
                    return
        except httptools.HttpParserError:
            self.send_400_response("")

    def _stay(self) -> None:
        """Begin a request again without its offer of another protocol, which may be passed over (RFC 9110, 7.8)."""
        if not self._offered:
            raise httptools.HttpParserError("CONNECT")
        kept = [(name, value) for name, value in self.headers if name not in OFFERS]
        kept.append((b"connection", b"keep-alive" if self.parser.should_keep_alive() else b"close"))
        first = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
        self.parser.feed_data(b"".join([first, *(b"%b: %b\r\n" % header for header in kept), b"\r\n"]))

    @property
    def _offered(self) -> bool:
        """Whether the request that arrives offers to go on by another protocol; the parser skips its body then."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a caller that has sent all it will, and close; return whether a reply is still to come."""
        self._arrived()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body:
            self.transport.close()  # not left to the loop, which does not know what is held
            return False
        cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        """Count anew."""
        self._finished, self._hosted = 0, False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Bound the bytes of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Bound the bytes of all headers; refuse a second host, and bodies that no parser here could read.

        A proxy may have gone by the other host (RFC 9112, 3.2); no coding but ``chunked`` is taken off (6.1).
        """
        self._count(len(name) + len(value))
        known = name.lower()
        if known == b"host":
            if self._hosted:
                raise ValueError("host")
            self._hosted = True
        elif known == b"transfer-encoding" and value.lower() != b"chunked":
            raise ValueError("coding")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """From here on a body may come."""
        if self._offered:
            return
        self._in_headers, self._unfinished = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here."""
        if self._offered:
            return
        self._arrived()
        self._in_headers, self._unfinished = True, 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Give a caller that does not read its reply as long as one that does not send."""
        super().pause_writing()
        self._arrived()
        self._patience = self.loop.call_later(self.bounds.request_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The caller reads again."""
        super().resume_writing()
        self._arrived()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; one whose requests were refused at the door was not idle."""
        left = self._refused_at + self.bounds.keep_alive_s - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - every error has our one shape
        """Refuse what is not HTTP, or too much of it."""
        self._refuse("headers_too_large" if self._finished > self.bounds.max_header_bytes else "invalid_http")

    def _at_rest(self) -> bool:
        """Whether the next byte begins a request, and no reply to an earlier one is due or unread."""
        cycle: RequestResponseCycle | None = self.cycle
        between = self._in_headers and not self._unfinished and (cycle is None or cycle.response_complete)
        return between and not self.flow.write_paused and not self.transport.is_closing()

    def _turn_away(self, refusal: bytes) -> None:
        """Answer a request that the parser does not see."""
        self._arrived()
        self._refused_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.bounds.keep_alive_s, self.timeout_keep_alive_handler
            )
        cast("Joined", self.transport).write_at_once(refusal)

    def _count(self, more: int) -> None:
        self._finished += more
        if self._finished > self.bounds.max_header_bytes:
            raise ValueError("headers")  # the parser stops, and asks for a reply to what it could not read

    def _expect(self) -> None:
        self._patience = self.loop.call_later(self.bounds.request_s, self._refuse, "too_slow")

    def _arrived(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, code: str) -> None:
        """Answer without an application, and close."""
        self._arrived()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_response(code))
        self.transport.close()


def bounded(settings: Settings, door: Door) -> type[Connection]:
    """Return the class of connections that keep ``settings``' bounds, behind ``door``."""

    class Bounded(Connection):
        bounds = settings

    Bounded.door = door
    return Bounded


def _response(code: str) -> bytes:
    refusal, name = Refusal(code), new_id()
    headers = (*refusal.headers, (b"connection", b"close"))
    return Reply.json(refusal.to_json(name), status=refusal.status, headers=headers).written(name)
