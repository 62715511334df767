"""The pairs of labels that are confused most, what they cost, and a few of their rows. Knows no pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from interlock.data.audit.mask import masked
from interlock.measure.confusion import ConfusedPair, confused_pairs
from interlock.report.view import View, finite

LISTED = 20  # pairs listed
EXAMPLES = 3  # rows of a pair shown
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Confusion:
    """All errors, by pair of labels."""

    rows: int
    errors: int
    pairs: tuple[ConfusedPair, ...]  # most frequent first
    examples: dict[tuple[str, str], dict[str, str]]  # of the listed pairs: id -> masked text, the surest errors first

    @property
    def half(self) -> int:
        """How many pairs make half of all errors."""
        return next((place for place, pair in enumerate(self.pairs, start=1) if pair.cumulative >= HALF), 0)

    def to_json(self, *, texts: bool) -> dict[str, Any]:
        """Return the table; ``texts`` adds the masked texts to the ids."""
        listed = []
        for pair in self.pairs[:LISTED]:
            seen = self.examples[pair.gold, pair.predicted]
            figures = {"severity": finite(pair.severity), "cost": finite(pair.cost), "cumulative": pair.cumulative}
            named = {"gold": pair.gold, "predicted": pair.predicted, "count": pair.count}
            share = pair.share.to_json()
            listed.append({**named, "share": share, **figures, "examples": seen if texts else list(seen)})
        pairs = len(self.pairs)
        return {"rows": self.rows, "errors": self.errors, "pairs": pairs, "pairs_of_half": self.half, "most": listed}


def confusion(view: View) -> Confusion:
    """Return the confused pairs of the most probable labels, with the contract's costs."""
    names = view.contract.label_names
    found = confused_pairs(view.top, view.gold, labels=names, costs=view.derived.cost_matrix)
    index = view.contract.index
    examples = {}
    for pair in found[:LISTED]:
        rows = np.flatnonzero((view.gold == index[pair.gold]) & (view.top == index[pair.predicted]))
        surest = rows[np.argsort(-view.confidence[rows], kind="stable")][:EXAMPLES]
        examples[pair.gold, pair.predicted] = {view.rows[at].id: masked(view.rows[at].text) for at in surest}
    return Confusion(len(view.rows), int((~view.correct).sum()), tuple(found), examples)
