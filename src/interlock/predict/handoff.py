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
    return admits(body.get("bundle_digest"), body.get("route"), body.get("outcome"), bundle=bundle, route=route)


def admits(made_by: Any, sent_to: Any, outcome: Any, *, bundle: str, route: str) -> bool:
    """Whether a decision of the bundle ``made_by``, sent to ``sent_to``, is for the agent behind ``route``."""
    if not (isinstance(made_by, str) and isinstance(sent_to, str) and isinstance(outcome, str) and bundle and route):
        return False
    return made_by == bundle and sent_to == route and outcome in ADMITTED
