"""Accuracy of every part of the rows that their fields tell apart. Knows no pictures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from interlock.measure.confusion import Slice, SliceTable, banded, by_slice
from interlock.measure.multiplicity import simultaneous_level
from interlock.report.view import View

LENGTHS = (20, 40, 80, 160)  # characters: last of each band but the longest
GROUPS = (1, 3, 10)  # rows of one group


@dataclass(frozen=True, slots=True)
class Slices:
    """A table a field. All intervals of all tables hold together at 95 %, so the worst slice's is honest too."""

    tables: dict[str, SliceTable]

    @property
    def worst(self) -> Slice | None:
        """The least accurate slice of all tables, the larger of equals."""
        found = [table.worst for table in self.tables.values() if table.worst is not None]
        return min(found, key=lambda one: (one.accuracy.value, -one.accuracy.n), default=None)

    @property
    def proven(self) -> list[Slice]:
        """The slices that are less accurate than the other rows, not by chance; the worst first."""
        found = [one for table in self.tables.values() for one in table.proven]
        return sorted(found, key=lambda one: one.accuracy.value)

    def to_json(self) -> dict[str, Any]:
        """Return every slice by field, the worst one, and the names of those proven worse than the rest."""
        tables = {field: [_line(one) for one in table.slices] for field, table in self.tables.items()}
        worst = _line(self.worst) if self.worst is not None else None
        return {"fields": tables, "worst": worst, "proven": [one.accuracy.slice for one in self.proven]}


def slices(view: View) -> Slices:
    """Return accuracy by label, language, length, source, slice and size of group, as far as the rows tell them."""
    rows, groups = view.rows, Counter(row.group for row in view.rows)
    columns: dict[str, list[str]] = {
        "label": [row.label for row in rows],
        "lang": [row.lang or "" for row in rows],
        "characters": banded([len(row.text) for row in rows], edges=LENGTHS),
        "source": [row.source for row in rows],
        "slice": [row.slice or "" for row in rows],
        "group_rows": banded([groups[row.group] for row in rows], edges=GROUPS) if any(groups) else [],
    }
    told = {field: values for field, values in columns.items() if any(values)}
    level = simultaneous_level(max(len(told), 1))
    return Slices({field: by_slice(view.correct, values, field=field, level=level) for field, values in told.items()})


def _line(found: Slice) -> dict[str, Any]:
    return {**found.accuracy.to_json(), "p": found.p}
