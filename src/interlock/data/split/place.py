"""Units to parts by label shares. Knows no time."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from interlock.core.dataset import Part
from interlock.data.split.units import Unit

Needs = Mapping[str, Sequence[Part]]  # label -> parts that cannot do without it


def stratified(units: Sequence[Unit], *, shares: Mapping[Part, float], needs: Needs, seed: int) -> list[Part]:
    """Return the part of each unit.

    First every part gets the labels it cannot do without, then the largest units are placed first, each where its
    labels are relatively scarcest (Sechidis et al. 2011, by unit) among the parts that still have room for it.
    """
    order = list(range(len(units)))
    random.Random(seed).shuffle(order)
    reserved = _reserved(units, sorted(order, key=lambda at: len(units[at].rows)), shares=shares, needs=needs)
    rest = sorted((at for at in order if at not in reserved), key=lambda at: -len(units[at].rows))
    totals: Counter[str] = Counter()
    for unit in units:
        totals.update(unit.labels)
    room = {part: share * sum(len(unit.rows) for unit in units) for part, share in shares.items()}
    missing = {part: {label: share * total for label, total in totals.items()} for part, share in shares.items()}
    placed: dict[int, Part] = {}
    for at in [*reserved, *rest]:
        unit = units[at]
        part = placed[at] = reserved.get(at) or _scarcest(unit, room, missing, shares=shares, totals=totals)
        room[part] -= len(unit.rows)
        for label, count in unit.labels.items():
            missing[part][label] -= count
    return [placed[at] for at in range(len(units))]


def _reserved(
    units: Sequence[Unit], order: Sequence[int], *, shares: Mapping[Part, float], needs: Needs
) -> dict[int, Part]:
    """Return units set aside for the labels that parts need: the scarcest label first, of its smallest units."""
    having: dict[str, list[int]] = defaultdict(list)
    for at in order:
        for label in units[at].labels:
            having[label].append(at)
    out: dict[int, Part] = {}
    for label in sorted(needs, key=lambda label: (len(having[label]), label)):
        there = {out[at] for at in having[label] if at in out}
        parts = sorted((part for part in needs[label] if part not in there), key=lambda part: -shares[part])
        free = [at for at in having[label] if at not in out][: len(parts)]
        out.update(zip(reversed(free), parts, strict=False))  # the largest of them to the largest part
    return out


def _scarcest(
    unit: Unit,
    room: Mapping[Part, float],
    missing: Mapping[Part, Mapping[str, float]],
    *,
    shares: Mapping[Part, float],
    totals: Counter[str],
) -> Part:
    roomy = [part for part in shares if room[part] >= len(unit.rows) - 0.5]  # half a row: shares are seldom whole rows
    if not roomy:
        return max(shares, key=room.__getitem__)

    def need(part: Part) -> tuple[float, float]:
        wanted = sum(
            count * missing[part][label] / (shares[part] * totals[label]) for label, count in unit.labels.items()
        )
        return round(wanted, 9), room[part] / shares[part]

    return max(roomy, key=need)
