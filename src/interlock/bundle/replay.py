"""What was admitted before, so that nothing is admitted twice. Knows no tokens, only names and times."""

from __future__ import annotations

import heapq
import threading
from datetime import datetime
from typing import Protocol

MOST = 100_000  # requests remembered at once; a window of a minute holds 1,600 a second


class Seen(Protocol):
    """Remembers names until they cannot come back. Times are milliseconds since 1970."""

    def first(self, name: str, *, made: int, until: int, now: int) -> bool:
        """Whether ``name`` is certainly seen for the first time; it is remembered from then on.

        Args:
            name: what must not come twice.
            made: nothing made at or before the memory began can be told from a replay.
            until: from then on nobody would accept it anyway, and it may be forgotten.
            now: the present.
        """
        ...


class ReplayGuard:
    """A memory of one process. It fails closed: what it cannot be sure of was seen before.

    It holds for one process and one life: several processes need one shared implementation of ``Seen``, and after a
    restart ``since`` keeps out what the process before may have admitted.
    """

    def __init__(self, *, since: datetime | None = None, most: int = MOST) -> None:
        """Start empty.

        Args:
            since: when this guard began, where another one worked before it; what was made earlier is refused.
            most: names remembered at once; when all of them are still good, new ones are refused.
        """
        self._names: set[str] = set()
        self._ends: list[tuple[int, str]] = []  # a heap, the first to forget on top
        self._since = -1 if since is None else int(since.timestamp() * 1000)
        self._forgotten = -1  # everything good until then, or less long, may have been seen and forgotten
        self._most = most
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many names are remembered."""
        return len(self._names)

    def first(self, name: str, *, made: int, until: int, now: int) -> bool:
        """Whether ``name`` is certainly seen for the first time; it is remembered from then on."""
        with self._lock:
            self._forget(now)
            if made <= self._since or until <= self._forgotten or name in self._names or len(self._names) >= self._most:
                return False
            self._names.add(name)
            heapq.heappush(self._ends, (until, name))
            return True

    def _forget(self, now: int) -> None:
        while self._ends and self._ends[0][0] < now:
            until, name = heapq.heappop(self._ends)
            self._names.discard(name)
            self._forgotten = max(self._forgotten, until)  # should the clock go back, these stay refused
