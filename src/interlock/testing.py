"""What Interlock ships for tests: a clock that stands still, a scorer that says what you tell it. For tests only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import numpy as np

from interlock.core.contract import Contract
from interlock.core.contract_file import parse_contract
from interlock.core.errors import UnavailableError
from interlock.core.event import Event, EventStore
from interlock.core.ledger import Deed, Entry, next_entry, same_deed
from interlock.predict.calibrators import Temperature
from interlock.predict.detectors import UnknownGate
from interlock.predict.normalise import NormalText
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import Encoded, FloatArray, Scores


class FrozenClock:
    """Stands still until it is moved; every look at ``monotonic`` takes ``tick_ms``."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, tick_ms: float = 0.0) -> None:
        """Stop at ``now``."""
        self._now, self._elapsed, self._tick = now, 0.0, tick_ms / 1000

    def now(self) -> datetime:
        """Return the time it stands at."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds since the start."""
        self._elapsed += self._tick
        return self._elapsed

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds


class MemoryLedger:
    """A ledger that forgets everything at the end."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def append(self, deed: Deed, *, at: datetime) -> Entry:
        """Enter a deed and return its entry; the same deed again returns the entry it already has."""
        with self._lock:
            for entry in self._entries:
                if entry.deed.key == deed.key:
                    return same_deed(entry, deed)
            self._entries.append(next_entry(self._entries[-1] if self._entries else None, deed, at=at))
            return self._entries[-1]

    def entries(self) -> Iterator[Entry]:
        """Return every entry, in order."""
        return iter(tuple(self._entries))


class MemoryEvents(EventStore):
    """An event store that forgets everything at the end; what is handed in is kept at once."""

    def __init__(self) -> None:
        """Start empty."""
        self._events: dict[str, Event] = {}
        self._lock = threading.Lock()
        self._open = True

    def find(self, request_id: str) -> Event | None:
        """Return the event kept under an id."""
        return self._events.get(request_id)

    def submit(self, event: Event) -> Future[Event]:
        """Keep an event unless there is one of its id, and return what is kept, resolved."""
        if not self._open:
            raise UnavailableError("the event store is closed")
        done: Future[Event] = Future()
        with self._lock:
            kept = self._events.setdefault(event.request_id, event)
        done.set_result(kept)
        return done

    def close(self) -> None:
        """Take no more."""
        self._open = False


class TableScorer:
    """A scorer that looks its logits up: what ``say`` returns for a text, or raises."""

    def __init__(
        self, say: Callable[[str], FloatArray | None] | Mapping[str, FloatArray], *, max_tokens: int = 128
    ) -> None:
        """Answer with ``say``; one word is one token."""
        self._say = say if callable(say) else say.__getitem__
        self._max_tokens = max_tokens
        self.calls = 0

    def encode(self, text: NormalText, *, with_pieces: bool = False) -> Encoded:
        """Keep the text; count words."""
        self._text = str(text)
        words = text.split()
        return Encoded(list(range(min(len(words), self._max_tokens))), len(words), tuple(words) if with_pieces else ())

    def classify(self, encoded: Encoded) -> Scores:  # noqa: ARG002 - the text was kept by encode
        """Return what the table says of the text that was encoded last."""
        self.calls += 1
        logits = self._say(self._text)
        if logits is None:
            raise RuntimeError("the model is not there")
        return Scores(logits)


def tiny_contract(**changes: str) -> Contract:
    """Return a contract of two labels, ``yes`` and ``no``, each its own route; ``changes`` replace whole YAML keys."""
    parts = {
        "labels": "{yes: {route: yes}, no: {route: no}}",
        "fallback": "{uncertain: unsure, failure: person}",
        "decide": "{auto: {confidence: 0.8, margin: 0.2}, guarded: {confidence: 0.55}}",
        "input": "{max_tokens: 16, max_chars: 200}",
        "limits": "{accuracy: {at_least: 0.5}}",
        **changes,
    }
    body = "".join(f"{key}: {value}\n" for key, value in parts.items())
    return parse_contract(f"contract: 1\nname: tiny\nlabel_version: tiny-v1\n{body}".encode())


def tiny_predictor(
    say: Callable[[str], FloatArray | None] | Mapping[str, FloatArray],
    *,
    contract: Contract | None = None,
    unknown_threshold: float | None = None,
) -> Predictor:
    """Return a predictor over a ``TableScorer``, with temperature 1 and a clock that stands still."""
    terms = contract or tiny_contract()
    return Predictor(
        contract=terms,
        scorer=TableScorer(say, max_tokens=terms.input.max_tokens),
        calibrator=Temperature(1.0),
        unknown=None if unknown_threshold is None else UnknownGate(unknown_threshold),
        bundle_digest="sha256:tiny",
        clock=FrozenClock(),
    )


def logits_for(*probabilities: float) -> FloatArray:
    """Return logits whose softmax is ``probabilities`` (shape (k labels,), summing to 1)."""
    return np.log(np.array(probabilities, dtype=np.float64))
