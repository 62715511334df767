"""Costs of wrong routes, alone and against a champion."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interlock.measure import cost_per_message, cost_ratio

MATRIX = np.array([[0, 1, 12], [3, 0, 7], [1, 1, 0]])


def test_the_mean_cost_is_the_matrix_summed_over_rows() -> None:
    """Gold chooses the line of the matrix, predicted the column: 0→2 costs 12, 1→0 costs 3, the other two nothing."""
    measured = cost_per_message(np.array([2, 0, 1, 2]), np.array([0, 1, 1, 2]), matrix=MATRIX)

    assert measured.value == (12 + 3 + 0 + 0) / 4
    assert measured.n == 4
    assert 0 <= measured.low <= measured.value <= measured.high <= 12


def test_the_worked_example_costs_1562() -> None:
    """Six kinds of error at 1, 3, 7 or 12 units each: 170 + 240 + 420 + 315 + 240 + 177 = 1,562."""
    units, counts = [1, 3, 7, 7, 12, 3], [170, 80, 60, 45, 20, 59]
    matrix = np.vstack([[0, *units], np.zeros((6, 7))])
    measured = cost_per_message(np.repeat(np.arange(1, 7), counts), np.zeros(434, dtype=int), matrix=matrix)

    assert measured.value * measured.n == pytest.approx(1562)


def test_a_ratio_is_paired() -> None:
    """Two models that differ on 10 of 500 rows: their ratio is known far better than either cost."""
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 3, 500)
    champion = np.where(rng.random(500) < 0.7, gold, (gold + 1) % 3)
    model = champion.copy()
    model[:10] = gold[:10]
    ratio = cost_ratio(model, champion, gold, matrix=1 - np.eye(3))
    alone = cost_per_message(model, gold, matrix=1 - np.eye(3))

    assert ratio.value == pytest.approx((model != gold).sum() / (champion != gold).sum())
    assert ratio.low <= ratio.value <= ratio.high <= 1
    assert (ratio.high - ratio.low) / ratio.value < 0.5 * (alone.high - alone.low) / alone.value


def test_a_perfect_champion_cannot_be_divided_by() -> None:
    gold = np.array([0, 1, 2, 0])
    ratio = cost_ratio(np.array([1, 1, 2, 0]), gold, gold, matrix=MATRIX)

    assert math.isnan(ratio.value)
    assert ratio.n == 4


def test_two_perfect_models_cost_the_same_but_prove_no_bound() -> None:
    gold = np.array([0, 1, 2, 0])
    ratio = cost_ratio(gold, gold, gold, matrix=MATRIX)

    assert ratio.value == 1
    assert not ratio.known


def test_a_champion_that_resamples_make_perfect_has_an_infinite_bound() -> None:
    """One error in four rows is missing from about a third of the resamples; no limit can pass on that."""
    gold = np.array([0, 1, 2, 0])
    ratio = cost_ratio(np.array([1, 0, 2, 0]), np.array([1, 1, 2, 0]), gold, matrix=MATRIX)

    assert ratio.high == math.inf
    assert not ratio.known


def test_perfect_routing_bounds_the_cost_by_what_the_rows_may_have_missed() -> None:
    gold = np.arange(300) % 3
    measured = cost_per_message(gold, gold, matrix=MATRIX)

    assert measured.value == 0
    assert measured.high == pytest.approx(12 * (1 - 0.025 ** (1 / 300)))


def test_no_rows_is_unmeasured() -> None:
    none = np.empty(0, dtype=int)

    assert math.isnan(cost_per_message(none, none, matrix=MATRIX).value)
    assert math.isnan(cost_ratio(none, none, none, matrix=MATRIX).value)


BAD = {
    "a matrix that is not square": (np.zeros((2, 3)), [0], [0], "shape"),
    "a negative cost": (np.array([[0, -1], [0, 0]]), [0], [0], "at least 0"),
    "an unknown cost": (np.array([[0, np.nan], [0, 0]]), [0], [0], "finite"),
    "a label outside the matrix": (np.zeros((2, 2)), [2], [0], "predicted"),
    "lengths that differ": (np.zeros((2, 2)), [1, 0], [0], "shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str) -> None:
    matrix, predicted, gold, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        cost_per_message(np.array(predicted), np.array(gold), matrix=matrix)
