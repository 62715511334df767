"""A number that can be trusted: its value, how many rows it rests on, and its interval. Knows no formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured quantity.

    ``value``, ``low`` and ``high`` share the unit the name states (``_ms``, ``_usd``; a plain name is a share in 0-1).
    A quantity that could not be measured has NaN there and says so with its ``n``; NaN becomes ``null`` in JSON and
    never satisfies a limit.
    """

    name: str
    value: float
    n: int  # rows (or events) the value rests on
    low: float
    high: float
    level: float = 0.95  # confidence level of [low, high]
    method: str = "none"  # how the interval was made: wilson, bootstrap_percentile, order_statistic, ...
    slice: str | None = None  # "field=value" when only part of the rows was measured

    @property
    def known(self) -> bool:
        """Whether the value and both bounds are finite."""
        return math.isfinite(self.value) and math.isfinite(self.low) and math.isfinite(self.high)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; NaN and infinities become null."""
        out: dict[str, Any] = {
            "name": self.name,
            "value": _finite(self.value),
            "n": self.n,
            "low": _finite(self.low),
            "high": _finite(self.high),
            "level": self.level,
            "method": self.method,
        }
        if self.slice is not None:
            out["slice"] = self.slice
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Measurement:
        """Read the form ``to_json`` writes; null becomes NaN."""
        number = {key: math.nan if data[key] is None else float(data[key]) for key in ("value", "low", "high")}
        return cls(
            name=data["name"],
            n=int(data["n"]),
            level=float(data["level"]),
            method=data["method"],
            slice=data.get("slice"),
            **number,
        )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def unmeasured(name: str, *, n: int = 0, slice: str | None = None) -> Measurement:  # noqa: A002 - the noun's own word
    """Return the measurement of something that could not be measured: NaN, which passes no limit."""
    return Measurement(name=name, value=math.nan, n=n, low=math.nan, high=math.nan, method="none", slice=slice)
