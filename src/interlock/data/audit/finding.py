"""What one check found: which rows, how serious, what to do. Knows no check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["reject", "warn", "note"]
SEVERITIES: tuple[Severity, ...] = ("reject", "warn", "note")  # most serious first


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know about the data; every text in it is masked already."""

    code: str
    severity: Severity
    count: int  # what was found: rows, or labels, groups, tokens where the code is about those
    action: str
    rows: tuple[str, ...] = ()  # ids, the clearest case first; all of them
    examples: tuple[str, ...] = ()
    suggestion: str | None = None
    suggestions: Mapping[str, str] = field(default_factory=dict)  # id -> label
    keep: Mapping[str, str] = field(default_factory=dict)  # id of a copy -> id of the row to keep
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the code has its two parts."""
        if self.code.count(".") != 1 or self.severity not in SEVERITIES or self.count < 0:
            raise ValueError(f"not a finding: {self.code!r}, {self.severity!r}, {self.count}")

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; what is empty is left out, except the rows."""
        out: dict[str, Any] = {
            "code": self.code,
            "severity": self.severity,
            "count": self.count,
            "rows": list(self.rows),
            "action": self.action,
            "examples": list(self.examples),
        }
        if self.suggestion is not None:
            out["suggestion"] = self.suggestion
        for name in ("suggestions", "keep", "numbers"):
            if value := getattr(self, name):
                out[name] = dict(value)
        return out
