"""What asking a server takes beside HTTP: a budget, a bound on time, an address, words. Knows no operation."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

KEY = "[key]"  # behind a field: its name is meant, not what stands under it


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


class Arriving(io.RawIOBase):
    """What comes over a connection until a moment, in however small pieces; HTTPResponse takes it for a socket."""

    def __init__(self, connection: socket.socket, left: Callable[[], float]) -> None:
        """Read for as long as there is time ``left``, in seconds."""
        self._connection, self._left = connection, left
        self._bytes = connection.makefile("rb", buffering=0)  # which is there even after the connection's close

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Return it as a buffered file."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read some bytes.

        Raises:
            TimeoutError: the time is up.
        """
        if (left := self._left()) <= 0:
            raise TimeoutError("timed out")
        self._connection.settimeout(left)
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        """Let the connection go."""
        self._bytes.close()
        super().close()


def address(url: Any) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port of a server's address; ``None`` if it is none."""
    try:
        parts = urlsplit(url)
        port, more = parts.port, (parts.path.strip("/"), parts.query, parts.fragment, parts.username)
    except (ValueError, AttributeError, TypeError):
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(more) or " " in parts.hostname:
        return None
    return parts.scheme, parts.hostname, port


def seconds(said: str | None) -> float:
    """Return how long ``Retry-After`` says to wait; 0 without it, and for a date."""
    return float(said) if said is not None and said.isdecimal() else 0.0


def kind_of(sent: Any, field: str) -> str:
    """Return what kind of thing stands where the server says; never the thing, as an error may be logged."""
    *_, last = parts = field.split(".")
    for part in parts if field else ():
        if isinstance(sent, dict) and part.isdecimal():  # a key that the caller made up, by its number
            key = next(islice(sent, int(part), None), "")
            sent = key if last == KEY else sent.get(key)
        elif isinstance(sent, dict):
            sent = sent.get(part)
        elif isinstance(sent, list) and part.isdecimal() and int(part) < len(sent):
            sent = sent[int(part)]
    if isinstance(sent, str | list):
        return f"{len(sent)} {'characters' if isinstance(sent, str) else 'items'}"
    return "nothing" if sent is None else type(sent).__name__
