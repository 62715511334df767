"""Two cuts in time: train before, calibration between, test after. Knows no stratifying."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import numpy.typing as npt

from interlock.core.dataset import PARTS, Example, Part
from interlock.data.split.place import Needs
from interlock.data.split.units import Ints, Unit, at_home, owners

REACH = 0.1  # of the smallest share: how far from its place a cut may be moved, so that shares stay within tolerance
TRIED, PASSES = 9, 3  # places tried for each cut in each pass
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows cut in time."""

    parts: tuple[Part | None, ...]  # of each row; None for a row on the lesser side of a unit that straddles a cut
    within: bool  # whether a cut had to fall within equal instants


def instant(timestamp: str) -> int:
    """Return microseconds since 1970 of an ISO 8601 timestamp; without a zone it is UTC."""
    when = datetime.fromisoformat(timestamp)
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)


def by_time(
    rows: Sequence[Example],
    units: Sequence[Unit],
    ties: Sequence[Ints],
    *,
    shares: Mapping[Part, float],
    needs: Needs,
    seed: int,
) -> Cut:
    """Cut rows, all with timestamps, so that no row is later than a row of a later part.

    A unit keeps the side where most of its rows are; its other rows are lost. Of the cuts near their place, those are
    taken that leave no needed label out, lose few rows and meet the shares; a cut falls within equal instants only
    where no other is near, and then between units.

    Args:
        rows: in an order of their own.
        units: rows that stay side by side where instants are equal.
        ties: for each kind of unit that stays whole, the number of the unit that each row is in.
        shares: part -> share of the rows that are kept.
        needs: labels that parts cannot do without.
        seed: the order of units within equal instants.
    """
    timeline = _Timeline.of(rows, units, ties, needs, seed=seed)
    wanted = np.array([shares[part] for part in PARTS])
    reach = max(1, round(REACH * wanted.min() * len(rows)))
    kept = np.ones(len(rows), dtype=bool)
    best: tuple[int, int] | None = None
    for _ in range(PASSES):  # a pass knows from the one before where rows are lost
        tried = [timeline.near(place, reach) for place in timeline.places(wanted, kept)]
        pairs = [(one, other) for one, other in product(*tried) if 0 < one < other < len(rows)]
        if not pairs:
            return Cut((PARTS[0],) * len(rows), within=False)
        best = min([*pairs, *([best] if best else [])], key=lambda pair: (*timeline.cost(pair, wanted), pair))
        kept, side = timeline.sides(best)
    parts = tuple(PARTS[int(part)] if stays else None for part, stays in zip(side, kept, strict=True))
    return Cut(parts, within=not all(timeline.between(place) for place in best or ()))


@dataclass(frozen=True)
class _Timeline:
    place: Ints  # of each row, in time
    order: Ints  # rows by place
    instants: Ints  # by place
    ties: Sequence[Ints]
    label_rows: Ints  # with label_names: which row has which needed label
    label_names: Ints
    needed: npt.NDArray[np.bool_]  # (3 parts, needed labels)

    @classmethod
    def of(
        cls, rows: Sequence[Example], units: Sequence[Unit], ties: Sequence[Ints], needs: Needs, *, seed: int
    ) -> _Timeline:
        instants = np.array([instant(row.timestamp or "") for row in rows], dtype=np.int64)
        turn = list(range(len(units)))
        random.Random(seed).shuffle(turn)
        order = np.lexsort((np.arange(len(rows)), np.array(turn)[owners(units)], instants))
        place = np.empty(len(rows), dtype=np.int64)
        place[order] = np.arange(len(rows))
        names = {label: at for at, label in enumerate(needs)}
        marks = [(at, names[label]) for at, row in enumerate(rows) for label in row.labels if label in names]
        label_rows, label_names = np.array(marks, dtype=np.int64).reshape(-1, 2).T
        needed = np.array([[part in needs[label] for label in names] for part in PARTS], dtype=bool)
        return cls(place, order, instants[order], ties, label_rows, label_names, needed)

    def places(self, wanted: npt.NDArray[np.float64], kept: npt.NDArray[np.bool_]) -> list[int]:
        """Return where cuts should fall for the kept rows to have the shares."""
        so_far = np.cumsum(kept[self.order])
        return [int(np.searchsorted(so_far, share * so_far[-1])) + 1 for share in np.cumsum(wanted)[:2] - 1e-9]

    def between(self, place: int) -> bool:
        """Whether a cut before this place falls between two instants."""
        return bool(self.instants[place - 1] < self.instants[place])

    def near(self, place: int, reach: int) -> list[int]:
        """Return places to try: between instants if any are in reach, else any."""
        inside = [at for at in range(place - reach, place + reach + 1) if 0 < at < len(self.place)]
        found = [at for at in inside if self.between(at)] or inside
        nearest = min(found, key=lambda at: abs(at - place), default=None)
        spread = [found[int(at)] for at in np.linspace(0, len(found) - 1, TRIED)] if found else []
        return sorted({*spread, *([] if nearest is None else [nearest])})

    def sides(self, pair: tuple[int, int]) -> tuple[npt.NDArray[np.bool_], Ints]:
        """Return for each row whether it stays and the side it is on: 0, 1 or 2."""
        side = np.searchsorted(np.array(pair), self.place, side="right")
        return at_home(side, self.ties), side

    def cost(self, pair: tuple[int, int], wanted: npt.NDArray[np.float64]) -> tuple[int, float]:
        """Return parts and needed labels left out, and the share of rows lost plus how far the shares are off."""
        kept, side = self.sides(pair)
        there = np.zeros(self.needed.shape, dtype=bool)
        stays = kept[self.label_rows]
        there[side[self.label_rows[stays]], self.label_names[stays]] = True
        sizes = np.bincount(side[kept], minlength=3)
        off = float(np.abs(sizes / max(1, sizes.sum()) - wanted).sum())
        return int((self.needed & ~there).sum() + (sizes == 0).sum()), float(1 - kept.mean()) + off
