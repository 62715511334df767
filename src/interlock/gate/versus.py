"""A receipt beside the router in service, on the same rows, every comparison paired. Knows no limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.core.receipt import Receipt
from interlock.gate.derive import CHAMPION, Derived, IntArray
from interlock.measure.compare import accuracy_difference
from interlock.measure.cost import cost_ratio
from interlock.measure.f1_difference import macro_f1_difference

RARE = 0.1  # share of the labels, those with the fewest rows, that count as rare
VS = "_vs_champion"


@dataclass(frozen=True)
class Versus:
    """Two routers' most probable labels for the single-label rows. All arrays (n,)."""

    mine: IntArray
    theirs: IntArray
    gold: IntArray
    derived: Derived
    level: float

    @property
    def k(self) -> int:
        """How many labels there are."""
        return len(self.derived.contract.labels)

    def accuracy(self, rows: npt.NDArray[np.bool_] | None = None) -> Measurement:
        """Return accuracy minus the champion's, on some ``rows`` or on all."""
        kept = np.ones(self.gold.size, dtype=bool) if rows is None else rows
        return accuracy_difference((self.mine == self.gold)[kept], (self.theirs == self.gold)[kept], level=self.level)

    def cost(self) -> Measurement:
        """Return the cost of all messages divided by the champion's."""
        return cost_ratio(self.mine, self.theirs, self.gold, matrix=self.derived.cost_matrix, level=self.level)

    def macro_f1(self) -> Measurement:
        """Return macro-F1 minus the champion's."""
        return macro_f1_difference(self.mine, self.theirs, self.gold, k=self.k, level=self.level)[0]

    def rare(self) -> npt.NDArray[np.bool_]:
        """Return which rows are of the rarest tenth of the labels that have any row, at least one label."""
        counts = Counter(self.gold.tolist())
        order = sorted(counts, key=lambda column: (counts[column], column))
        return np.isin(self.gold, order[: max(1, round(RARE * self.k))])

    def critical(self) -> npt.NDArray[np.bool_]:
        """Return which rows are of a critical label."""
        return np.isin(self.gold, [self.derived.contract.index[label] for label in self.derived.contract.critical])

    def of(self, label: str) -> npt.NDArray[np.bool_]:
        """Return which rows are of ``label``."""
        return np.asarray(self.gold == self.derived.contract.index[label])


COMPARISONS: Mapping[str, Callable[[Versus], Measurement]] = {
    "accuracy_vs_champion": Versus.accuracy,
    "cost_vs_champion": Versus.cost,
    "macro_f1_vs_champion": Versus.macro_f1,
    "rare_recall_vs_champion": lambda pair: pair.accuracy(pair.rare()),
    "critical_recall_vs_champion": lambda pair: pair.accuracy(pair.critical()),
}


def against_champion(
    derived: Derived, champion: Receipt | None, *, wanted: Collection[str], level: float
) -> dict[str, Measurement]:
    """Return the comparisons called ``wanted``; unmeasured when there is nobody to compare with on the same rows."""
    names = [name for name in wanted if VS in name]
    if not names:
        return {}
    found, who = _champion_columns(derived, champion)
    if found is None:
        return {name: unmeasured(name) for name in names}
    single = derived.single
    pair = Versus(derived.top[single], found[single], derived.gold[single], derived, level)
    out = {}
    for name in names:
        metric, _, label = name.partition(".")
        made = pair.accuracy(pair.of(label)) if label else COMPARISONS[metric](pair)
        out[name] = Measurement.from_json({**made.to_json(), "name": name, "slice": f"champion={who}"})
    return out


def _champion_columns(derived: Derived, champion: Receipt | None) -> tuple[IntArray | None, str]:
    if champion is not None:
        other = Derived(champion)
        same_rows = [row.id for row in champion.rows] == [row.id for row in derived.receipt.rows]
        same_gold = [row.labels for row in champion.rows] == [row.labels for row in derived.receipt.rows]
        same_labels = other.contract.label_names == derived.contract.label_names
        return (other.top if same_rows and same_gold and same_labels else None), champion.name
    if CHAMPION in derived.receipt.predicted:
        return derived.columns_of(CHAMPION), CHAMPION
    if not derived.baselines:
        return None, ""
    best = max(
        derived.baselines, key=lambda name: float((derived.columns_of(name) == derived.gold)[derived.single].mean())
    )
    return derived.columns_of(best), best
