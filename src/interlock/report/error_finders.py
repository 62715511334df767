"""Which score tells a model's errors from what it gets right, beside its plain confidence. Knows no models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interlock.core.measurement import Measurement
from interlock.measure.arrays import ArrayLike, checked_flags, checked_values
from interlock.measure.finding import auroc_difference
from interlock.measure.unknown import auroc

BASELINE = "confidence"


@dataclass(frozen=True)
class ErrorFinders:
    """The area under the ROC curve of each score, and its difference from plain confidence on the same rows."""

    n: int
    errors: int
    passes: int
    scores: Mapping[str, Measurement]
    differences: Mapping[str, tuple[Measurement, float]]  # score -> paired difference, p

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "n": self.n,
            "errors": self.errors,
            "passes": self.passes,
            "scores": {name: found.to_json() for name, found in self.scores.items()},
            "differences": {name: {**found.to_json(), "p": p} for name, (found, p) in self.differences.items()},
        }

    def cells(self) -> list[tuple[str, ...]]:
        """Return a heading and one line a score."""
        lines: list[tuple[str, ...]] = [("score", "AUROC", "95 % interval", "beside confidence", "p")]
        for name, found in self.scores.items():
            cells = (name, f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}")
            if name in self.differences:
                one, p = self.differences[name]
                lines.append((*cells, f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})", f"{p:.3g}"))
            else:
                lines.append((*cells, "", ""))
        return lines


def error_finders(scores: Mapping[str, ArrayLike], wrong: ArrayLike, *, passes: int) -> ErrorFinders:
    """Compare ``scores`` (n,), high where an error is likely, with the one called ``confidence``.

    Args:
        scores: score -> values, ``confidence`` among them.
        wrong: (n,) true where the model is wrong.
        passes: that the scores were taken from.
    """
    values = {name: checked_values(found, name=name) for name, found in scores.items()}
    flags = checked_flags(wrong, name="wrong", shape=values[BASELINE].shape)
    return ErrorFinders(
        n=len(flags),
        errors=int(flags.sum()),
        passes=passes,
        scores={name: auroc(found[~flags], found[flags], name=f"error_auroc.{name}") for name, found in values.items()},
        differences={
            name: auroc_difference(found, values[BASELINE], flags) for name, found in values.items() if name != BASELINE
        },
    )
