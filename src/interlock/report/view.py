"""The rows of a receipt with one label each, as a table's columns. Knows no tables and no files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from interlock.core.contract import Bands, Contract
from interlock.core.dataset import Example
from interlock.gate.derive import Derived
from interlock.predict.calibrators import Temperature

Floats = npt.NDArray[np.float64]
Columns = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """n rows with one label each; rows with several are measured as sets only and left out here."""

    derived: Derived
    examples: tuple[Example, ...]  # the receipt's rows with their texts, in its order

    @property
    def contract(self) -> Contract:
        """The contract the rows were decided by."""
        return self.derived.contract

    @cached_property
    def rows(self) -> list[Example]:
        """The n rows."""
        return [row for row, single in zip(self.examples, self.derived.single, strict=True) if single]

    @cached_property
    def gold(self) -> Columns:
        """Column of each row's label, (n,)."""
        return self.derived.gold[self.derived.single]

    @cached_property
    def top(self) -> Columns:
        """Column of the most probable label, (n,)."""
        return self.derived.top[self.derived.single]

    @cached_property
    def correct(self) -> Flags:
        """Whether the most probable label is right, (n,)."""
        return np.asarray(self.top == self.gold)

    @cached_property
    def probabilities(self) -> Floats:
        """Calibrated probabilities, (n, k)."""
        return self.derived.probabilities[self.derived.single]

    @cached_property
    def confidence(self) -> Floats:
        """Calibrated probability of the most probable label, (n,)."""
        return np.asarray(self.probabilities.max(axis=1), dtype=np.float64)

    @cached_property
    def raw_confidence(self) -> Floats | None:
        """The same as the model states it, before any calibrator, (n,); None where a receipt holds scores only."""
        logits = self.derived.receipt.logits
        if logits is None:
            return None
        plain = np.asarray(Temperature(1.0).probabilities(logits.array[self.derived.single]), dtype=np.float64)
        return np.asarray(plain[np.arange(len(plain)), self.top])

    @cached_property
    def misrouted(self) -> Flags:
        """Whether the policy sends a row to a label's route that is not its own, (n,)."""
        routes = [label.route for label in self.contract.labels.values()]
        decisions = [d for d, single in zip(self.derived.decisions, self.derived.single, strict=True) if single]
        wrong = [decision.route != routes[gold] for decision, gold in zip(decisions, self.gold, strict=True)]
        return np.array(wrong, dtype=bool) & self.accepted

    def astray(self, columns: Columns) -> Flags:
        """Return whether the labels of ``(n,)`` columns route each row elsewhere than its own label does."""
        routes = np.array([label.route for label in self.contract.labels.values()], dtype=object)
        return np.asarray(routes[columns] != routes[self.gold], dtype=bool)

    @cached_property
    def accepted(self) -> Flags:
        """Whether the router sends a row to a label's route itself, (n,)."""
        return self.derived.accepted[self.derived.single]

    @property
    def marks(self) -> dict[str, float]:
        """The bounds of the contract's policy, by name."""
        policy = self.contract.decide
        if isinstance(policy, Bands):
            return {"guarded": policy.guarded.confidence, "auto": policy.auto.confidence}
        return {"threshold": policy.threshold}


def finite(value: float) -> float | None:
    """Return a number as JSON may hold it."""
    return float(value) if math.isfinite(value) else None
