"""Training rows whose label is likely wrong, dropped or weighed down. Knows no training."""

from __future__ import annotations

from dataclasses import replace

from interlock.core.contract import Contract
from interlock.core.dataset import Example, Split, TrainSet
from interlock.core.progress import Watch
from interlock.data.audit.checks import label_noise
from interlock.data.audit.subject import Subject


def weigh_suspects(split: Split, contract: Contract, *, weight: float, watch: Watch) -> Split:
    """Return the split with the training rows that the audit's ``label.noise`` flags at ``weight`` times their weight.

    At 0 they are dropped, but for the last row of a label. Calibration and test rows are never touched: what is
    measured stays what came.
    """
    if weight == 1:
        return split
    finding = next(label_noise.check(Subject.of({"train": split.train}, contract=contract)), None)
    flagged = set(finding.rows[: finding.count]) if finding is not None else set()
    watch({"event": "note", "note": f"{len(flagged)} training rows with a likely wrong label count {weight:g}"})
    left = split.train.counts()
    kept: list[Example] = []
    for row in split.train:
        if row.id not in flagged:
            kept.append(row)
        elif weight > 0 or min(left[label] for label in row.labels) == 1:
            kept.append(replace(row, weight=row.weight * (weight or 1.0)))
        else:
            left.subtract(row.labels)
    return replace(split, train=TrainSet(tuple(kept)))
