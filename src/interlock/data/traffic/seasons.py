"""When people write: nine months of days and hours, holidays, conventions and sales. Knows no message."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np

START = datetime(2025, 4, 1, tzinfo=UTC)
DAYS = 275  # to the end of December
# (first day, last day, how much more people write, how much more of it is about promotions)
PEAKS = (
    (93, 97, 1.25, 1.8),  # early July: the summer convention
    (120, 125, 1.1, 1.4),  # end of July
    (150, 154, 1.1, 1.5),  # back to school
    (192, 196, 1.15, 1.4),  # the October convention
    (237, 245, 1.7, 2.6),  # the end of November sales
    (255, 268, 1.4, 1.9),  # gifts
)
WEEKDAYS = (0.95, 0.9, 0.92, 0.95, 1.05, 1.15, 1.12)  # Monday first
HOURS = (5, 3, 2, 2, 2, 3, 4, 6, 9, 11, 13, 14, 15, 15, 14, 14, 15, 17, 20, 23, 25, 24, 18, 10)


def arrivals(count: int, rng: np.random.Generator) -> list[float]:
    """Return ``count`` moments in days since the start, sorted, denser where people write more."""
    days = np.arange(DAYS)
    weight = np.array([WEEKDAYS[(START + timedelta(days=int(day))).weekday()] * _busy(int(day)) for day in days])
    density = (weight[:, None] * np.array(HOURS)[None, :]).ravel()
    edges = np.concatenate([[0.0], np.cumsum(density) / density.sum()])
    moments: list[float] = np.interp(np.sort(rng.random(count)), edges, np.arange(DAYS * 24 + 1) / 24.0).tolist()
    return moments


def promotion_season(day: float) -> float:
    """Return how much more than usual people ask about promotions on this day."""
    for first, last, _, more in PEAKS:
        if first <= day < last + 1:
            return more
    return 1.0 + 0.1 * math.sin(day / 9.0)


def stamp(day: float) -> str:
    """Return the moment as ISO 8601 in UTC, to the second."""
    return (START + timedelta(seconds=round(day * 86_400))).strftime("%Y-%m-%dT%H:%M:%SZ")


def _busy(day: int) -> float:
    for first, last, more, _ in PEAKS:
        if first <= day <= last:
            return more
    return 1.0 + 0.0008 * day  # the shop slowly grows
