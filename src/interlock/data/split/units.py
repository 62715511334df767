"""Rows that stay together: one group, one text, texts nearly one. Knows no parts and no shares."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.dataset import Example
from interlock.core.progress import Watch, unwatched
from interlock.data.near import ALIKE, loose_key, near_texts

Ints = npt.NDArray[np.int64]
WATCHED = 5_000  # rows from which looking for near duplicates may take over two seconds


@dataclass(frozen=True, slots=True)
class Likeness:
    """Which near duplicates stay together."""

    name: str  # as a manifest says it
    least: float  # Jaccard of letters from which a pair of near duplicates counts


NEAR = Likeness("0.7 alike or one word apart", 0.0)  # the house's definition: every pair ``near_texts`` finds
LADDER = (  # each step keeps less together than the one before
    NEAR,
    Likeness("0.7 alike", ALIKE),
    Likeness("0.8 alike", 0.8),
    Likeness("0.9 alike", 0.9),
    Likeness("same text", math.inf),
)


@dataclass(frozen=True)
class Kin:
    """Which texts are one, and which are nearly one."""

    texts: Mapping[str, int]  # a row's text -> the number of the text it is
    pairs: tuple[tuple[int, int, float], ...]  # numbers of two texts that are nearly one, and how alike they are

    @classmethod
    def of(cls, rows: Sequence[Example], *, watch: Watch = unwatched) -> Kin:
        """Compare every text with every other; the order of the rows does not matter."""
        if len(rows) >= WATCHED:
            watch({"event": "stage", "stage": "split", "detail": f"{len(rows)} rows: looking for near duplicates"})
        keys = {text: loose_key(text) for text in {row.text for row in rows}}
        distinct = sorted(set(keys.values()))
        number = {key: at for at, key in enumerate(distinct)}
        return cls({text: number[key] for text, key in keys.items()}, near_texts(distinct).pairs)


Node = tuple[str, int | str]  # "text" and its number, or "group" and its name


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows that stay together."""

    rows: tuple[int, ...]  # positions
    labels: Counter[str]
    groups: int  # how many it joins


def wholes(rows: Sequence[Example], kin: Kin, likeness: Likeness) -> list[Unit]:
    """Return rows joined by group, by text and by near duplicates, directly or through others."""
    ties = [(("text", kin.texts[row.text]), _owner(row, kin)) for row in rows]
    return _units(rows, [row_text for row_text, _ in ties], [*ties, *_near(rows, kin, likeness)])


def clusters(rows: Sequence[Example], kin: Kin, likeness: Likeness) -> list[Unit]:
    """Return rows joined by text and by near duplicates, directly or through others."""
    return _units(rows, [("text", kin.texts[row.text]) for row in rows], _near(rows, kin, likeness))


def groups(rows: Sequence[Example], kin: Kin, likeness: Likeness) -> list[Unit]:
    """Return rows joined by group; rows without one are joined by text and by near duplicates."""
    return _units(rows, [_owner(row, kin) for row in rows], _near(rows, kin, likeness))


def _owner(row: Example, kin: Kin) -> Node:
    return ("text", kin.texts[row.text]) if row.group is None else ("group", row.group)


def _near(rows: Sequence[Example], kin: Kin, likeness: Likeness) -> list[tuple[Node, Node]]:
    known = {kin.texts[row.text] for row in rows}
    return [
        (("text", one), ("text", other))
        for one, other, alike in kin.pairs
        if alike >= likeness.least and one in known and other in known
    ]


def _units(rows: Sequence[Example], nodes: Sequence[Node], ties: Iterable[tuple[Node, Node]]) -> list[Unit]:
    """Return rows whose nodes are tied, directly or through others, in row order."""
    parent: dict[Node, Node] = {}

    def root(at: Node) -> Node:
        while parent.setdefault(at, at) != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for one, other in ties:
        parent[root(one)] = root(other)
    members: dict[Node, list[int]] = defaultdict(list)
    for at, node in enumerate(nodes):
        members[root(node)].append(at)
    return [
        Unit(
            tuple(some),
            Counter(name for at in some for name in rows[at].labels),
            len({rows[at].group for at in some} - {None}),
        )
        for some in members.values()
    ]


def owners(units: Sequence[Unit]) -> Ints:
    """Return the number of the unit that each row is in."""
    out = np.empty(sum(len(unit.rows) for unit in units), dtype=np.int64)
    for number, unit in enumerate(units):
        out[list(unit.rows)] = number
    return out


def at_home(sides: Ints, ties: Sequence[Ints]) -> npt.NDArray[np.bool_]:
    """Return which rows are, for every tie, on the side where most rows of their unit are (the later when equal).

    Args:
        sides: 0, 1 or 2 for each row.
        ties: for each kind of unit, the number of the unit that each row is in.
    """
    kept = np.ones(len(sides), dtype=bool)
    for unit in ties:
        counts = np.bincount(unit * 3 + sides, minlength=3 * (int(unit.max()) + 1)).reshape(-1, 3)
        kept &= (2 - counts[:, ::-1].argmax(axis=1))[unit] == sides
    return kept
