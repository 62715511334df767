"""Labels that are probably wrong, by confident learning (Northcutt et al. 2021). Knows nothing of why.

A label's threshold is the mean probability that held-out models give it on its own rows. A row lies off the diagonal of
the confident joint when some other label reaches its threshold there and is the most probable that does. The number of
such rows says how many to flag; the probability of the given label says which.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from interlock.data.audit.finding import Finding
from interlock.data.audit.learner import HeldOut
from interlock.data.audit.subject import Subject

CODE = "label.noise"
SUGGESTED = 0.1  # of the ranking gets a suggestion even where nothing is flagged


def check(subject: Subject) -> Iterator[Finding]:
    """Yield every row ranked by how likely its label is wrong; the first ``count`` are flagged."""
    found = subject.held_out
    judged = np.flatnonzero(found.given >= 0)
    if not found.learnt:
        return
    own = found.probabilities[np.arange(found.given.size), found.given]
    order = judged[np.lexsort((judged, own[judged]))]
    count = int(confident_errors(found).sum())
    likely = best_other(found)
    shown = order[: max(count, int(SUGGESTED * order.size))]
    suggestions = {
        subject.rows[at].id: found.labels[likely[at]] for at in shown if found.probabilities[at, likely[at]] > own[at]
    }
    yield Finding(
        CODE,
        "warn" if count else "note",
        count=count,
        rows=subject.ids(order),
        examples=subject.show(
            order[:count].tolist(), notes=[f"rather {found.labels[likely[at]]}?" for at in order[:count][:3]]
        ),
        suggestions=suggestions,
        numbers={"share": count / max(1, order.size), "judged": int(order.size)},
        action="Relabel from the top of the ranking and stop where the labels turn out right; rows lists every row "
        "judged, the first `count` are flagged.",
    )


def confident_errors(found: HeldOut) -> npt.NDArray[np.bool_]:
    """Return whether each row lies off the diagonal of the confident joint."""
    probabilities, given = found.probabilities, found.given
    judged = given >= 0
    if not found.learnt:
        return judged
    own = probabilities[judged, given[judged]]
    counts = np.bincount(given[judged], minlength=len(found.labels))
    thresholds = np.bincount(given[judged], weights=own, minlength=len(found.labels)) / np.maximum(counts, 1)
    reached = np.where(probabilities >= thresholds - 1e-9, probabilities, -1.0)
    best = reached.argmax(axis=1)
    return np.asarray(judged & (reached.max(axis=1) > 0) & (best != given))


def best_other(found: HeldOut) -> npt.NDArray[np.int64]:
    """Return the most probable label other than the given one."""
    others = found.probabilities.copy()
    others[np.arange(found.given.size), found.given] = -1.0
    return np.asarray(others.argmax(axis=1))
