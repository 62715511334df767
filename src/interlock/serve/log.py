"""One JSON object a line, written beside the requests. Knows no text: whoever logs names what is logged.

A reader that stops reading does not stop the server: lines beyond a bound are dropped and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, BinaryIO

import orjson

from interlock.core.clock import Clock

MOST_LINES = 20_000  # that wait for the reader
LOOK_S = 0.05  # how often lines are written


class Log:
    """Lines on their way to a stream."""

    def __init__(self, stream: BinaryIO, clock: Clock) -> None:
        """Write to ``stream`` from a thread of its own."""
        self._stream, self._clock = stream, clock
        self._lines: deque[bytes] = deque()
        self._closing = threading.Event()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def say(self, event: str, **fields: Any) -> None:
        """Log one event."""
        if len(self._lines) >= MOST_LINES:
            self.dropped += 1
            return
        moment = self._clock.now().isoformat(timespec="milliseconds")
        self._lines.append(orjson.dumps({"time": moment, "event": event, **fields}, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Write what is left, if somebody reads it."""
        self._closing.set()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        last = False
        while not last:
            last = self._closing.wait(LOOK_S)  # waking up for every line would cost each request more than its line
            while self._lines:
                lines = [self._lines.popleft() for _ in range(min(len(self._lines), 500))]
                try:
                    self._stream.write(b"".join(lines))
                    self._stream.flush()
                except (OSError, ValueError):  # nobody reads it any more
                    self.dropped += len(lines)
