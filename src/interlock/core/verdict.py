"""The three answers a rule can give, and what they add up to. Knows no rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from interlock.core.measurement import Measurement

ELIGIBLE, HOLD = "eligible_for_shadow", "hold"


class Status(StrEnum):
    """Only ``pass`` moves anything."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says."""

    limit: str  # the rule's name in the contract
    status: Status
    reason: str  # code:detail
    evidence: Measurement | None = None
    rule: str = ""  # the rule in words
    rows_needed: int | None = None  # how many more labelled rows would settle it, where that can be said
    parts: tuple[Verdict, ...] = ()  # what the rules of a group say

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        out: dict[str, Any] = {
            "limit": self.limit,
            "status": self.status.value,
            "reason": self.reason,
            "rule": self.rule,
            "evidence": self.evidence.to_json() if self.evidence else None,
        }
        if self.rows_needed is not None:
            out["rows_needed"] = self.rows_needed
        if self.parts:
            out["parts"] = [part.to_json() for part in self.parts]
        return out


@dataclass(frozen=True)
class Judgement:
    """What all rules say together."""

    verdicts: tuple[Verdict, ...]
    refusals: tuple[str, ...] = ()  # reasons why the evidence itself does not count; then no limit was looked at
    measurements: dict[str, Measurement] = field(default_factory=dict)  # recomputed from the rows

    @property
    def eligible(self) -> bool:
        """Whether every rule passes, at least one exists, and the evidence counts."""
        return not self.refusals and bool(self.verdicts) and all(v.status is Status.PASS for v in self.verdicts)

    @property
    def verdict(self) -> str:
        """``eligible_for_shadow`` or ``hold``."""
        return ELIGIBLE if self.eligible else HOLD

    @property
    def reasons(self) -> list[str]:
        """Every reason to hold, or the one reason to go on."""
        if self.eligible:
            return ["exact_receipt_pass"]
        held = [verdict.reason for verdict in self.verdicts if verdict.status is not Status.PASS]
        return [*self.refusals, *held] or ["no_limits:nothing was judged"]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"verdict": self.verdict, "reasons": self.reasons, "verdicts": [v.to_json() for v in self.verdicts]}
