"""Messages and labels changed on purpose: only what was meant, repeatably."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.dataset import Example, TrainSet
from interlock.core.errors import InputError
from interlock.data.perturb import changes
from interlock.data.perturb.spoil import drop_rows, flip_labels
from interlock.data.perturb.suite import SUITES, make_cases, read_cases, write_cases

TEXTS = (
    "I want to return volume 12 of Death Note please",
    "where is my order",
    "recommend a funny series like Bleach",
    "HELLO",
    "返品したいです",
    "42",
    "?!",
)
ROWS = [Example(f"r{i}", text, ("a",)) for i, text in enumerate(TEXTS)]


@pytest.mark.parametrize(
    "way", [changes.synonym, changes.code_switch, changes.typo, changes.case, changes.politeness, changes.hollow]
)
@given(text=st.text(max_size=60), seed=st.integers(0, 99))
def test_a_change_is_repeatable_and_never_fails(way: changes.Change, text: str, seed: int) -> None:
    assert way(text, random.Random(seed)) == way(text, random.Random(seed))


def test_an_entity_is_replaced_by_another_and_the_rest_stays() -> None:
    change = changes.entity(TEXTS)
    found = change("has Death Note ended", random.Random(1))

    assert found is not None
    assert found.startswith("has ")
    assert found.endswith(" ended")
    assert "Death Note" not in found
    number = change("my order 4711 is late", random.Random(1))
    assert number is not None
    assert number != "my order 4711 is late"
    assert len(number) == len("my order 4711 is late")
    assert change("no name in here", random.Random(1)) is None


def test_a_synonym_replaces_one_word_either_way() -> None:
    assert changes.synonym("i want a refund", random.Random(0)) in {"i want a money back", "i would like a refund"}
    assert changes.synonym("a parcel", random.Random(0)) == "a package"
    assert changes.synonym("nothing known", random.Random(0)) is None


def test_a_word_is_said_in_japanese_and_a_japanese_message_is_left_alone() -> None:
    assert changes.code_switch("my parcel", random.Random(0)) in {"my nimotsu", "my 荷物"}
    assert changes.code_switch("ok then.", random.Random(0)) == "ok then onegai shimasu"
    assert changes.code_switch("返品したいです", random.Random(0)) is None


def test_case_changes_nothing_but_case() -> None:
    assert changes.case("HELLO", random.Random(0)) == "hello"
    assert changes.case("Hello", random.Random(0)) in {"hello", "HELLO"}
    assert changes.case("42", random.Random(0)) is None


def test_a_hollow_message_has_no_longer_word_of_its_own() -> None:
    found = changes.hollow("where is my parcel", random.Random(0))

    assert found is not None
    assert " is my " in found
    assert not {"where", "parcel"} & set(found.split())


@given(st.text(max_size=80), st.integers(0, 50))
def test_without_a_rate_no_letter_changes(text: str, seed: int) -> None:
    assert changes.typos(text, 0.0, random.Random(seed)) == text


def test_the_rate_is_the_share_of_letters_that_change() -> None:
    left_out = 10_000 - len(changes.typos("é" * 10_000, 0.3, random.Random(4)).replace("éé", "é"))
    same = changes.typos("é" * 10_000, 1.0, random.Random(4))

    assert left_out > 500
    assert 0.25 <= same.count("é") / 2 / 10_000 <= 0.41  # a third are doubled
    assert changes.typos("12 34", 1.0, random.Random(0)) == "12 34"


def test_the_same_rows_and_seed_give_the_same_cases_in_any_order_of_rows() -> None:
    one, other = list(make_cases(ROWS, seed=1)), list(make_cases(reversed(ROWS), seed=1))

    assert sorted(one, key=str) == sorted(other, key=str)
    assert {case.suite for case in one} == set(SUITES)
    assert all(case.changed != case.text for case in one)
    assert one != list(make_cases(ROWS, seed=2))


def test_cases_are_read_as_they_were_written(tmp_path: Path) -> None:
    cases = list(make_cases(ROWS, seed=1))
    write_cases(cases, tmp_path / "suite.jsonl")

    assert read_cases(tmp_path / "suite.jsonl", labels=["a"]) == cases


def test_every_line_that_is_no_case_is_named(tmp_path: Path) -> None:
    path = tmp_path / "suite.jsonl"
    good = next(make_cases(ROWS, seed=1))
    write_cases([good], path)
    lines = path.read_text(encoding="utf-8")
    other = lines.replace('"invariance"', '"hope"')
    path.write_text(f'{lines}no json\n{{"suite": "x"}}\n{other}', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_cases(path, labels=["a"])

    assert [problem.where.rpartition(":")[2] for problem in caught.value.problems] == ["2", "3", "4"]
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(InputError, match="label of the bundle's contract"):
        read_cases(path, labels=["b"])
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="no suite"):
        read_cases(path, labels=["a"])
    with pytest.raises(InputError, match="cannot read"):
        read_cases(tmp_path / "none.jsonl", labels=["a"])


def train(counts: dict[str, int]) -> TrainSet:
    return TrainSet(
        tuple(Example(f"{label}{i}", f"{label} {i}", (label,)) for label in counts for i in range(counts[label]))
    )


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 9))
def test_flipped_labels_are_others_and_no_label_is_lost(a: int, b: int, seed: int) -> None:
    before = train({"a": a, "b": b})
    after, flipped = flip_labels(before, labels=["a", "b", "c"], share=0.05, seed=seed)
    changed = {row.id for row, was in zip(after, before, strict=True) if row.labels != was.labels}

    assert changed == flipped
    assert len(flipped) <= round(0.05 * (a + b))
    assert [row.text for row in after] == [row.text for row in before]
    assert {"a", "b"} <= set(after.counts())


def test_five_percent_of_many_labels_are_five_percent() -> None:
    assert len(flip_labels(train({"a": 600, "b": 400}), labels=["a", "b"], share=0.05, seed=1)[1]) == 50


@given(st.integers(1, 40), st.integers(0, 9))
def test_dropped_rows_are_of_their_label_and_one_stays(count: int, seed: int) -> None:
    after = drop_rows(train({"a": 10, "b": count}), label="b", share=0.1, seed=seed)

    assert after.counts()["a"] == 10
    assert after.counts()["b"] == max(count - max(1, round(0.1 * count)), 1)
