"""Everything that labelled rows say of a router: measurements, tables, pictures. Knows no files and no terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from interlock.core.dataset import Dataset
from interlock.core.limits import Limit
from interlock.core.measurement import Measurement
from interlock.gate.derive import Derived
from interlock.measure.confusion import confusion_matrix
from interlock.measure.drift import Drift, label_drift
from interlock.measure.plots.confusion import confusion_picture
from interlock.measure.plots.drift import drift_picture
from interlock.measure.plots.forest import forest_picture
from interlock.measure.plots.histogram import confidence_picture
from interlock.measure.plots.reliability import reliability_picture
from interlock.measure.plots.style import Picture
from interlock.measure.plots.tradeoff import tradeoff_picture
from interlock.measure.reliability import reliability
from interlock.report.buckets import Band, bands, policy_bands
from interlock.report.confusion import Confusion, confusion
from interlock.report.costs import Costs, costs
from interlock.report.slices import Slices, slices
from interlock.report.thresholds import Point, thresholds
from interlock.report.view import View

MONTH = len("2025-01")
BINS = 10  # of the reliability diagram


@dataclass(frozen=True)
class Evaluation:
    """A router on labelled rows."""

    measurements: dict[str, Measurement]
    view: View
    confusion: Confusion
    slices: Slices
    buckets: list[Band]
    policy_buckets: list[Band]
    costs: Costs
    thresholds: list[Point]

    @classmethod
    def of(cls, derived: Derived, rows: Dataset, found: dict[str, Measurement]) -> Evaluation:
        """Make every table of a receipt's rows.

        Args:
            derived: the receipt.
            rows: the same rows with their texts, in the same order.
            found: what was measured on them.
        """
        view = View(derived, rows.examples)
        return cls(
            measurements=found,
            view=view,
            confusion=confusion(view),
            slices=slices(view),
            buckets=bands(view.raw_confidence, view.confidence, view.correct),
            policy_buckets=policy_bands(view),
            costs=costs(view),
            thresholds=thresholds(view),
        )

    @cached_property
    def drift(self) -> dict[str, Drift]:
        """How far each month's decided labels are from those of the month before; empty without months."""
        return label_shifts(self.view)

    def to_json(self, *, texts: bool) -> dict[str, Any]:
        """Return all of it; ``texts`` adds masked texts to the ids of confused rows."""
        return {
            "measurements": {name: found.to_json() for name, found in self.measurements.items()},
            "confusion": self.confusion.to_json(texts=texts),
            "slices": self.slices.to_json(),
            "buckets": [band.to_json() for band in self.buckets],
            "policy_buckets": [band.to_json() for band in self.policy_buckets],
            "cost": self.costs.to_json(),
            "thresholds": [point.to_json() for point in self.thresholds],
        }

    def pictures(self) -> dict[str, Picture]:
        """Return name -> picture."""
        found = row_pictures(self.view, self.measurements)
        unit = "dollars of 1,000 messages"
        found["thresholds"] = tradeoff_picture(self.thresholds, at=self.view.marks, unit=unit)
        return found | ({"drift": drift_picture(self.drift)} if self.drift else {})


def row_pictures(view: View, found: Mapping[str, Measurement]) -> dict[str, Picture]:
    """Return the pictures of confidence and of labels."""
    said = {"raw": view.raw_confidence, "calibrated": view.confidence}
    panels = {name: reliability(c, view.correct, bins=BINS) for name, c in said.items() if c is not None}
    sides = {"right": view.confidence[view.correct], "wrong": view.confidence[~view.correct]}
    names = view.contract.label_names
    return {
        "reliability": reliability_picture(panels),
        "confidence": confidence_picture(sides, at=view.marks, log=True),
        "confusion": confusion_picture(confusion_matrix(view.top, view.gold, k=len(names)), names),
        "recall": forest_picture(
            {name: found[f"recall.{name}"] for name in names},
            floors=_floors(view),
            overall=found["accuracy"].value if found["accuracy"].known else None,
        ),
    }


def label_shifts(view: View) -> dict[str, Drift]:
    """Return each month's drift of the decided labels from the month before."""
    labels = view.contract.label_names
    months: dict[str, Counter[int]] = {}
    for row, column in zip(view.rows, view.top.tolist(), strict=True):
        if row.timestamp is not None:
            months.setdefault(row.timestamp[:MONTH], Counter())[column] += 1
    counts = {month: [months[month][column] for column in range(len(labels))] for month in sorted(months)}
    return {now: label_drift(counts[before], counts[now]) for before, now in pairwise(counts)}


def _floors(view: View) -> dict[str, float]:
    """Return the least recall of each label that the contract asks for."""
    asked = dict(view.contract.slices.critical_min_recall)
    for name, limit in view.contract.limits.items():
        metric, _, label = name.partition(".")
        if isinstance(limit, Limit) and metric == "recall" and limit.at_least is not None:
            asked[label] = max(limit.at_least, asked.get(label, 0.0))
    return asked
