"""Messages that ask for several things, though most carry one label. Knows clauses, not grammar.

A message is cut at sentence ends and at words that join requests; it counts when two of its clauses are each surely of
a different label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from interlock.data.audit.finding import Finding
from interlock.data.audit.mask import READ
from interlock.data.audit.subject import Subject

CODE = "intents.several"
CUT = re.compile(
    r"[.!?;\n。！？、]+\s*"
    r"|,?\s+(?:and|also|plus|but|then|separately|another thing|second question|by the way)\b[,:]?\s*",
    re.IGNORECASE,
)
CLAUSE = 3  # words below which a clause asks for nothing
SURE = 0.6  # probability of a clause's own label
GREATEST = 6  # clauses of one message looked at


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the rows that seem to hold several intents, and their share."""
    said = [at for at, row in enumerate(subject.rows) if len(row.labels) > 1]
    cut = {at: clauses for at, row in enumerate(subject.rows) if len(clauses := _clauses(row.text)) > 1}
    seen = _several(subject, cut) if subject.held_out.learnt else {}
    rows = [*said, *sorted(seen.keys() - set(said), key=lambda at: (-seen[at][0], at))]
    if rows:
        share = len(rows) / len(subject.rows)
        notes = ["|".join(seen[at][1]) if at in seen else "labelled so" for at in rows]
        yield Finding(
            CODE,
            "note",
            count=len(rows),
            rows=subject.ids(rows),
            examples=subject.show(rows, notes=notes),
            numbers={"share": share, "labelled": len(said)},
            action="Give these rows all their labels (`labels`), or say in the guide which intent takes precedence.",
        )


def _clauses(text: str) -> list[str]:
    return [piece for piece in CUT.split(text[:READ]) if len(piece.split()) >= CLAUSE][:GREATEST]


def _several(subject: Subject, cut: dict[int, list[str]]) -> dict[int, tuple[float, tuple[str, ...]]]:
    """Return row -> how sure, and the labels of its clauses."""
    if not cut:
        return {}
    found = subject.held_out
    texts = [piece for pieces in cut.values() for piece in pieces]
    probabilities = found.probabilities_of(subject.space.place(texts))
    best, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    out: dict[int, tuple[float, tuple[str, ...]]] = {}
    start = 0
    for at, pieces in cut.items():
        rows = np.arange(start, start + len(pieces))
        start += len(pieces)
        by_label: dict[str, float] = {}
        for row in rows[sure[rows] >= SURE]:
            label = found.labels[best[row]]
            by_label[label] = max(by_label.get(label, 0.0), float(sure[row]))
        if len(by_label) > 1:
            out[at] = (sorted(by_label.values())[-2], tuple(sorted(by_label)))
    return out
