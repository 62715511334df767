"""Bounds that hold whatever the model is: tests of thresholds, controlled risk, label sets."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.calibrate.policy import GRID, Rows, certified
from interlock.measure.risk import binomial_p, controlled_threshold, fit_label_sets, fixed_sequence, hoeffding_bentkus_p

Pair = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]


def messages(n: int, chance: np.random.Generator, *, bent: float = 1.5) -> Pair:
    """Return confidences and whether each is right; confidence is overstated by the power ``bent``."""
    confidence = chance.beta(6, 1, n)
    return confidence, chance.random(n) < confidence**bent


def true_precision(bound: float, *, bent: float = 1.5) -> float:
    """Integrate the share of right ones at or above a bound: beta(6, 1) has the density 6 x^5."""
    x = np.linspace(bound, 1, 20_001)
    return float(np.trapezoid(6 * x ** (5 + bent), x) / np.trapezoid(6 * x**5, x))


def rows(n: int, chance: np.random.Generator) -> Rows:
    confidence, right = messages(n, chance)
    return Rows(confidence, right, np.ones(n, bool), np.zeros(n, int), np.zeros(n), np.zeros(n))


def test_p_values_by_hand() -> None:
    assert binomial_p(0, 10, most=0.5) == pytest.approx(0.5**10)
    assert binomial_p(1, 2, most=0.5) == pytest.approx(0.75)
    assert binomial_p(0, 0, most=0.1) == 1.0
    assert hoeffding_bentkus_p(0.0, 100, most=0.1) == pytest.approx(0.9**100)
    assert hoeffding_bentkus_p(0.5, 10, most=0.1) == 1.0


@given(st.integers(0, 40), st.integers(1, 40), st.floats(0.01, 0.99))
def test_more_errors_are_never_better_evidence(wrong: int, more: int, most: float) -> None:
    n = wrong + more
    values = [binomial_p(count, n, most=most) for count in range(n + 1)]

    assert values == sorted(values)
    assert hoeffding_bentkus_p(wrong / n, n, most=most) <= 1


def test_a_sequence_ends_at_the_first_test_that_does_not_reject() -> None:
    assert fixed_sequence([0.001, 0.02, 0.9, 0.001], error=0.05, starts=1) == [0, 1]
    assert fixed_sequence([0.9, 0.9, 0.001, 0.02], error=0.05, starts=2) == [2, 3]
    assert fixed_sequence([0.9, 0.9, 0.001, 0.03], error=0.05, starts=2) == [2]
    assert fixed_sequence([math.nan, 0.0], error=0.05, starts=1) == []
    assert fixed_sequence([], error=0.05) == []


def test_the_controlled_threshold_by_hand() -> None:
    confidence, wrong = [0.9, 0.8, 0.7, 0.6], [False, True, False, True]

    # (4 loss + 1) / 5 <= 0.2 allows no wrong row, <= 0.4 one, <= 0.6 both
    assert controlled_threshold(confidence, wrong, most=0.2) == np.nextafter(0.8, 1)
    assert controlled_threshold(confidence, wrong, most=0.4) == np.nextafter(0.6, 1)
    assert controlled_threshold(confidence, wrong, most=0.6) == 0.0
    assert controlled_threshold(confidence, wrong, most=0.1) == math.inf


def test_label_sets_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    found = fit_label_sets(p, [0, 1, 1, 0], coverage=0.6)

    # the right labels' probabilities are 0.9, 0.4, 0.8, 0.7; floor(5 * 0.4) = 2, so the bound is the second smallest
    assert found.least.tolist() == [0.7, 0.7]
    assert found.sets([[0.7, 0.3], [0.5, 0.5]]).tolist() == [[True, False], [False, False]]
    assert found.sets([[math.nan, math.nan]]).tolist() == [[True, True]]
    assert fit_label_sets(p, [0, 1, 1, 0], coverage=0.9).least.tolist() == [-math.inf, -math.inf]
    assert fit_label_sets(p, [0, 1, 1, 0], coverage=0.5, by_label=True).least.tolist() == [0.7, 0.4]


def broken_promises(draws: int, *, n: int = 600, least: float = 0.9, error: float = 0.1) -> int:
    """Count the draws in which a certified candidate does not keep the precision."""
    chance = np.random.default_rng(4)
    truth = {bound: true_precision(bound) for bound in GRID}
    return sum(
        any(truth[bound] < least for bound in certified(rows(n, chance), least, error=error)) for _ in range(draws)
    )


def test_certified_precision_holds_as_often_as_promised() -> None:
    assert broken_promises(150) <= 24  # binomial(150, 0.1) exceeds 24 with a chance of 1 %


def test_enough_good_rows_certify_something() -> None:
    found = certified(rows(2000, np.random.default_rng(0)), 0.9, error=0.05)

    assert found
    assert all(true_precision(bound) >= 0.9 for bound in found)


@pytest.mark.slow
def test_certified_precision_holds_in_a_thousand_draws() -> None:
    assert broken_promises(1000) <= 123  # binomial(1000, 0.1) exceeds 123 with a chance of 1 %


@pytest.mark.slow
def test_the_controlled_risk_holds_on_average_over_a_thousand_draws() -> None:
    chance, risks = np.random.default_rng(5), []
    for _ in range(1000):
        confidence, right = messages(200, chance)
        bound = controlled_threshold(confidence, ~right, most=0.05)
        new, new_right = messages(200, chance)
        risks.append(np.mean((new >= bound) & ~new_right))

    assert np.mean(risks) <= 0.05 + 3 * np.std(risks) / math.sqrt(1000)
    assert np.mean(risks) >= 0.05 - 1 / 201 - 3 * np.std(risks) / math.sqrt(1000)  # and it is not wasteful


@pytest.mark.slow
@pytest.mark.parametrize("by_label", [False, True])
def test_label_sets_hold_the_right_label_as_often_as_promised_over_a_thousand_draws(*, by_label: bool) -> None:
    chance, held = np.random.default_rng(6), []
    for _ in range(1000):
        p = chance.dirichlet([0.5] * 4, 240)
        gold = (chance.random((240, 1)) < p.cumsum(axis=1)).argmax(axis=1)
        p = p**1.7 / (p**1.7).sum(axis=1, keepdims=True)  # overconfident
        found = fit_label_sets(p[:120], gold[:120], coverage=0.9, by_label=by_label).sets(p[120:])
        right = found[np.arange(120), gold[120:]]
        held.append(right[gold[120:] == 0].mean() if by_label else right.mean())

    assert np.mean(held) >= 0.9 - 3 * np.std(held) / math.sqrt(1000)
