"""What a downstream agent accepts: its pinned bundle's allowed route, and nothing else. Knows no keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock.core.decision import Decision, Outcome

ADMITTED = frozenset({Outcome.ROUTED.value, Outcome.GUARDED.value})


def admit(decision: Decision | Mapping[str, Any], *, bundle: str, route: str) -> bool:
    """Whether an agent may act on ``decision``.

    Args:
        decision: a Decision, or its JSON form.
        bundle: the digest of the one bundle the agent trusts.
        route: the one route that leads to the agent.

    Returns:
        True only when the decision names exactly this bundle and this route, and the router made it itself: a fallback
        that happens to share the route is not an admission. Anything missing or of another type is False.
    """
    body = decision.to_json() if isinstance(decision, Decision) else decision
    if not bundle or not route:
        return False
    return body.get("bundle_digest") == bundle and body.get("route") == route and body.get("outcome") in ADMITTED
