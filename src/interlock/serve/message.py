"""HTTP requests and replies as the handlers see them. Knows ASGI, and no route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from json import JSONDecodeError
from typing import Any

import orjson

from interlock.core.canonical import parse_json
from interlock.serve.refusal import CODES, Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"


@dataclass(slots=True)
class Request:
    """One request."""

    scope: Scope
    receive: Receive
    request_id: str
    arrived: float  # monotonic seconds
    headers: Mapping[bytes, bytes]
    parts: Mapping[str, str] = field(default_factory=dict)  # what stands in the braces of the route's path
    notes: dict[str, Any] = field(default_factory=dict)  # for the log line; never text

    async def body(self, *, limit: int) -> bytes:
        """Return the body.

        Raises:
            Refusal: it is larger than ``limit`` bytes.
        """
        declared = self.headers.get(b"content-length", b"0")
        if int(declared) > limit:
            raise Refusal("too_large", f"expected at most {limit} bytes")
        out = bytearray()
        while True:
            event = await self.receive()
            if event["type"] == "http.disconnect":
                raise GoneError
            out += event.get("body", b"")
            if len(out) > limit:
                raise Refusal("too_large", f"expected at most {limit} bytes")
            if not event.get("more_body", False):
                return bytes(out)

    async def json(self, *, limit: int) -> Any:
        """Return the body as strict JSON.

        Raises:
            Refusal: it is none, or does not say that it is.
        """
        kind = self.headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if kind != JSON:
            raise Refusal("unsupported_media_type")
        if self.headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise Refusal("unsupported_media_type", "the body must not be compressed")
        data = await self.body(limit=limit)
        try:
            return parse_json(data.decode("utf-8"))
        except UnicodeDecodeError:
            raise Refusal("invalid_json", "the body is not UTF-8") from None
        except JSONDecodeError as error:  # its words, as those below, may hold the caller's text
            where = f"{CODES['invalid_json'][1]}; it is no JSON from line {error.lineno}, column {error.colno} on"
            raise Refusal("invalid_json", where) from None
        except ValueError:
            raise Refusal("invalid_json") from None


@dataclass(slots=True)
class Reply:
    """One reply."""

    body: bytes
    status: int = 200
    kind: bytes = JSON
    headers: Sequence[tuple[bytes, bytes]] = ()

    @classmethod
    def json(cls, value: Any, *, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = ()) -> Reply:
        """Reply with a JSON value."""
        return cls(orjson.dumps(value), status, JSON, headers)

    async def send(self, send: Send, *, request_id: str) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self._head(request_id)})
        await send({"type": "http.response.body", "body": self.body})

    def written(self, request_id: str) -> bytes:
        """Return it as HTTP/1.1, for where no application is asked."""
        lines = [b"%b: %b\r\n" % header for header in self._head(request_id)]
        first = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n".encode()
        return b"".join([first, *lines, b"\r\n", self.body])

    def _head(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", self.kind),
            (b"content-length", str(len(self.body)).encode()),
            (b"x-request-id", request_id.encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *self.headers,
        ]


class GoneError(Exception):
    """The caller went away."""
