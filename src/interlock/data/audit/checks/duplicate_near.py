"""Texts nearly the same: alike in their letters, or one word apart. Knows nothing of labels."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE = "duplicate.near"


def check(subject: Subject) -> Iterator[Finding]:
    """Yield one finding with every row that has a near duplicate, the most alike first."""
    if not subject.near.pairs:
        return
    places = list(subject.places.values())
    best: dict[int, float] = {}
    partner: dict[int, int] = {}
    for one, other, likeness in subject.near.pairs:  # the most alike first, so the first partner is the best
        for mine, theirs in ((other, one), (one, other)):
            best.setdefault(mine, likeness)
            partner.setdefault(mine, theirs)
    texts = list(best)
    rows = [at for text in texts for at in places[text]]
    families = subject.near.families()
    yield Finding(
        CODE,
        "warn",
        count=len(rows),
        rows=subject.ids(rows),
        examples=subject.show(
            [places[text][0] for text in texts],
            notes=[f"{best[text]:.0%} as {subject.rows[places[partner[text]][0]].id}" for text in texts],
        ),
        keep={
            subject.rows[at].id: subject.rows[places[family[0]][0]].id
            for family in families
            for text in family[1:]
            for at in places[text]
        },
        numbers={"families": len(families), "pairs": len(subject.near.pairs)},
        action="Read the first of them; drop those that say the same, and keep a family in one part when splitting.",
    )
