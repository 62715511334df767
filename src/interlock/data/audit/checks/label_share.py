"""How many rows each label has, and how uneven that is. Knows nothing of what traffic would look like."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE = "label.share"
UNEVEN = 100.0  # largest over smallest label from which rare labels need care


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the counts of all labels, as a warning when one is alone or they are very uneven."""
    counts = {label: subject.counts[label] for label in subject.contract.label_names}
    present = {label: count for label, count in counts.items() if count}
    order = sorted(counts, key=lambda label: (-counts[label], label))
    total = max(1, sum(counts.values()))
    ratio = max(present.values(), default=0) / min(present.values(), default=1)
    alone = len(present) < 2  # noqa: PLR2004 - a choice needs two
    yield Finding(
        CODE,
        "warn" if alone or ratio > UNEVEN else "note",
        count=len(present),
        examples=tuple(f"{label}: {counts[label]} rows, {counts[label] / total:.1%}" for label in order[:3]),
        numbers={label: counts[label] for label in order},
        action="A router needs at least two labels to choose between."
        if alone
        else f"The largest label has {ratio:.0f} times the rows of the smallest; compare the shares with live traffic.",
    )
