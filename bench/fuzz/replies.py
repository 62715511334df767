"""Sending bytes to a server, and judging what comes back."""

from __future__ import annotations

import json
import socket
from collections import Counter
from contextlib import suppress
from typing import Any

import httptools
from bench.fuzz.requests import Sent

from interlock.serve.refusal import CODES

PATIENCE_S = 20.0  # for the reply to a whole request
MOMENT_S = 0.01  # for what may come to anything else, such as a request that was cut off


class Reply:
    """The last reply of one connection; those before it only say that a body may come."""

    def __init__(self, method: str) -> None:
        """Expect a reply to a request by ``method``."""
        self._method, self._parser = method, httptools.HttpResponseParser(self)
        self.status, self.body, self.ended = 0, b"", False

    def take(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Forget what came before."""
        self.body = b""

    def on_headers_complete(self) -> None:
        """A reply to HEAD ends here."""
        self.status = self._parser.get_status_code()
        self.ended = self._method == "HEAD"

    def on_body(self, body: bytes) -> None:
        """Keep the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """Whether it was the last."""
        self.ended = self.ended or self.status >= 200


class Tally:
    """How many were sent, and what came back."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.sent = 0
        self.statuses: Counter[int] = Counter()  # 0: no reply came, or was waited for
        self.codes: Counter[str] = Counter()

    def exchange(self, port: int, one: Sent) -> None:
        """Send on a connection of its own, and count the reply.

        Raises:
            AssertionError: a reply of 500 or more, one in no known shape, or none to a whole request.
        """
        reply = _exchanged(port, one)
        self.sent += 1
        self.statuses[reply.status] += 1
        assert reply.status < 500, (one, reply.status, reply.body)
        assert reply.status or not one.whole, one
        if reply.status >= 400 and one.method != "HEAD" and reply.ended:
            found = json.loads(reply.body)
            code = found.get("code") or found["error"]["code"]  # the Open Inference Protocol's errors are words
            assert CODES[code][0] == reply.status, (one, reply.body)
            self.codes[code] += 1

    def to_json(self) -> dict[str, Any]:
        """Return the counts."""
        statuses = {str(status) if status else "none": count for status, count in sorted(self.statuses.items())}
        return {"sent": self.sent, "statuses": statuses, "codes": dict(self.codes.most_common())}


def _exchanged(port: int, one: Sent) -> Reply:
    reply = Reply(one.method)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection, suppress(OSError):
        connection.sendall(one.data)
        connection.settimeout(PATIENCE_S if one.whole else MOMENT_S)
        while not reply.ended and (data := connection.recv(65536)):
            with suppress(httptools.HttpParserError):  # a second reply may follow the last
                reply.take(data)
    return reply
