"""Texts that differ only by case, punctuation, spacing or invisible characters. Knows nothing of labels."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE = "duplicate.normalised"


def check(subject: Subject) -> Iterator[Finding]:
    """Yield one finding with every variant of a text but the first, then the rows worth keeping."""
    variants: list[int] = []
    keep: dict[int, int] = {}
    for family in subject.repeats:
        first = family[0]
        others = [at for at in family[1:] if subject.rows[at].text != subject.rows[first].text]
        variants += others
        keep |= dict.fromkeys(others, first)
    if not variants:
        return
    firsts = list(dict.fromkeys(keep.values()))
    yield Finding(
        CODE,
        "warn",
        count=len(variants),
        rows=subject.ids([*variants, *firsts]),
        examples=subject.show(variants, notes=[f"as {subject.rows[keep[at]].id}" for at in variants]),
        keep={subject.rows[at].id: subject.rows[first].id for at, first in keep.items()},
        numbers={"families": len(firsts)},
        action="Keep one row of each family (see keep); the model sees nearly the same text in all of them.",
    )
