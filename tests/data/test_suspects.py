"""Rows whose label is likely wrong are dropped or weighed down, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

from interlock.core.contract import Contract, Label
from interlock.core.dataset import CalibrationSet, Example, Split, SplitManifest, TestSet, TrainSet
from interlock.core.progress import unwatched
from interlock.data.suspects import weigh_suspects

WORDS = {"order": "track my parcel please", "refund": "give my money back now", "hello": "good morning dear friend"}
CONTRACT = Contract(contract=1, name="shop", label_version="v1", labels={name: Label(route=name) for name in WORDS})
TRAIN = TrainSet(
    tuple(
        Example(f"{label}{i}", f"{words} {i} {i * 7 % 13}", (label,))
        for label, words in WORDS.items()
        for i in range(30)
    )
)
WRONG = {"order3", "refund7", "hello11"}
FLIPPED = TrainSet(
    tuple(
        replace(row, labels=("refund" if row.label != "refund" else "hello",)) if row.id in WRONG else row
        for row in TRAIN
    )
)


def split_of(train: TrainSet) -> Split:
    rest = TRAIN.examples[:3]
    manifest = SplitManifest(rule="given", seed=0, shares={}, parts={}, fingerprints={})
    return Split(train, CalibrationSet(rest), TestSet(rest), manifest)


def test_planted_wrong_labels_are_dropped_and_hardly_anything_else() -> None:
    left = weigh_suspects(split_of(FLIPPED), CONTRACT, weight=0.0, watch=unwatched).train
    gone = {row.id for row in FLIPPED} - {row.id for row in left}

    assert gone >= WRONG
    assert len(gone) <= len(WRONG) + 2


def test_at_half_weight_every_row_stays() -> None:
    left = weigh_suspects(split_of(FLIPPED), CONTRACT, weight=0.5, watch=unwatched).train

    assert [row.id for row in left] == [row.id for row in FLIPPED]
    assert {row.id for row in left if row.weight == 0.5} >= WRONG


def test_at_full_weight_and_in_other_parts_nothing_changes() -> None:
    split = split_of(FLIPPED)

    assert weigh_suspects(split, CONTRACT, weight=1.0, watch=unwatched) is split
    weighed = weigh_suspects(split, CONTRACT, weight=0.0, watch=unwatched)
    assert (weighed.calibration, weighed.test) == (split.calibration, split.test)
