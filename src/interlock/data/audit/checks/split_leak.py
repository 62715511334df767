"""Rows of one part whose text stands in a later part. Knows no way to split; it only checks one that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from interlock.core.dataset import PARTS
from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject
from interlock.predict.normalise import same_text_key

CODE, CODE_NEAR, CODE_GROUP = "split.leak", "split.near", "split.group"


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what the parts share: texts, nearly the same texts, groups."""
    if len(set(subject.parts)) == 1:
        return
    yield from _same_texts(subject)
    yield from _near_texts(subject)
    yield from _groups(subject)


def _same_texts(subject: Subject) -> Iterator[Finding]:
    early: list[int] = []
    late: list[int] = []
    for family in subject.repeats:
        before, last = _earlier(subject, family)
        early += before
        late += last if before else []
    if not early:
        return
    exact = _shared(subject, early, lambda text: text)
    same = _shared(subject, early, same_text_key)
    order = sorted(early, key=lambda at: (at not in exact, at not in same, at))
    yield Finding(
        CODE,
        "reject" if same else "warn",
        count=len(early),
        rows=subject.ids([*order, *late]),
        examples=subject.show(order, notes=[f"{subject.parts[at]} row, also in a later part" for at in order]),
        numbers={"exact": len(exact), "normalised": len(same), "punctuation": len(early) - len(same)},
        action="Take the rows of the earlier part out (the first ones listed); a score on the later part would "
        "otherwise reward remembering.",
    )


def _near_texts(subject: Subject) -> Iterator[Finding]:
    places = list(subject.places.values())
    early: dict[int, int] = {}
    for one, other, _ in subject.near.pairs:
        before, last = _earlier(subject, [*places[one], *places[other]])
        for at in before:
            early.setdefault(at, last[0])
    if early:
        yield Finding(
            CODE_NEAR,
            "warn",
            count=len(early),
            rows=subject.ids(early),
            examples=subject.show(list(early), notes=[f"nearly {subject.rows[at].id}" for at in early.values()]),
            action="Expect scores on the later part to flatter; split again with near duplicates kept together.",
        )


def _groups(subject: Subject) -> Iterator[Finding]:
    members: dict[str, list[int]] = {}
    for at, row in enumerate(subject.rows):
        if row.group is not None:
            members.setdefault(row.group, []).append(at)
    crossing = [rows for rows in members.values() if len({subject.parts[at] for at in rows}) > 1]
    if crossing:
        early = [at for rows in crossing for at in _earlier(subject, rows)[0]]
        yield Finding(
            CODE_GROUP,
            "warn",
            count=len(crossing),
            rows=subject.ids(early),
            examples=subject.show(early),
            action="Keep each group (customer, conversation, template) whole in one part: interlock split does.",
        )


def _earlier(subject: Subject, rows: list[int]) -> tuple[list[int], list[int]]:
    latest = max(PARTS.index(subject.parts[at]) for at in rows)
    before = [at for at in rows if PARTS.index(subject.parts[at]) < latest]
    return before, [at for at in rows if PARTS.index(subject.parts[at]) == latest]


def _shared(subject: Subject, early: list[int], form: Callable[[str], str]) -> set[int]:
    """Return the rows whose text, in some form, stands in a part later than theirs."""
    latest: dict[str, int] = {}
    for family in (subject.places[subject.keys[at]] for at in early):
        for at in family:
            text = form(subject.rows[at].text)
            latest[text] = max(latest.get(text, 0), PARTS.index(subject.parts[at]))
    return {at for at in early if PARTS.index(subject.parts[at]) < latest[form(subject.rows[at].text)]}
