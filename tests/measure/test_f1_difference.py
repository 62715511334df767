"""Macro-F1 of two models on the same rows: known values, exchange by hand, the test's level."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from interlock.measure.f1_difference import macro_f1_difference

Columns = npt.NDArray[np.int64]
COLUMNS = st.integers(0, 2)


def f1(said: Columns, gold: Columns) -> float:
    return float(f1_score(gold, said, average="macro"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(COLUMNS, COLUMNS, COLUMNS), min_size=2, max_size=30))
def test_the_difference_is_the_libraries_and_turns_with_the_models(rows: list[tuple[int, int, int]]) -> None:
    gold, a, b = (np.array(column) for column in zip(*rows, strict=True))
    found, p = macro_f1_difference(a, b, gold, k=3, resamples=200)
    back, p_back = macro_f1_difference(b, a, gold, k=3, resamples=200)

    assert found.value == pytest.approx(f1(a, gold) - f1(b, gold))
    assert back.value == pytest.approx(-found.value)
    assert p == p_back
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9


def test_models_that_say_the_same_do_not_differ() -> None:
    gold = np.arange(90) % 3
    found, p = macro_f1_difference(gold, gold, gold, k=3)

    assert (found.value, p) == (0.0, 1.0)


def test_the_p_value_is_that_of_all_exchanges() -> None:
    gold = np.array([0, 0, 0, 1, 1, 1, 0, 1] * 3)
    b = 1 - gold
    a = gold.copy()
    a[8:] = b[8:]  # eight rows differ, all for a
    observed = abs(f1(a, gold) - f1(b, gold))
    reached = 0
    for swaps in itertools.product([False, True], repeat=8):
        mask = np.array([*swaps, *([False] * 16)])
        ours, theirs = np.where(mask, b, a), np.where(mask, a, b)
        reached += abs(f1(ours, gold) - f1(theirs, gold)) >= observed - 1e-12
    _, p = macro_f1_difference(a, b, gold, k=2, resamples=20_000)

    assert p == pytest.approx(reached / 2**8, abs=0.004)


def test_equal_models_are_told_apart_no_more_often_than_the_level_says() -> None:
    chance, found = np.random.default_rng(5), []
    for seed in range(200):
        gold = chance.integers(0, 3, 80)
        a, b = (np.where(chance.random(80) < 0.7, gold, chance.integers(0, 3, 80)) for _ in "ab")
        found.append(macro_f1_difference(a, b, gold, k=3, resamples=199, seed=seed)[1])

    assert np.mean(np.array(found) <= 0.05) <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5


def test_no_rows_leave_it_unmeasured() -> None:
    nothing = np.array([], dtype=np.int64)
    found, p = macro_f1_difference(nothing, nothing, nothing, k=3)

    assert (found.known, found.n, p) == (False, 0, 1.0)
