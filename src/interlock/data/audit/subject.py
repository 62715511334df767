"""The rows under audit and what several checks derive from them, each worked out once. Knows no finding's code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from interlock.core.contract import Contract
from interlock.core.dataset import PARTS, Example, Part
from interlock.data.audit.learner import HeldOut, TextSpace, held_out
from interlock.data.audit.mask import masked
from interlock.data.near import NearTexts, loose_key, near_texts

EXAMPLES = 3


@dataclass(frozen=True)
class Subject:
    """Rows in an order of their own, so that findings do not depend on the order of the file."""

    contract: Contract
    rows: tuple[Example, ...]
    parts: tuple[Part, ...]  # of each row; every row is a train row when nothing says otherwise
    tokenizer: Path | None = None

    @classmethod
    def of(
        cls, rows: Mapping[Part, Iterable[Example]], *, contract: Contract, tokenizer: Path | None = None
    ) -> Subject:
        """Put the rows of each part into order."""
        pairs = sorted(
            ((row, part) for part, some in rows.items() for row in some),
            key=lambda pair: (PARTS.index(pair[1]), pair[0].id, pair[0].text),
        )
        return cls(contract, tuple(row for row, _ in pairs), tuple(part for _, part in pairs), tokenizer)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Every row's text without case, spacing, punctuation and what cannot be seen."""
        return tuple(loose_key(row.text) for row in self.rows)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Key -> the rows that have it."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, key in enumerate(self.keys):
            found[key].append(at)
        return dict(found)

    @cached_property
    def repeats(self) -> tuple[list[int], ...]:
        """Rows that share a key, the largest family first."""
        return tuple(sorted((rows for rows in self.places.values() if len(rows) > 1), key=lambda r: (-len(r), r[0])))

    @cached_property
    def near(self) -> NearTexts:
        """Pairs of different keys that are nearly the same text."""
        return near_texts(list(self.places))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels that rows carry first, in the contract's order."""
        seen = {row.label for row in self.rows}
        return tuple(label for label in self.contract.label_names if label in seen)

    @cached_property
    def counts(self) -> Counter[str]:
        """How many training rows carry each label."""
        return Counter(
            label for row, part in zip(self.rows, self.parts, strict=True) if part == "train" for label in row.labels
        )

    @cached_property
    def space(self) -> TextSpace:
        """Every text as a point."""
        return TextSpace.of([row.text for row in self.rows])

    @cached_property
    def held_out(self) -> HeldOut:
        """What a linear model that never saw a row says of it."""
        column = {label: at for at, label in enumerate(self.labels)}
        given = [column[row.label] if len(row.labels) == 1 else -1 for row in self.rows]
        return held_out(self.space.points, given, keys=self.keys, labels=self.labels)

    def ids(self, at: Iterable[int]) -> tuple[str, ...]:
        """Return the ids of rows."""
        return tuple(self.rows[i].id for i in at)

    def show(self, at: Sequence[int], *, notes: Sequence[str] = (), count: int = EXAMPLES) -> tuple[str, ...]:
        """Return the first few rows as a person may read them, masked, each with its note."""
        lines = []
        for place, i in enumerate(at[:count]):
            row = self.rows[i]
            note = f" ({notes[place]})" if place < len(notes) else ""
            lines.append(f"{row.id} [{'|'.join(row.labels)}] {masked(row.text)}{note}")
        return tuple(lines)
