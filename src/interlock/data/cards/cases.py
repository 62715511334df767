"""Which rows show best what a label is and is not. Knows no page.

Where a held-out model could be learnt, it chooses; elsewhere rows of middle length stand in. No row is shown that has
several labels, and no text twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.dataset import Example
from interlock.data.audit.learner import HeldOut
from interlock.data.audit.subject import Subject
from interlock.data.near import loose_key

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SHOWN = 3  # rows of each kind
CLEAR = 40  # clearest rows of a label among which different ones are looked for
CLOSE = 0.3  # probability that may lie between a row's two best labels for the row to be called ambiguous
LEAST, FEWEST = 0.02, 3  # share of either label's rows, and rows, from which a confusion is worth a sentence


@dataclass(frozen=True, slots=True)
class Confused:
    """How often held-out models take one label for another, of the rows they judged."""

    label: str  # the other
    out: int  # own rows called the other
    own: int  # own rows
    back: int  # the other's rows called this
    theirs: int  # the other's rows


@dataclass(frozen=True, slots=True)
class Cases:
    """Rows to learn one label from."""

    typical: tuple[str, ...]
    near: tuple[tuple[str, str], ...] = ()  # (text, its label): most like this label, but another's
    ambiguous: tuple[tuple[str, str], ...] = ()  # (text, the label it could be instead)
    confused: tuple[Confused, ...] = ()


def simple_cases(rows: Iterable[Example], labels: Sequence[str]) -> dict[str, Cases]:
    """Return rows of middle length as the typical ones of each label."""
    texts: dict[str, dict[str, str]] = {label: {} for label in labels}
    for row in sorted(rows, key=lambda row: (row.id, row.text)):
        if len(row.labels) == 1 and row.label in texts:
            texts[row.label].setdefault(loose_key(row.text), row.text)
    return {label: Cases(tuple(_middling(list(some.values())))) for label, some in texts.items()}


def learnt_cases(subject: Subject) -> dict[str, Cases]:
    """Return what held-out models find clear, near and ambiguous, for the labels they know.

    Only training rows are shown: who labels by the guide must not have seen the test rows.
    """
    found = subject.held_out
    if not found.learnt:
        return {}
    shown = _showable(subject, found)
    chosen = found.probabilities.argmax(axis=1)
    second, margin = _runner_up(found.probabilities, chosen)
    counts = _confusions(found, chosen)
    out = {}
    for at, label in enumerate(found.labels):
        own = np.flatnonzero(shown & (found.given == at))
        sure = own[chosen[own] == at]
        torn = own[((chosen[own] == at) | (second[own] == at)) & (margin[own] <= CLOSE)]
        others = np.flatnonzero(shown & (found.given != at) & (chosen == found.given))
        rest = np.where(chosen == at, second, chosen)
        out[label] = Cases(
            typical=_texts(subject, _different(subject, _ranked(sure, -found.probabilities[sure, at])[:CLEAR])),
            near=tuple(
                (subject.rows[i].text, found.labels[found.given[i]])
                for i in _one_of_each(_ranked(others, -found.probabilities[others, at]), found.given)
            ),
            ambiguous=tuple((subject.rows[i].text, found.labels[rest[i]]) for i in _ranked(torn, margin[torn])[:SHOWN]),
            confused=tuple(_confused(counts, at, found.labels)),
        )
    return out


def _showable(subject: Subject, found: HeldOut) -> Bools:
    """Return whether each row is a training row with one known label and the first of its text."""
    first: set[str] = set()
    out = np.zeros(len(subject.rows), dtype=np.bool_)
    for at, (key, part) in enumerate(zip(subject.keys, subject.parts, strict=True)):
        if part == "train" and found.given[at] >= 0 and key not in first:
            first.add(key)
            out[at] = True
    return out


def _runner_up(probabilities: Floats, chosen: Ints) -> tuple[Ints, Floats]:
    """Return the second most probable label of each row and how far it is from the first."""
    rows = np.arange(len(chosen))
    others = probabilities.copy()
    others[rows, chosen] = -1.0
    second = others.argmax(axis=1)
    return second, probabilities[rows, chosen] - others[rows, second]


def _ranked(rows: Ints, scores: Floats) -> Ints:
    return np.asarray(rows[np.lexsort((rows, scores))])


def _different(subject: Subject, rows: Ints) -> list[int]:
    """Return the first row, then each time the one least like any taken."""
    if not rows.size:
        return []
    points = subject.space.points[rows]
    alike = np.asarray((points @ points.T).todense())
    taken = [0]
    while len(taken) < min(SHOWN, rows.size):
        nearest = alike[:, taken].max(axis=1)
        nearest[taken] = np.inf
        taken.append(int(nearest.argmin()))
    return [int(rows[at]) for at in taken]


def _one_of_each(rows: Ints, given: Ints) -> list[int]:
    """Return the first rows, each of another label where there are enough labels."""
    first = [int(rows[at]) for at in sorted(np.unique(given[rows], return_index=True)[1])][:SHOWN]
    more = [int(at) for at in rows[: 2 * SHOWN] if at not in first]
    return [*first, *more][:SHOWN]


def _confusions(found: HeldOut, chosen: Ints) -> Ints:
    table = np.zeros((len(found.labels),) * 2, dtype=np.int64)
    judged = found.given >= 0
    np.add.at(table, (found.given[judged], chosen[judged]), 1)
    return table


def _confused(table: Ints, at: int, labels: Sequence[str]) -> Iterator[Confused]:
    """Yield the labels most confused with the one at ``at``, by the greater of both rates."""
    sizes = np.maximum(1, table.sum(axis=1))
    rate = np.maximum(table[at] / sizes[at], table[:, at] / sizes)
    rate[at] = -1.0
    for other in np.argsort(-rate, kind="stable")[:SHOWN]:
        counts = (table[at, other], sizes[at], table[other, at], sizes[other])
        if rate[other] >= LEAST and counts[0] + counts[2] >= FEWEST:
            yield Confused(labels[other], *(int(count) for count in counts))


def _texts(subject: Subject, rows: Iterable[int]) -> tuple[str, ...]:
    return tuple(subject.rows[at].text for at in rows)


def _middling(texts: list[str]) -> list[str]:
    lengths = sorted(len(text) for text in texts)
    middle = lengths[len(lengths) // 2] if lengths else 0
    return sorted(texts, key=lambda text: (abs(len(text) - middle), hashlib.sha256(text.encode()).digest()))[:SHOWN]
