"""Composed messages: what is joined, what stays as it was."""

from __future__ import annotations

import pytest

from interlock.core.contract import Contract
from interlock.core.dataset import CalibrationSet, Example, TrainSet
from interlock.data.compose import BREAKS_JA, JOINS_JA, composed, several_rows, to_learn
from interlock.testing import tiny_contract

ROWS = tuple(
    Example(f"{label}{number}", f"{label} number {number}{mark}", (label,))
    for label in ("yes", "no", "maybe")
    for number, mark in enumerate(("", ".", "?", "!"))
)


def both(first: str, second: str) -> Example:
    return Example(f"{first}&{second}", f"{first} and {second}", (first, second))


@pytest.fixture
def detecting() -> Contract:
    return tiny_contract(decide="{several: {enabled: true}}")


def test_every_composed_message_holds_its_parts_in_order_and_is_labelled_with_all_of_them() -> None:
    texts = {row.id: row.text for row in ROWS}
    made = composed(TrainSet(ROWS), count=60, seed=1, max_chars=200)

    assert len(made) == 60
    for one in made:
        parts = one.id.split("+")
        places = [one.text.find(texts[part].rstrip(".!?")) for part in parts]
        assert places == sorted(places)
        assert -1 not in places
        assert one.labels == tuple(part.rstrip("0123") for part in parts)
        assert len(set(one.labels)) == len(parts)


def test_two_and_three_requests_are_joined() -> None:
    made = composed(TrainSet(ROWS), count=60, seed=1, max_chars=200)

    assert {len(one.labels) for one in made} == {2, 3}


def test_the_same_rows_in_another_order_make_the_same_messages() -> None:
    made = [composed(TrainSet(rows), count=9, seed=4, max_chars=200) for rows in (ROWS, ROWS[::-1])]

    assert made[0] == made[1]
    assert made[0] != composed(TrainSet(ROWS), count=9, seed=5, max_chars=200)


def test_japanese_messages_are_joined_as_japanese() -> None:
    rows = (Example("a", "新刊は?", ("yes",)), Example("b", "返品したい", ("no",)))
    joints = {
        one.text[len(rows[0].text) - 1 : -len(rows[1].text)].removeprefix("?")
        for seed in range(40)
        for one in composed(TrainSet(rows), count=1, seed=seed, max_chars=200)
        if one.labels == ("yes", "no")
    }

    assert joints <= {*JOINS_JA, *(joint.lstrip("。.") for joint in BREAKS_JA)}  # after a question mark no full stop
    assert len(joints) > 5


def test_rows_of_one_label_make_nothing() -> None:
    assert composed(TrainSet(ROWS[:4]), count=5, seed=1, max_chars=200) == ()


def test_no_message_is_longer_than_the_input_policy_allows() -> None:
    assert all(len(one.text) <= 30 for one in composed(TrainSet(ROWS), count=40, seed=1, max_chars=30))


def test_without_a_share_rows_are_composed_only_where_several_intents_are_wanted_and_rare(detecting: Contract) -> None:
    plain, labelled = TrainSet(ROWS), TrainSet((*ROWS, both("yes", "no")))

    assert to_learn(plain, tiny_contract(), share=None, seed=1) is plain
    assert len(to_learn(plain, detecting, share=None, seed=1)) == 18  # 12, and half as many
    assert to_learn(labelled, detecting, share=None, seed=1) is labelled
    assert to_learn(plain, detecting, share=0.0, seed=1) is plain
    assert len(to_learn(plain, tiny_contract(), share=1.0, seed=1)) == 24


def test_a_detector_is_fitted_on_as_many_composed_rows_as_single_ones_unless_rows_have_several_labels() -> None:
    labelled = CalibrationSet((*ROWS, both("yes", "no")))

    assert several_rows(labelled, seed=1, max_chars=200) is labelled
    assert len(several_rows(CalibrationSet(ROWS), seed=1, max_chars=200)) == 24
