"""An opened bundle as the server knows it: its digest, its name, and where its failures go. Knows no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from interlock.core.decision import Decision, Outcome, Reason


@dataclass(frozen=True, slots=True)
class Router:
    """One bundle that every worker holds."""

    digest: str
    name: str
    signed: str  # by whom; "none" when no trust root was asked
    labels: dict[str, str]  # label -> route
    failure: str  # where a message goes that cannot be decided
    uncertain: str
    max_chars: int

    @classmethod
    def of(cls, body: dict[str, Any]) -> Router:
        """Read what a worker says of a bundle it opened."""
        return cls(**body)

    def failed(self, reason: Reason) -> Decision:
        """Return the failure fallback."""
        return Decision(outcome=Outcome.UNAVAILABLE, route=self.failure, reason=reason, bundle_digest=self.digest)
