"""The same text under different labels, and which label most likely is right. Knows nothing of splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE = "duplicate.conflicting"


def check(subject: Subject) -> Iterator[Finding]:
    """Yield one finding with every row of a text whose copies disagree, and the label to settle on."""
    families = [f for f in subject.repeats if len({subject.rows[at].labels for at in f}) > 1]
    if not families:
        return
    rows: list[int] = []
    notes: list[str] = []
    suggestions: dict[str, str] = {}
    keep: dict[str, str] = {}
    for family in families:
        label = _settled(subject, family)
        right = next(at for at in family if subject.rows[at].labels == label)
        rows += (wrong := [at for at in family if subject.rows[at].labels != label])
        rows += [at for at in family if subject.rows[at].labels == label]
        notes += [f"{'|'.join(label)} in {subject.rows[right].id}"] * len(family)
        suggestions |= {subject.rows[at].id: label[0] for at in wrong if len(label) == 1}
        keep |= {subject.rows[at].id: subject.rows[right].id for at in family if at != right}
    yield Finding(
        CODE,
        "warn",
        count=len(rows),
        rows=subject.ids(rows),
        examples=subject.show(rows, notes=notes),
        suggestions=suggestions,
        keep=keep,
        numbers={"families": len(families)},
        action="Let a person settle each text on one label (the suggestion is the commonest, or what a model of the "
        "other rows says), and keep one row of it.",
    )


def _settled(subject: Subject, family: list[int]) -> tuple[str, ...]:
    votes = Counter(subject.rows[at].labels for at in family)
    most = max(votes.values())
    leading = [labels for labels, count in votes.items() if count == most]
    if len(leading) == 1:
        return leading[0]
    found = subject.held_out
    likely = dict(zip(found.labels, found.probabilities[family[0]], strict=True))
    return max(leading, key=lambda labels: (likely.get(labels[0], 0.0), labels))
