"""Refuses what would only wait before it is read: one look at its bytes, a reply made beforehand. Knows no work.

While too many wait, refusals are most of what a server does, and each takes time from a message that was let in. What
is not plainly one whole request goes the long way, where it is refused just the same.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable

from interlock.serve.log import Log
from interlock.serve.message import Reply
from interlock.serve.metrics import Metrics
from interlock.serve.refusal import Refusal

PATHS = ("/v1/route", "/v1/decisions", "/v1/systemone")  # operations on one message each
TELL_S = 1.0  # refusals within this time share a line of the log
_SPECIAL = rb"(?:content-length|transfer-encoding|connection|expect|upgrade):"  # where a request ends, and what follows
_HEADERS = rb"(?:(?!%b)[!#$%%&'*+.^_`|~0-9a-z-]++:[\t -~\x80-\xff]*+\r\n|connection: ?keep-alive\r\n)*+" % _SPECIAL
_WHOLE = re.compile(
    rb"(?-i:POST (%b) HTTP/1\.1\r\n)%bcontent-length: ?([0-9]{1,7})\r\n%b\r\n"
    % (b"|".join(path.encode() for path in PATHS), _HEADERS, _HEADERS),
    re.IGNORECASE,
)
_ANY_ID = b"0" * 32


class Door:
    """What stands before a server's operations while too many messages wait."""

    def __init__(self, *, room: Callable[[], int], metrics: Metrics, log: Log) -> None:
        """Let in as many as there is ``room`` for, refuse the others."""
        refusal = Refusal("overloaded")
        reply = Reply.json(refusal.to_json(_ANY_ID.decode()), status=refusal.status, headers=refusal.headers)
        self._head, self._middle, self._tail = reply.written(_ANY_ID.decode()).split(_ANY_ID)
        self._room, self._log, self._shed = room, log, metrics.shed
        self._counts = {path.encode(): metrics.requests(path, refusal.status) for path in PATHS}
        self._ids = os.urandom(10).hex()  # and a number behind them
        self._refused = self._told = 0
        self._entering = 0  # let in, and not yet counted by those who know how much room there is

    def refuse(self, data: bytes) -> bytes | None:
        """Return the refusal of the one whole request in ``data``; ``None`` where there is room, or something else."""
        if self._entering < self._room():
            self._let_in()
            return None
        found = _WHOLE.match(data)
        if found is None or found.end() + int(found[2]) != len(data):
            return None
        self._counts[found[1]].inc()
        self._shed.inc()
        if self._refused == self._told:
            asyncio.get_running_loop().call_later(TELL_S, self.tell)
        self._refused += 1
        request_id = b"%b%012x" % (self._ids.encode(), self._refused)
        return b"%b%b%b%b%b" % (self._head, request_id, self._middle, request_id, self._tail)

    def _let_in(self) -> None:
        """Count who enters; requests that came together are all looked at before the first of them takes its place."""
        if not self._entering:
            asyncio.get_running_loop().call_soon(self._entered)  # the turn in which all of them take their places
        self._entering += 1

    def _entered(self) -> None:
        self._entering = 0

    def tell(self) -> None:
        """Log how many were refused since the last time."""
        if self._refused > self._told:
            self._log.say("shed", requests=self._refused - self._told, status=503, code="overloaded")
        self._told = self._refused
