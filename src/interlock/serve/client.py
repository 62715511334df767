"""A typed client for a server: one kept connection a thread, retries within the deadline. Knows no server's inside."""

from __future__ import annotations

import json
import math
import random
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Self, TypeVar

from interlock.core.clock import Clock, SystemClock
from interlock.core.decision import Decision
from interlock.core.errors import InputError, Problem, UnavailableError
from interlock.serve.caller import Arriving, Budget, address, kind_of, seconds
from interlock.serve.refusal import CODES

DONE, ELSEWHERE, WRONG, BROKEN = 200, 300, 400, 500  # HTTP's, and from the second on each begins its kind
AGAIN = frozenset({408, 429, 502, 503, 504})  # the server did not do it, and says that it may be asked again
LARGEST_REPLY = 64_000_000
FIRST_PAUSE_S = 0.05


class RequestRefusedError(InputError):
    """The server refused a request for what it is; the same request will be refused again."""

    def __init__(self, status: int, error: Mapping[str, Any], sent: Any = None) -> None:
        """Say what the server said of what was ``sent``."""
        self.status, self.code = status, str(error.get("code", ""))
        found = [
            Problem("request", one.get("field", ""), one.get("expected", ""), kind_of(sent, one.get("field", "")))
            for one in error.get("problems", ())
        ]
        said = f"{self.code}: {error.get('message', '')}" if self.code else f"HTTP status {status}"
        super().__init__(f"the server refused the request: {said}", found)


Found = TypeVar("Found")


class Client:
    """Asks one server for decisions. Any number of threads may share it."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        deadline_s: float = 5.0,
        retries: int = 2,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Ask the server at ``url``.

        Args:
            url: such as ``http://127.0.0.1:8080``.
            key: an API key, where the server has any.
            deadline_s: how long a call may take, retries included; above 0.
            retries: how often a call is tried again at most, when the server did not answer or says that it may be.
            tls: whom to trust with https; the machine's authorities by default.
            clock: the machine's, unless a test gives another.

        Raises:
            InputError: one of these is none.
        """
        parts, problems = address(url), []
        if parts is None:
            problems.append(Problem("url", "", "http://HOST:PORT or https://HOST:PORT", repr(url)[:200]))
        if key is not None and not (key.isascii() and key.isprintable() and key):
            problems.append(
                Problem("key", "", "an API key, as `interlock keys api` prints one", f"{len(key)} characters")
            )
        if not 0 < deadline_s < math.inf:
            problems.append(Problem("deadline_s", "", "seconds above 0", f"{deadline_s}"))
        if retries < 0:
            problems.append(Problem("retries", "", "0 or more", f"{retries}"))
        if parts is None or problems:
            raise InputError("this is no way to ask a server", problems)
        scheme, self._host, self._port = parts
        self._kind = partial(HTTPSConnection, context=tls) if scheme == "https" else HTTPConnection
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
            "conversation": conversation if isinstance(conversation, str) else list(conversation) or None,
            "subject": subject,
            "metadata": dict(metadata) if metadata else None,
        }
        body: dict[str, Any] = {"text": text, "request_id": request_id or uuid.uuid4().hex}
        body |= {name: value for name, value in optional.items() if value is not None}
        return self._call("POST", "/v1/route", body, _decision)

    def route_all(self, texts: Sequence[str]) -> list[Decision]:
        """Return the server's decisions on several messages, in their order.

        Raises:
            RequestRefusedError: one of them was refused.
            UnavailableError: there was no answer within the deadline, or none to one of them.
        """
        messages = [{"text": text, "request_id": uuid.uuid4().hex} for text in texts]
        return self._call("POST", "/v1/route/batch", {"messages": messages}, partial(_decisions, sent=messages))

    def ready(self) -> bool:
        """Whether the server can decide."""
        try:
            return self._call("GET", "/readyz", None, lambda found: bool(found["ready"]))
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

    def _call(self, method: str, path: str, body: Any, read: Callable[[Any], Found]) -> Found:
        until = self._clock.monotonic() + self._deadline_s
        self._budget.earn()
        pause, last = FIRST_PAUSE_S, "nothing was tried"
        for tried in range(self._retries + 1):
            if tried and not self._budget.spend():
                break
            status, found, wait, last = self._once(method, path, body, until)
            if status == DONE:
                try:
                    return read(found)
                except (AttributeError, KeyError, TypeError, ValueError):  # something else listens there
                    last = "what came back is not what a server of ours says"
            error = found["error"] if isinstance(found, dict) and isinstance(found.get("error"), dict) else {}
            if status >= ELSEWHERE and status not in AGAIN and (error or status < BROKEN):
                raise RequestRefusedError(status, error, body)
            last = f"{last} {error.get('code', '')}".strip()
            pause = max(wait, random.uniform(0, 2 * pause))
            if tried == self._retries or self._clock.monotonic() + pause >= until:
                break
            time.sleep(pause)
        raise UnavailableError(f"{self._host} did not answer within {self._deadline_s:g} s: {last}")

    def _once(self, method: str, path: str, body: Any, until: float) -> tuple[int, Any, float, str]:
        """Return (status, JSON, seconds to wait before another try, what happened); status 0 without a whole reply."""
        data = None if body is None else json.dumps(body)
        try:
            connection = self._connected(until)
            connection.request(method, path, data, self._headers)
            reply = connection.getresponse()
            text = reply.read(LARGEST_REPLY)
        except (HTTPException, OSError, ValueError) as error:
            self.close()
            return 0, None, 0.0, f"no reply: {type(error).__name__}"
        wait = seconds(reply.getheader("retry-after"))
        try:
            return reply.status, json.loads(text), wait, f"HTTP status {reply.status}"
        except ValueError:
            self.close()  # it may be anything that listens there
            return reply.status, None, wait, f"HTTP status {reply.status}, not with JSON"

    def _connected(self, until: float) -> HTTPConnection:
        def left() -> float:
            return until - self._clock.monotonic()

        connection: HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._kind(self._host, self._port)
        connection.timeout = max(0.001, left())
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)
        connection.response_class = lambda sock, **options: HTTPResponse(Arriving(sock, left), **options)  # type: ignore[arg-type, assignment]
        return connection


def _decision(body: Mapping[str, Any]) -> Decision:
    return Decision.from_json({name: value for name, value in body.items() if name in Decision.__dataclass_fields__})


def _decisions(found: Any, *, sent: Sequence[Any]) -> list[Decision]:
    """Return the decisions of a batch.

    Raises:
        RequestRefusedError: there is an error among them.
        UnavailableError: there is one that another try may not meet.
        AttributeError, KeyError, TypeError, ValueError: there are none.
    """
    for one, message in zip(found["decisions"], sent, strict=True):
        if isinstance(one.get("error"), dict):  # a decision's own ``error`` is a word, or nothing
            code = str(one["error"].get("code"))
            status = CODES[code][0] if code in CODES else WRONG
            if status in AGAIN:
                raise UnavailableError(f"the server did not decide all messages: {code}")
            raise RequestRefusedError(status, one["error"], message)
    return [_decision(one) for one in found["decisions"]]
