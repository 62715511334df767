"""Points in time as people write them, to one form. Knows no rows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

ACCEPTED = (
    "ISO 8601 (2026-04-21T14:03:22Z, 2026-04-21 14:03, 2026-04-21), epoch seconds, epoch milliseconds or RFC 2822"
)
_EPOCH = re.compile(r"[12]\d{9}(?:\d{3})?")  # ten digits of seconds (2001 to 2065) or thirteen of milliseconds
_DIGITS = 10  # of epoch seconds
_RFC_2822 = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}")


def moment(value: Any) -> str | None:
    """Return ``value`` as ISO 8601 in UTC, like ``2026-04-21T14:03:22Z``; ``None`` when it is no point in time.

    A time without a zone is read as UTC, a day as its midnight. Whole numbers of another length than epoch times have
    now, and days whose order is anyone's guess (21/04/2026), are not accepted.
    """
    try:
        found = _parsed(value)
        if found is None:
            return None
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return found.isoformat().replace("+00:00", "Z")


def _parsed(value: Any) -> datetime | None:
    if isinstance(value, date):
        return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    whole, _, part = text.partition(".")
    if _EPOCH.fullmatch(whole) and (not part or part.isdecimal()):
        return datetime.fromtimestamp(float(text) / (1000 if len(whole) > _DIGITS else 1), tz=UTC)
    if not isinstance(value, str):
        return None
    return parsedate_to_datetime(text) if _RFC_2822.match(text) else datetime.fromisoformat(text)
