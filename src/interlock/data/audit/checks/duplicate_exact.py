"""Texts that stand in the data twice, character for character. Knows nothing of labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE = "duplicate.exact"


def check(subject: Subject) -> Iterator[Finding]:
    """Yield one finding with every copy, then the rows worth keeping."""
    families = [family for repeat in subject.repeats for family in _same(subject, repeat)]
    if not families:
        return
    copies = [at for family in families for at in family[1:]]
    yield Finding(
        CODE,
        "warn",
        count=len(copies),
        rows=subject.ids([*copies, *(family[0] for family in families)]),
        examples=subject.show(copies, notes=[f"{len(f)} times" for f in families for _ in f[1:]]),
        keep={subject.rows[at].id: subject.rows[family[0]].id for family in families for at in family[1:]},
        numbers={"families": len(families), "across_groups": sum(_groups(subject, family) > 1 for family in families)},
        action="Keep the first row of each family (see keep) and drop its copies, unless the repetition is real "
        "traffic that the weights should reflect.",
    )


def _same(subject: Subject, repeat: list[int]) -> Iterator[list[int]]:
    by_text: dict[str, list[int]] = defaultdict(list)
    for at in repeat:
        by_text[subject.rows[at].text].append(at)
    yield from (family for family in by_text.values() if len(family) > 1)


def _groups(subject: Subject, family: list[int]) -> int:
    return len({subject.rows[at].group for at in family})
