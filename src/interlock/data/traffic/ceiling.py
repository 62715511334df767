"""How good any router could get on simulated rows, worked out from their hidden truth. Knows no model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

REASONS = ("label_noise", "ambiguity", "context_missing", "out_of_taxonomy", "secondary_label", "unreadable")


def ceiling(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the accuracy of a router that always answers as the most reasonable annotator would.

    The router knows the true primary intent of every message that has one. Where none has - outside the taxonomy, or a
    turn that makes sense only in its conversation - it gives the label most of these rows were given. What it still
    gets wrong is nobody's fault but the label's, and is counted by reason.

    Returns:
        ``accuracy`` (0 to 1), ``rows``, and ``lost``: the share of rows lost for each reason.
    """
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    lost: Counter[str] = Counter()
    total = 0
    for row in rows:
        total += 1
        kind = _unknowable(row["truth"])
        if kind:
            groups[kind][row["label"]] += 1
        elif row["label"] != row["truth"]["labels"][0]:
            lost[_reason(row)] += 1
    for kind, given in groups.items():
        reason = "context_missing" if kind == "context" else "unreadable" if kind == "broken" else "out_of_taxonomy"
        lost[reason] += given.total() - max(given.values())
    shares = {reason: lost[reason] / total if total else 0.0 for reason in REASONS}
    return {"accuracy": 1.0 - sum(shares.values()), "rows": total, "lost": shares}


def _unknowable(truth: Mapping[str, Any]) -> str:
    """Return the group within which only the commonest label can be guessed; empty when the intent can be read."""
    hard = truth["hard"]
    if "broken_upstream" in hard:
        return "broken"
    if not truth["labels"]:
        return str(hard[1])
    return "context" if "follow_up" in hard and "ambiguous" in hard else ""


def _reason(row: Mapping[str, Any]) -> str:
    truth = row["truth"]
    if truth["label_wrong"]:
        return "label_noise"
    return "ambiguity" if "ambiguous" in truth["hard"] else "secondary_label"
