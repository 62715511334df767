"""The ten intents, their shares, and the steering that keeps a world on them. Knows no sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping

SHARES: dict[str, float] = {
    "product_discovery": 0.22,
    "product_question": 0.15,
    "recommendation": 0.18,
    "faq": 0.08,
    "order_tracking": 0.12,
    "return_request": 0.07,
    "promotion": 0.05,
    "checkout_help": 0.04,
    "escalation": 0.03,
    "chitchat": 0.06,
}
INTENTS = tuple(SHARES)

# what an annotator who errs writes instead: the pairs people confuse
CONFUSED_WITH: dict[str, tuple[str, ...]] = {
    "product_discovery": ("recommendation", "recommendation", "recommendation", "product_question"),
    "recommendation": ("product_discovery", "product_discovery", "product_discovery", "product_question"),
    "product_question": ("recommendation", "recommendation", "product_discovery"),
    "faq": ("return_request", "product_question", "checkout_help"),
    "order_tracking": ("product_discovery", "product_discovery", "return_request"),
    "return_request": ("faq", "faq", "order_tracking"),
    "promotion": ("product_discovery", "faq"),
    "checkout_help": ("promotion", "faq", "order_tracking"),
    "escalation": ("chitchat", "chitchat", "return_request"),
    "chitchat": ("escalation", "recommendation"),
}

# what customers ask in the same breath, or next
GOES_WITH: dict[str, tuple[str, ...]] = {
    "product_discovery": ("product_question", "recommendation", "promotion", "faq"),
    "recommendation": ("product_discovery", "product_question", "promotion", "chitchat"),
    "product_question": ("recommendation", "promotion", "product_discovery", "faq", "order_tracking"),
    "faq": ("product_discovery", "order_tracking", "checkout_help", "promotion"),
    "order_tracking": ("return_request", "escalation", "recommendation", "product_question", "faq"),
    "return_request": ("order_tracking", "faq", "escalation", "product_question"),
    "promotion": ("product_discovery", "checkout_help", "product_question", "faq"),
    "checkout_help": ("promotion", "faq", "order_tracking", "escalation"),
    "escalation": ("order_tracking", "return_request", "checkout_help"),
    "chitchat": ("recommendation", "product_discovery", "order_tracking"),
}


class Steering:
    """Counts what was given and leans the next draws toward what is due."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Start with nothing given and nothing due."""
        self._behind = dict.fromkeys(names, 0.0)

    def record(self, name: str, due: Mapping[str, float]) -> None:
        """Count one row given to ``name`` when ``due`` were the wanted shares."""
        behind = self._behind
        for key, share in due.items():
            behind[key] += share
        if name in behind:
            behind[name] -= 1.0

    def pull(self, name: str) -> float:
        """Return how strongly to favour ``name``: 1 when on target, above when behind."""
        return math.exp(max(-4.0, min(4.0, self._behind[name] / 6.0)))


class Pacing:
    """A yes-no draw whose share of yes stays close to the one wanted, without ever being regular."""

    def __init__(self) -> None:
        """Start on target."""
        self._behind = 0.0

    def draw(self, share: float, chance: float, *, weight: float = 1.0) -> bool:
        """Return yes with about ``weight`` times ``share``, leaning back toward ``share`` overall."""
        self._behind += share
        said = chance < share * weight * math.exp(max(-2.0, min(2.0, self._behind / 8.0)))
        self._behind -= said
        return said
