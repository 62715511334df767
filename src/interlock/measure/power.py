"""How many rows a claim needs. Knows nothing of where more rows would come from."""

from __future__ import annotations

import math
from statistics import NormalDist

from interlock.core.measurement import Measurement
from interlock.measure.arrays import checked_level
from interlock.measure.proportion import proportion

SHARES = {"wilson", "clopper_pearson"}  # methods whose measurement is successes over rows
MOST = 10**9  # beyond this many rows the answer is "no number of rows"


def rows_needed(measurement: Measurement, *, limit: float) -> int | None:
    """Return how many more rows would settle on which side of ``limit`` the quantity lies, were its value to stay.

    Settled means that the bound facing the limit clears it. For a share the interval itself is recomputed at larger n;
    for other quantities its width is taken to shrink with the square root of n. Nothing measured yet counts as a share
    that would come out perfect, so the answer is the fewest rows that could do. None: no number of rows would do,
    because the value is at the limit or has no bounds.
    """
    value = measurement.value
    if measurement.n == 0 and math.isnan(value) and 0 < limit < 1:
        return rows_to_clear(1.0, limit=limit, level=measurement.level)
    if not measurement.known or value == limit:
        return None
    if measurement.method in SHARES:
        total = rows_to_clear(value, limit=limit, level=measurement.level, method=measurement.method)
        return None if total is None else max(total - measurement.n, 0)
    bound = measurement.low if value > limit else measurement.high
    grown = measurement.n * ((value - bound) / (value - limit)) ** 2
    return max(math.floor(grown) + 1 - measurement.n, 0) if grown < MOST else None


def rows_to_clear(share: float, *, limit: float, level: float = 0.95, method: str = "auto") -> int | None:
    """Return the fewest rows at which an observed ``share`` has ``limit`` outside its interval; None if none suffice.

    A share of exactly 0 or 1 is bounded by Clopper-Pearson whatever ``method`` says: 36 rows without a failure prove
    a share above 0.90, 72 one above 0.95.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected a value in 0-1, got {share}")
    if share in {0.0, 1.0}:
        method = "clopper_pearson"
    many = 1
    while many < MOST and not _clears(share, many, limit, level, method):
        many *= 2
    if many >= MOST:
        return None
    few = many // 2
    while many - few > 1:  # not quite monotone, counts being whole: the answer is right to within one success
        middle = (few + many) // 2
        few, many = (few, middle) if _clears(share, middle, limit, level, method) else (middle, many)
    return many


def planned_rows(share: float, *, limit: float, level: float = 0.95, power: float = 0.8) -> int:
    """Return the rows at which a true ``share`` is found beyond ``limit`` with chance ``power``.

    The normal approximation for one share against a fixed value (Fleiss, Levin and Paik 2003, section 2.5), with error
    ``(1 - level) / 2`` on the limit's side.
    """
    if share == limit or not 0 <= share <= 1 or not 0 < limit < 1:
        raise ValueError(f"share, limit: expected two different shares, the limit inside 0-1, got {share}, {limit}")
    normal = NormalDist()
    false_alarm, missed = normal.inv_cdf(0.5 + checked_level(level) / 2), normal.inv_cdf(checked_level(power))
    spread = false_alarm * math.sqrt(limit * (1 - limit)) + missed * math.sqrt(share * (1 - share))
    return math.ceil((spread / (share - limit)) ** 2)


def _clears(share: float, n: int, limit: float, level: float, method: str) -> bool:
    """Whether ``n`` rows with that share of successes, rounded towards the limit, have the limit outside."""
    if share > limit:
        return proportion("", math.floor(share * n + 1e-9), n, level=level, method=method).low > limit
    return proportion("", math.ceil(share * n - 1e-9), n, level=level, method=method).high < limit
