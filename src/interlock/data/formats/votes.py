"""What several annotators said of a row, as the fields of a row. Knows no tool."""

from __future__ import annotations

from collections import Counter
from typing import Any

from interlock.data.formats.row import Asked, Row, labelled

Answer = tuple[str | None, tuple[str, ...]]  # (annotator, the labels they gave)


def settled(answers: list[Answer], asked: Asked) -> dict[str, Any]:
    """Return the fields that hold ``answers``: ``annotations`` where they fit, else the labels given most often.

    One label each from people with names fit into ``annotations``, and the majority is then the reader's to find.
    A tie between lists of labels gives no label at all.
    """
    named = {annotator: labels for annotator, labels in answers if annotator is not None}
    if len(named) == len(answers) and all(len(labels) == 1 for labels in named.values()):
        return {"annotations": {annotator: labels[0] for annotator, labels in named.items()}} if named else {}
    counts = Counter(labels for _, labels in answers).most_common(2)
    asked.skipped["annotator of a row with several labels, or without a name"] += (
        len(answers) if len(answers) > 1 else 0
    )
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        asked.skipped["tie between lists of labels"] += 1
        return {}
    return labelled(list(counts[0][0]))


def decided_by_vote(row: Row) -> bool:
    """Say whether the label of ``row`` is the one that its annotations alone would give."""
    counts = Counter(row.get("annotations", {}).values()).most_common(2)
    first = counts and (len(counts) == 1 or counts[0][1] > counts[1][1])
    return bool(first) and row.get("label") == counts[0][0]
