"""The proof on real data: CLINC150, BANKING77 and the embedded world."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from interlock.core.dataset import PARTS, Dataset, Example, Split
from interlock.data.near import loose_key
from interlock.data.read import read
from interlock.data.rows import examples
from interlock.data.split.check import check
from interlock.data.split.divide import split
from interlock.data.split.given import given
from interlock.data.traffic import simulate

pytestmark = pytest.mark.slow
NONE = dict.fromkeys(("exact", "normalised", "near", "group", "time"), 0)
SAMPLE = 60  # later rows compared with every training row


def world() -> Dataset:
    made = examples(((f"row {at}", row) for at, row in enumerate(simulate(55_000, seed=7))), labels=None)
    return Dataset(tuple(row for row in made if isinstance(row, Example)))


def joined(folder: Path) -> Dataset:
    names = [name for name in ("train", "validation", "test") if (folder / f"{name}.jsonl").is_file()]
    return Dataset(tuple(row for name in names for row in read(folder / f"{name}.jsonl")))


def shingles(text: str) -> set[str]:
    padded = f" {loose_key(text)} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


def alike(made: Split) -> list[tuple[str, str]]:
    """Return training rows and sampled later rows with a Jaccard of at least 0.7, compared one by one."""
    later = random.Random(1).sample([*made.calibration, *made.test], SAMPLE)
    train = [(row.id, shingles(row.text)) for row in made.train]
    return [
        (id_, row.id)
        for row in later
        for mine in [shingles(row.text)]
        for id_, theirs in train
        if len(mine & theirs) >= 0.7 * len(mine | theirs)
    ]


@pytest.mark.parametrize(("name", "rule", "most_lost"), [
    ("clinc150", "stratified", 0),
    ("banking77", "stratified", 0),
    ("world", "grouped, stratified", 0.06),
])  # fmt: skip
def test_near_duplicates_of_real_data_stay_whole(name: str, rule: str, most_lost: float, clinc150: Path) -> None:
    data = world() if name == "world" else joined(clinc150.parent / name)
    made = split(data)
    manifest = made.manifest

    assert (manifest.rule, manifest.near, manifest.apart) == (rule, "0.7 alike or one word apart", 0)
    assert manifest.crossings == NONE
    assert len(manifest.removed) <= most_lost * len(data)
    kept = len(data) - len(manifest.removed)
    assert sorted([*manifest.removed, *(id_ for part in PARTS for id_ in manifest.parts[part])]) == sorted(
        row.id for row in data
    )
    assert all(abs(len(manifest.parts[part]) - manifest.shares[part] * kept) < 0.005 * kept for part in PARTS)
    assert set(made.test.counts()) == set(made.calibration.counts()) == set(data.counts())
    assert alike(made) == []


def test_the_world_can_be_cut_in_time_at_a_stated_cost() -> None:
    made = split(world(), by="time")

    assert made.manifest.crossings == NONE
    assert max(row.timestamp or "" for row in made.train) <= min(row.timestamp or "" for row in made.calibration)
    assert max(row.timestamp or "" for row in made.calibration) <= min(row.timestamp or "" for row in made.test)
    assert any(f"{len(made.manifest.removed)} of 55000 rows were removed" in note for note in made.manifest.why)


def test_clinc150_official_files_share_five_texts_and_the_split_removes_them(clinc150: Path) -> None:
    names = ("train", "validation", "test")
    found = check(clinc150 / "train.jsonl", calibration=clinc150 / "validation.jsonl", test=clinc150 / "test.jsonl")
    assert not found.clean
    assert {(one.earlier[0], one.later[0]) for one in found.crossings["exact"]} == {
        ("train", "calibration"),
        ("train", "test"),
    }
    assert found.texts("exact") == 5

    made = given(*(read(clinc150 / f"{name}.jsonl") for name in names))
    assert len(made.manifest.removed) == 5
    assert made.manifest.crossings == {**NONE, "near": made.manifest.crossings["near"]}
    assert made.manifest.crossings["near"] > 1000
