"""Messages that none of the labels seems to fit: no label claims them and no other row is close. Knows no new label."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE = "taxonomy.outside"
CLAIMED = -0.5  # greatest held-out score below which a row is looked at; at 0 a label's machine is undecided
FAR = 0.6  # cosine to the nearest other text below which nothing is close
MOST = 4000  # rows looked at, the least likely first
BLOCK = 500


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the rows that look foreign, the most foreign first, and an estimate of their share."""
    found = subject.held_out
    if not found.learnt:
        return
    sure = found.probabilities.max(axis=1)
    looked = np.flatnonzero(found.claims < CLAIMED)
    looked = looked[np.lexsort((looked, found.claims[looked]))][:MOST]
    nearest = _nearest(subject, looked)
    far = nearest < FAR
    order = looked[far][np.lexsort((looked[far], found.claims[looked[far]] + nearest[far]))].tolist()
    if order:
        yield Finding(
            CODE,
            "note",
            count=len(order),
            rows=subject.ids(order),
            examples=subject.show(order, notes=[f"at most {sure[at]:.0%} any label" for at in order[:3]]),
            numbers={"share": len(order) / len(subject.rows)},
            action="Read these: label what no label fits as unknown examples for the gate, and look for a new label.",
        )


def _nearest(subject: Subject, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the cosine of each row's nearest other text, by words; copies of the row itself do not count."""
    words = subject.space.words
    out = np.zeros(rows.size)
    for start in range(0, rows.size, BLOCK):
        block = rows[start : start + BLOCK]
        likeness = (words[block] @ words.T).toarray()
        for place, at in enumerate(block.tolist()):
            likeness[place, subject.places[subject.keys[at]]] = 0.0
        out[start : start + block.size] = likeness.max(axis=1)
    return out
