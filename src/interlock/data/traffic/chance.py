"""Seeded draws with names instead of thresholds. Knows nothing of what is drawn."""

from __future__ import annotations

import random
from typing import TypeVar

Option = TypeVar("Option")


def happens(rng: random.Random, share: float) -> bool:
    """Return yes in ``share`` of the draws."""
    return rng.random() < share


def drawn(options: tuple[tuple[Option, float], ...], at: float) -> Option:
    """Return the option whose share covers the draw ``at`` (0 to 1); the last one takes what is left over."""
    for option, share in options:
        if at < share:
            return option
        at -= share
    return options[-1][0]
