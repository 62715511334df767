"""Ways to divide rows, each with what is wrong with it; what belongs together first. Knows nothing of choosing one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt

from interlock.core.dataset import PARTS, Example, Part
from interlock.core.errors import Problem
from interlock.data.split.cuts import by_time
from interlock.data.split.place import Needs, stratified
from interlock.data.split.units import LADDER, Ints, Kin, Likeness, Unit, at_home, clusters, groups, owners, wholes

Rule = Literal["time", "stratified"]
TOLERANCE = 0.2  # of its share: how far a part's size may be off (a row is always allowed)
PLENTY = 2  # rows of a label that a part's share of them comes to, from which the part is expected to have some
SHOWN = 3  # labels that a part lacks, named
WITHIN = "a cut falls within equal instants: no other was near its place"
CHAINED = "rows are one chain of groups that share texts or near duplicates, larger than a part"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which row goes where by one rule and one likeness, and what is wrong with that."""

    rule: Rule
    likeness: Likeness
    parts: tuple[Part | None, ...]  # of each row; None for a row that is lost
    short: tuple[Problem, ...] = ()  # labels and parts that lack rows
    off: tuple[str, ...] = ()  # parts whose size is off its share
    far: float = 0.0  # the greatest difference between a share had and a share asked for
    why: tuple[str, ...] = ()

    def rows(self, rows: Sequence[Example], part: Part | None) -> tuple[Example, ...]:
        """Return the rows of a part, or the lost ones for None."""
        return tuple(row for row, at in zip(rows, self.parts, strict=True) if at == part)

    @property
    def lost(self) -> int:
        """How many rows are in no part."""
        return self.parts.count(None)


@dataclass(frozen=True)
class Planner:
    """What every plan starts from."""

    rows: Sequence[Example]
    kin: Kin
    shares: Mapping[Part, float]
    needs: Needs
    seed: int

    def plans(self, rules: Sequence[Rule]) -> Iterator[Plan]:
        """Yield plans, those that keep most together first; by each of the rules where the rows allow it."""
        timed = "time" in rules and all(row.timestamp is not None for row in self.rows)
        for likeness in LADDER:
            whole = wholes(self.rows, self.kin, likeness)
            owned = groups(self.rows, self.kin, likeness)
            ties = (owners(owned), owners(clusters(self.rows, self.kin, likeness)))
            if timed:
                cut = by_time(self.rows, owned, ties, shares=self.shares, needs=self.needs, seed=self.seed)
                yield self._judged("time", likeness, cut.parts, whole, why=(WITHIN,) if cut.within else ())
            if "stratified" in rules:
                chain = max((len(unit.rows) for unit in whole if unit.groups > 1), default=0)
                chained = chain > min(self.shares.values()) * len(self.rows)
                found = _named(self._sides(whole, self.shares))
                yield self._judged("stratified", likeness, found, whole, off=(f"{chain} {CHAINED}",) if chained else ())
                if chained:
                    yield self._judged("stratified", likeness, self._parted(owned, ties), whole)

    def _sides(self, units: Sequence[Unit], shares: Mapping[Part, float]) -> Ints:
        placed = stratified(units, shares=shares, needs=self.needs, seed=self.seed)
        return np.array([PARTS.index(part) for part in placed], dtype=np.int64)[owners(units)]

    def _parted(self, units: Sequence[Unit], ties: Sequence[Ints]) -> tuple[Part | None, ...]:
        """Place groups, then take out the rows whose near duplicates stand mostly in another part.

        The parts lose unlike shares of their rows, so groups are placed again by shares that make up for it.
        """
        sides = self._sides(units, self.shares)
        kept = at_home(sides, ties)
        left = {part: kept[sides == PARTS.index(part)].sum() + 1 for part in self.shares}
        had = {part: (sides == PARTS.index(part)).sum() + 1 for part in self.shares}
        more = {part: float(share * had[part] / left[part]) for part, share in self.shares.items()}
        sides = self._sides(units, {part: share / sum(more.values()) for part, share in more.items()})
        return _named(sides, at_home(sides, ties))

    def _judged(
        self,
        rule: Rule,
        likeness: Likeness,
        parts: tuple[Part | None, ...],
        units: Sequence[Unit],
        *,
        off: tuple[str, ...] = (),
        why: tuple[str, ...] = (),
    ) -> Plan:
        sizes = {part: parts.count(part) for part in self.shares}
        kept = max(1, sum(sizes.values()))
        off += tuple(
            f"{part} has {sizes[part]} of {kept} rows, {share * kept:.0f} were asked for"
            for part, share in self.shares.items()
            if not abs(sizes[part] - share * kept) <= max(1.0, TOLERANCE * share * kept)
        )
        off += tuple(islice(self._missed(parts), SHOWN))
        far = max(abs(sizes[part] / kept - share) for part, share in self.shares.items())
        return Plan(rule, likeness, parts, tuple(self._short(parts, units, sizes)), off, far, why)

    def _missed(self, parts: Sequence[Part | None]) -> Iterator[str]:
        """Yield parts without a row of a label that has plenty."""
        counts = Counter(label for row in self.rows for label in row.labels)
        there = {(part, label) for part, row in zip(parts, self.rows, strict=True) for label in row.labels}
        for label, count in sorted(counts.items()):
            for part, share in self.shares.items():
                if share * count >= PLENTY and (part, label) not in there:
                    yield f"{part} has no row of {label}, of which there are {count}"

    def _short(
        self, parts: Sequence[Part | None], units: Sequence[Unit], sizes: Mapping[Part, int]
    ) -> Iterator[Problem]:
        there = {(part, label) for part, row in zip(parts, self.rows, strict=True) for label in row.labels}
        for label, wanted in self.needs.items():
            absent = [part for part in wanted if (part, label) not in there]
            if absent:
                found = sum(label in unit.labels for unit in units)
                more = max(len(absent), len(wanted) - found)
                yield Problem(
                    "data",
                    f"label {label}",
                    f"{len(wanted)} separate rows, one for each of {', '.join(wanted)}",
                    f"{found}: {more} more needed for {', '.join(absent)}",
                )
        if empty := [part for part, size in sizes.items() if not size]:
            expected = f"at least {len(sizes)} separate rows, one for each of {', '.join(sizes)}"
            yield Problem("data", "rows", expected, f"{len(units)}: none left for {', '.join(empty)}")


def _named(sides: Ints, kept: npt.NDArray[np.bool_] | None = None) -> tuple[Part | None, ...]:
    stays = np.ones(len(sides), dtype=bool) if kept is None else kept
    return tuple(PARTS[side] if stay else None for side, stay in zip(sides.tolist(), stays.tolist(), strict=True))
