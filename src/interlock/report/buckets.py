"""Stated confidence against accuracy in a few bands, raw beside calibrated. Knows no pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from interlock.core.contract import Bands
from interlock.measure.arrays import ArrayLike
from interlock.measure.reliability import BANDS, Bucket, confidence_buckets
from interlock.report.view import View, finite


@dataclass(frozen=True, slots=True)
class Band:
    """One band of confidence; raw and calibrated confidences put different rows into it."""

    name: str
    raw: Bucket | None
    calibrated: Bucket

    def to_json(self) -> dict[str, Any]:
        """Return the band as ``--json`` prints it."""
        sides = {"raw": self.raw, "calibrated": self.calibrated}
        said = {side: _side(bucket) for side, bucket in sides.items() if bucket is not None}
        return {"band": self.name, "low": self.calibrated.low, "high": self.calibrated.high, **said}


def bands(
    raw: ArrayLike | None, calibrated: ArrayLike, correct: ArrayLike, *, edges: Sequence[float] = BANDS
) -> list[Band]:
    """Return count, mean confidence and accuracy of each band between ``edges``, the highest band first."""
    inner = [f"{low:.2f}-{high:.2f}" for low, high in pairwise(edges)]
    names = [f"<{edges[0]:.2f}", *inner, f">={edges[-1]:.2f}"]
    after = confidence_buckets(calibrated, correct, edges=edges)
    before = confidence_buckets(raw, correct, edges=edges) if raw is not None else [None] * len(after)
    return [Band(*found) for found in zip(names, before, after, strict=True)][::-1]


def policy_bands(view: View) -> list[Band]:
    """Return the bands of the contract's own policy; none under a threshold policy."""
    policy = view.contract.decide
    if not isinstance(policy, Bands):
        return []
    edges = sorted({bound for bound in view.marks.values() if 0 < bound < 1})
    return bands(view.raw_confidence, view.confidence, view.correct, edges=edges) if edges else []


def _side(bucket: Bucket) -> dict[str, Any]:
    return {"n": bucket.n, "confidence": finite(bucket.confidence), "accuracy": bucket.accuracy.to_json()}
