"""Rows by the month of their timestamp. Knows no time zone but the one written."""

from __future__ import annotations

from collections import defaultdict

from interlock.data.audit.subject import Subject

FEWEST = 50  # rows a month needs to be compared with others


def months(subject: Subject) -> dict[str, list[int]]:
    """Return month (2026-04) -> rows, for months with enough rows."""
    found: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(subject.rows):
        if row.timestamp is not None:
            found[month_of(row.timestamp)].append(at)
    return {name: rows for name, rows in found.items() if len(rows) >= FEWEST}


def month_of(timestamp: str) -> str:
    """Return the month of an ISO 8601 timestamp."""
    digits = timestamp.replace("-", "")  # 20260421 is ISO 8601 too
    return f"{digits[:4]}-{digits[4:6]}"
