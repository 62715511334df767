"""What two parts of a split share: the proof that they share nothing, or the rows that show it. Knows no splitting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from interlock.core.dataset import PARTS, Example, Part
from interlock.data.split.cuts import instant
from interlock.data.split.units import Kin, Likeness
from interlock.predict.normalise import same_text_key

KINDS = ("exact", "normalised", "near", "group", "time")
Parts = Mapping[Part, tuple[Example, ...]]
Placed = tuple[Part, Example]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A row of a later part, and the row of an earlier part that it should not meet there."""

    earlier: Placed
    later: Placed


def crossings(parts: Parts, *, kin: Kin, likeness: Likeness, timed: bool) -> dict[str, tuple[Crossing, ...]]:
    """Return kind -> one crossing for each row of a later part that meets an earlier part.

    ``exact``: the text, character for character. ``normalised``: the text but for case, spacing and what cannot be
    seen. ``near``: those, the text but for punctuation, and near duplicates of the likeness. ``group``: the group.
    ``time``: the row is older than the newest row of an earlier part; none unless ``timed``, for time is then no rule.
    """
    nearly = _neighbours(kin, likeness)
    return {
        "exact": _shared(parts, lambda row: (row.text,)),
        "normalised": _shared(parts, lambda row: (same_text_key(row.text),)),
        "near": _shared(parts, lambda row: (kin.texts[row.text],), meets=nearly),
        "group": _shared(parts, lambda row: () if row.group is None else (row.group,)),
        "time": _older(parts) if timed else (),
    }


def apart(parts: Parts, *, kin: Kin) -> int:
    """Return how many pairs of near duplicates, by the house's definition, stand in two parts."""
    where: dict[int, set[Part]] = defaultdict(set)
    for part, rows in parts.items():
        for row in rows:
            where[kin.texts[row.text]].add(part)
    return sum(len(where[one] | where[other]) > 1 for one, other, _ in kin.pairs if one in where and other in where)


def have_time(parts: Parts) -> bool:
    """Whether every row says when it was."""
    return all(row.timestamp is not None for rows in parts.values() for row in rows)


def _neighbours(kin: Kin, likeness: Likeness) -> Callable[[Hashable], Sequence[Hashable]]:
    near: dict[Hashable, list[int]] = defaultdict(list)
    for one, other, alike in kin.pairs:  # the most alike first
        if alike >= likeness.least:
            near[one].append(other)
            near[other].append(one)
    return lambda text: (text, *near.get(text, ()))


def _shared(
    parts: Parts,
    keys: Callable[[Example], Sequence[Hashable]],
    *,
    meets: Callable[[Hashable], Sequence[Hashable]] = lambda key: (key,),
) -> tuple[Crossing, ...]:
    """Meet every row with the first row of an earlier part that has a key which one of its own ``meets``."""
    first: dict[Hashable, Placed] = {}
    out = []
    for part in PARTS:
        keyed = [(key, (part, row)) for row in parts.get(part, ()) for key in keys(row)]
        for key, placed in keyed:
            partner = next((first[other] for other in meets(key) if other in first), None)
            if partner is not None:
                out.append(Crossing(partner, placed))
        for key, placed in keyed:
            first.setdefault(key, placed)
    return tuple(out)


def _older(parts: Parts) -> tuple[Crossing, ...]:
    newest: tuple[int, Placed] | None = None
    out = []
    for part in PARTS:
        dated = [(instant(row.timestamp), row) for row in parts.get(part, ()) if row.timestamp is not None]
        if newest is not None:
            out += [Crossing(newest[1], (part, row)) for when, row in dated if when < newest[0]]
        for when, row in dated:
            if newest is None or when > newest[0]:
                newest = when, (part, row)
    return tuple(out)
