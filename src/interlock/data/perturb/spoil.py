"""Training rows spoilt on purpose: wrong labels, rare rows missing. Knows no model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from interlock.core.dataset import TrainSet


def flip_labels(train: TrainSet, *, labels: Sequence[str], share: float, seed: int) -> tuple[TrainSet, frozenset[str]]:
    """Return the rows with ``share`` of the labels replaced by another, uniformly, and the ids of those rows.

    Rows with several labels and the last row of a label are left alone.
    """
    rng = random.Random(seed)
    left = train.counts()
    able = [row for row in train if len(row.labels) == 1]
    flipped: dict[str, str] = {}
    for row in rng.sample(able, len(able)):
        if len(flipped) == round(share * len(train)):
            break
        if left[row.label] > 1:
            left[row.label] -= 1
            flipped[row.id] = rng.choice([label for label in labels if label != row.label])
    rows = tuple(replace(row, labels=(flipped[row.id],)) if row.id in flipped else row for row in train)
    return TrainSet(rows), frozenset(flipped)


def drop_rows(train: TrainSet, *, label: str, share: float, seed: int) -> TrainSet:
    """Return the rows without ``share`` of those of ``label``, at least one of which stays."""
    own = [row.id for row in train if label in row.labels]
    count = min(max(1, round(share * len(own))), len(own) - 1)
    out = set(random.Random(seed).sample(own, max(count, 0)))
    return TrainSet(tuple(row for row in train if row.id not in out))
