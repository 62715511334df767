"""Splits: a partition that keeps groups and repeated texts whole, and is the same for the same seed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from interlock.core.dataset import PARTS, Dataset, Example, Split
from interlock.core.errors import InputError
from interlock.data.read import read
from interlock.data.split import given, split
from interlock.predict.normalise import same_text_key


def rows(count: int, *, groups: int | None = None, texts: int | None = None, labels: int = 3, seed: int = 0) -> Dataset:
    """Return rows whose groups and texts repeat as asked."""
    chance = random.Random(seed)
    return Dataset(
        tuple(
            Example(
                id=f"r{i}",
                text=f"Text {chance.randrange(texts) if texts else i}",
                labels=(f"l{i % labels}",),
                group=f"g{chance.randrange(groups)}" if groups else None,
            )
            for i in range(count)
        )
    )


WORLDS = st.builds(
    rows,
    st.integers(60, 300),
    groups=st.none() | st.integers(30, 200),
    texts=st.none() | st.integers(40, 400),
    labels=st.integers(2, 4),
    seed=st.integers(0, 10_000),
)


def divided(data: Dataset, seed: int) -> Split | None:
    """Split, or None where the groups honestly do not allow it."""
    try:
        return split(data, seed=seed)
    except InputError:
        return None


@settings(max_examples=60)
@hypothesis_given(data=WORLDS, seed=st.integers(0, 1000))
def test_a_split_is_a_partition_that_crosses_no_text_and_no_group(data: Dataset, seed: int) -> None:
    made = divided(data, seed)
    if made is None:
        return
    ids = [id_ for part in PARTS for id_ in made.manifest.parts[part]]

    assert sorted(ids) == sorted(row.id for row in data)
    assert made.manifest.crossings == {"exact": 0, "normalised": 0, "group": 0}
    where = {
        row.id: part
        for part, part_rows in zip(PARTS, (made.train, made.calibration, made.test), strict=True)
        for row in part_rows
    }
    for key in (lambda row: row.group, lambda row: same_text_key(row.text)):
        parts: dict[str, set[str]] = {}
        for row in data:
            if key(row) is not None:
                parts.setdefault(key(row), set()).add(where[row.id])
        assert all(len(found) == 1 for found in parts.values())


@settings(max_examples=20)
@hypothesis_given(data=WORLDS, seed=st.integers(0, 1000), order=st.randoms())
def test_the_manifest_depends_on_rows_and_seed_and_not_on_the_order_of_the_file(
    data: Dataset, seed: int, order: random.Random
) -> None:
    made = divided(data, seed)
    mixed = list(data.examples)
    order.shuffle(mixed)
    again = divided(Dataset(tuple(mixed)), seed)

    assert (made is None) == (again is None)
    if made is not None and again is not None:
        assert made.manifest.to_json() == again.manifest.to_json()


def test_single_rows_are_divided_exactly_by_label() -> None:
    made = split(rows(300, labels=3))

    assert [len(part) for part in (made.train, made.calibration, made.test)] == [240, 30, 30]
    assert set(made.test.counts().values()) == {10}


def test_a_label_with_two_rows_cannot_be_split_and_is_named() -> None:
    few = Dataset((*rows(60).examples, Example("x", "one", ("rare",)), Example("y", "two", ("rare",))))

    with pytest.raises(InputError, match="label rare: expected at least 3 rows"):
        split(few)


def test_one_label_only_is_refused() -> None:
    with pytest.raises(InputError, match="at least two labels"):
        split(rows(30, labels=1))


def test_a_critical_label_in_too_few_groups_is_named() -> None:
    grouped = [Example(f"c{i}", f"critical {i}", ("critical",), group="one") for i in range(9)]

    with pytest.raises(InputError, match="critical"):
        split(Dataset((*rows(90).examples, *grouped)), critical=["critical"])


def test_given_files_stay_and_training_gives_up_what_the_test_rows_repeat() -> None:
    train = Dataset((Example("a", "Hello  there", ("x",)), Example("b", "fresh", ("y",)), Example("c", "held", ("y",))))
    test = Dataset((Example("t", "hello there", ("y",)),))
    calibration = Dataset((Example("k", "held", ("y",)),))

    made = given(train, calibration, test)

    assert made.manifest.removed == ("a", "c")
    assert made.test.examples == test.examples
    assert set(made.manifest.crossings.values()) == {0}


def test_given_files_that_share_ids_are_refused() -> None:
    one, other = Dataset((Example("a", "one", ("x",)),)), Dataset((Example("a", "two", ("x",)),))

    with pytest.raises(InputError, match="an id that train does not use"):
        given(one, Dataset(()), other)


@pytest.mark.slow
def test_clinc150_official_files_share_five_texts_and_the_split_removes_them(clinc150: Path) -> None:
    names = ("train", "validation", "test")
    made = given(*(read(clinc150 / f"{name}.jsonl") for name in names))

    assert len(made.manifest.removed) == 5
    assert set(made.manifest.crossings.values()) == {0}
