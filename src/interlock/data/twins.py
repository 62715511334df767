"""Rows that say the same as an earlier row: copies, and texts that are nearly one. Knows no scores."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.core.dataset import Dataset
from interlock.data.near import loose_key, near_texts


@dataclass(frozen=True)
class Twins:
    """For each row that is like an earlier one (by id), that row."""

    copies: dict[str, str]  # the text differs at most in case, spacing, punctuation or what cannot be seen
    near: dict[str, str]  # the text is nearly the same, directly or through others


def twins(rows: Dataset) -> Twins:
    """Return which rows are like earlier ones; earlier means by id, so that the order of a file changes nothing."""
    ordered = sorted(rows, key=lambda row: row.id)
    first: dict[str, str] = {}
    copies = {}
    for row in ordered:
        known = first.setdefault(loose_key(row.text), row.id)
        if known != row.id:
            copies[row.id] = known
    apart = [row for row in ordered if row.id not in copies]
    families = near_texts([row.text for row in apart]).families()
    near = {apart[at].id: apart[family[0]].id for family in families for at in family[1:]}
    return Twins(copies, near)
