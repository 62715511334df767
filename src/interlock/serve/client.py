"""A typed client for a server: one kept connection a thread, retries within the deadline. Knows no server's inside."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Self
from urllib.parse import urlsplit

from interlock.core.clock import Clock, SystemClock
from interlock.core.decision import Decision
from interlock.core.errors import InputError, Problem, UnavailableError

AGAIN = frozenset({408, 429, 502, 503, 504})  # the server did not do it, and says that it may be asked again
LARGEST_REPLY = 64_000_000
FIRST_PAUSE_S = 0.05


class RequestRefusedError(InputError):
    """The server refused a request for what it is; the same request will be refused again."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        """Say what the server said."""
        self.status, self.code = status, str(error.get("code", ""))
        found = [
            Problem("request", one.get("field", ""), one.get("expected", ""), "something else")
            for one in error.get("problems", ())
        ]
        super().__init__(f"the server refused the request: {self.code}: {error.get('message', '')}", found)


class Budget:
    """How often retries may happen: one for every ten requests, so that a server in trouble is not asked ever more.

    Google, Site Reliability Engineering, chapter 21, "Deciding to retry".
    """

    def __init__(self, share: float = 0.1, most: float = 10.0) -> None:
        """Allow retries up to ``share`` of requests, saving up at most ``most``."""
        self._share, self._most, self._left = share, most, most
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Count a request."""
        with self._lock:
            self._left = min(self._most, self._left + self._share)

    def spend(self) -> bool:
        """Count a retry, if there may be one."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Client:
    """Asks one server for decisions. Any number of threads may share it."""

    def __init__(
        self, url: str, *, key: str | None = None, deadline_s: float = 5.0, retries: int = 2, clock: Clock | None = None
    ) -> None:
        """Ask the server at ``url``.

        Args:
            url: such as ``http://127.0.0.1:8080``.
            key: an API key, where the server has any.
            deadline_s: how long a call may take, retries included.
            retries: how often a call is tried again at most, when the server did not answer or says that it may be.
            clock: the machine's, unless a test gives another.

        Raises:
            InputError: ``url`` is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise InputError("this is no server", [Problem("url", "", "http://HOST:PORT or https://HOST:PORT", url)])
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, parts.port
        self._headers = {"content-type": "application/json"} | (
            {} if key is None else {"authorization": f"Bearer {key}"}
        )
        self._deadline_s, self._retries = deadline_s, retries
        self._budget = Budget()
        self._clock = clock or SystemClock()
        self._own = threading.local()

    def route(
        self,
        text: str,
        *,
        request_id: str | None = None,
        conversation: Sequence[str] = (),
        subject: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Decision:
        """Return the server's decision on one message.

        The call carries a ``request_id`` in any case, so that trying it again never makes a second decision.

        Raises:
            RequestRefusedError: the request is wrong; nothing was decided.
            UnavailableError: there was no answer within the deadline.
        """
        optional = {
            "conversation": list(conversation) or None,
            "subject": subject,
            "metadata": dict(metadata) if metadata else None,
        }
        body = {"text": text, "request_id": request_id or uuid.uuid4().hex}
        return _decision(self._call("POST", "/v1/route", body | {k: v for k, v in optional.items() if v is not None}))

    def route_all(self, texts: Sequence[str]) -> list[Decision]:
        """Return the server's decisions on several messages, in their order.

        Raises:
            RequestRefusedError: one of them was refused.
            UnavailableError: there was no answer within the deadline.
        """
        messages = [{"text": text, "request_id": uuid.uuid4().hex} for text in texts]
        found = self._call("POST", "/v1/route/batch", {"messages": messages})["decisions"]
        for one in found:
            if isinstance(one.get("error"), dict):  # a decision's own ``error`` is a word, or nothing
                raise RequestRefusedError(200, one["error"])
        return [_decision(one) for one in found]

    def ready(self) -> bool:
        """Whether the server can decide."""
        try:
            return bool(self._call("GET", "/readyz", None)["ready"])
        except UnavailableError:
            return False

    def close(self) -> None:
        """Close this thread's connection."""
        connection: HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is not None:
            connection.close()
            self._own.connection = None

    def __enter__(self) -> Self:
        """Use it for the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close this thread's connection."""
        self.close()

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        until = self._clock.monotonic() + self._deadline_s
        self._budget.earn()
        pause, last = FIRST_PAUSE_S, "nothing was tried"
        for tried in range(self._retries + 1):
            left = until - self._clock.monotonic()
            if left <= 0 or (tried and not self._budget.spend()):
                break
            status, found, wait = self._once(method, path, body, left)
            if status == 200:  # noqa: PLR2004 - HTTP's
                return found
            error = found.get("error", {})
            if status and status not in AGAIN:
                raise RequestRefusedError(status, error)
            last = f"{status or 'no reply'} {error.get('code', '')}".strip()
            pause = max(wait, random.uniform(0, 2 * pause))
            time.sleep(max(0.0, min(pause, until - self._clock.monotonic())))
        raise UnavailableError(f"{self._host} did not answer within {self._deadline_s:g} s: {last}")

    def _once(
        self, method: str, path: str, body: dict[str, Any] | None, left: float
    ) -> tuple[int, dict[str, Any], float]:
        """Return (status, JSON, seconds to wait before another try); status 0 where there was no whole reply."""
        try:
            connection = self._connected(left)
            connection.request(method, path, None if body is None else json.dumps(body), self._headers)
            reply = connection.getresponse()
            data = reply.read(LARGEST_REPLY)
            found: Any = json.loads(data)
            if isinstance(found, dict):
                return reply.status, found, _seconds(reply.getheader("retry-after"))
        except (HTTPException, OSError, ValueError):  # ends like a reply that is no JSON object
            pass
        self.close()
        return 0, {}, 0.0

    def _connected(self, left: float) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._kind(self._host, self._port, timeout=left)
        connection.timeout = left
        if connection.sock is not None:
            connection.sock.settimeout(left)
        return connection


def _seconds(said: str | None) -> float:
    return float(said) if said is not None and said.isdigit() else 0.0


def _decision(body: Mapping[str, Any]) -> Decision:
    return Decision.from_json({name: value for name, value in body.items() if name in Decision.__dataclass_fields__})
