"""Decisions that were just made, for messages that say the very same. Knows no text, only its keyed digest.

The text counts as it was given: two that are the same once normalised may differ in what they show people.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from interlock.answer import Message
from interlock.core.decision import Outcome
from interlock.core.event import DigestKey
from interlock.serve.pool import Made
from interlock.serve.router import Router

Key = tuple[str, str]  # bundle, text and turns


class Cache:
    """A bounded number of decisions; the one that was asked for least recently goes first."""

    def __init__(self, size: int, key: DigestKey) -> None:
        """Keep up to ``size`` decisions; 0 keeps none."""
        self._size, self._key = size, key
        self._kept: OrderedDict[Key, Made] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def find(self, message: Message, router: Router, *, shares: bool) -> Made | None:
        """Return what this bundle made of the same text after the same turns, with all probabilities if wanted."""
        key = self._of(message, router)
        found = None if key is None else self._kept.get(key)
        if key is None or found is None or (shares and not found.probabilities):
            return None
        self._kept.move_to_end(key)
        return replace(found, decision=replace(found.decision, stage_ms={"cached": 0.0, "total": 0.0}))

    def keep(self, message: Message, router: Router, made: Made) -> None:
        """Keep what was made of a message, unless it was a failure, which may pass."""
        decision = made.decision
        key = self._of(message, router)
        if key is None or decision.outcome is Outcome.UNAVAILABLE or decision.error is not None:
            return
        self._kept[key] = made
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def _of(self, message: Message, router: Router) -> Key | None:
        """Return what names a message, where any is kept."""
        return (router.digest, self._key.of_text(message.said)) if self._size else None
