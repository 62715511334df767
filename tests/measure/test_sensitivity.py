"""Costs moved by half: where the cheaper model or the cheapest threshold changes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interlock.measure.sensitivity import model_sensitivity, threshold_sensitivity

MATRIX = np.array([[0.0, 1, 4], [2, 0, 1], [1, 1, 0]])


def rows(*errors: tuple[int, int, int], n: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Return gold and predicted labels: (gold, predicted, count) errors, the rest of ``n`` rows right."""
    gold, said = [0] * n, [0] * n
    at = 0
    for true, wrong, count in errors:
        gold[at : at + count], said[at : at + count] = [true] * count, [wrong] * count
        at += count
    return np.array(gold), np.array(said)


def two_models() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Model a sends 9 rows of label 0 to label 1 (cost 1 each), model b 2 other rows to label 2 (cost 4 each)."""
    gold = np.zeros(100, dtype=int)
    a, b = gold.copy(), gold.copy()
    a[:9], b[50:52] = 1, 2
    return a, b, gold


def test_a_cost_halved_or_raised_flips_the_choice() -> None:
    """A costs 9 and b 8 as they are. With 1 halved a costs 4.5; with 4 raised by half b costs 12; both flip."""
    a, b, gold = two_models()
    found = {(f.pair, f.factor): f for f in model_sensitivity(a, b, gold, matrix=MATRIX)}

    assert len(found) == 4
    assert [found[(0, 1), 0.5].cost_a, found[(0, 1), 0.5].cost_b] == pytest.approx([0.045, 0.08])
    assert [found[(0, 2), 1.5].cost_a, found[(0, 2), 1.5].cost_b] == pytest.approx([0.09, 0.12])
    assert {key for key, f in found.items() if f.flips} == {((0, 1), 0.5), ((0, 2), 1.5)}


def test_the_factor_at_which_the_models_tie_is_where_they_tie() -> None:
    """9 f = 8 at f = 8/9; 9 = 8 f at f = 9/8."""
    a, b, gold = two_models()
    ties = {f.pair: f.tie_at for f in model_sensitivity(a, b, gold, matrix=MATRIX)}

    assert ties == {(0, 1): pytest.approx(8 / 9), (0, 2): pytest.approx(9 / 8)}
    scaled = MATRIX.copy()
    scaled[0, 1] *= 8 / 9
    assert all(f.better == "tie" or f.flips for f in model_sensitivity(a, b, gold, matrix=scaled))


def test_a_cost_both_incur_alike_decides_nothing() -> None:
    gold, said = rows((0, 1, 5), (1, 0, 3))
    found = model_sensitivity(said, said, gold, matrix=MATRIX)

    assert [(f.better, f.flips, f.tie_at) for f in found] == [("tie", False, math.inf)] * 4


def test_no_rows_and_no_errors_leave_nothing_to_change() -> None:
    none, gold = np.empty(0, dtype=int), np.array([0, 1, 2])

    assert model_sensitivity(none, none, none, matrix=MATRIX) == []
    assert model_sensitivity(gold, gold, gold, matrix=MATRIX) == []


def test_every_line_is_the_choice_made_again_with_that_cost() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 3, 300)
    a, b = (np.where(rng.random(300) < 0.8, gold, rng.integers(0, 3, 300)) for _ in range(2))
    for line in model_sensitivity(a, b, gold, matrix=MATRIX):
        moved = MATRIX.copy()
        moved[line.pair] *= line.factor

        assert [line.cost_a, line.cost_b] == pytest.approx([moved[gold, a].mean(), moved[gold, b].mean()])


def test_the_threshold_moves_with_the_cost_that_decides_it() -> None:
    """At 0.6, 4 of 10 rows cost 1: 0.4 a row, dearer than a review at 0.3; halved to 0.2, cheaper."""
    stated = np.repeat([0.9, 0.6], 10)
    gold = np.zeros(20, dtype=int)
    said = np.where(np.arange(20) >= 16, 1, 0)
    found = threshold_sensitivity(stated, said, gold, matrix=MATRIX, review_cost=0.3)

    assert [(f.pair, f.factor, f.choice.threshold, f.flips) for f in found] == [
        ((0, 1), 0.5, 0.6, True),
        ((0, 1), 1.5, 0.9, False),
        (None, 0.5, 0.9, False),
        (None, 1.5, 0.6, True),
    ]


def test_a_full_queue_hides_what_costs_would_change() -> None:
    """No review is possible: no cost moves the threshold."""
    stated = np.repeat([0.9, 0.6], 10)
    said = np.where(np.arange(20) >= 16, 1, 0)
    found = threshold_sensitivity(stated, said, np.zeros(20, dtype=int), matrix=MATRIX, review_cost=0.3, capacity=0.0)

    assert not any(f.flips for f in found)


def test_thresholds_on_no_rows_never_flip() -> None:
    none = np.empty(0, dtype=int)
    found = threshold_sensitivity([], none, none, matrix=MATRIX, review_cost=1)

    assert [(f.pair, f.flips) for f in found] == [(None, False)] * 2


@pytest.mark.parametrize("change", [0.0, 1.0, math.nan])
def test_a_change_must_lie_between_nothing_and_everything(change: float) -> None:
    a, b, gold = two_models()
    with pytest.raises(ValueError, match="change"):
        model_sensitivity(a, b, gold, matrix=MATRIX, change=change)


@pytest.mark.parametrize("matrix", [np.zeros((2, 3)), np.array([[0, -1.0], [0, 0]]), np.array([[0, np.nan], [0, 0]])])
def test_bad_costs_are_refused(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError, match="matrix"):
        model_sensitivity(np.array([0]), np.array([0]), np.array([0]), matrix=matrix)
