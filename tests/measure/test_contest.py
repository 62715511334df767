"""Candidates against a baseline: what is shown, what is not, and how often chance is taken for more."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.measurement import Measurement
from interlock.measure.contest import Contest, contests

Flags = npt.NDArray[np.bool_]


def flags(right: int, n: int) -> Flags:
    """Return one seed's flags, the first ``right`` of ``n`` true."""
    return (np.arange(n) < right)[None]


def test_six_rows_won_and_none_lost_are_shown_alone_and_not_beside_another_candidate() -> None:
    base, won, same = flags(84, 100), flags(90, 100), flags(84, 100)
    (alone,) = contests(base, [won])
    beside, other = contests(base, [won, same])

    assert alone.p == pytest.approx(2 / 2**6)
    assert alone.difference.value == pytest.approx(0.06)
    assert alone.shown == "better"
    assert beside.p_adjusted == pytest.approx(2 * 2 / 2**6)  # Holm: the smaller of two counts twice
    assert beside.shown == "no difference shown"
    assert other.difference.value == 0
    assert other.rows_needed is None


def test_what_is_better_one_way_is_worse_the_other_way() -> None:
    (better,), (worse,) = contests(flags(60, 100), [flags(90, 100)]), contests(flags(90, 100), [flags(60, 100)])

    assert (better.shown, worse.shown) == ("better", "worse")
    assert better.difference.value == pytest.approx(-worse.difference.value)


def test_nothing_that_is_not_known_is_shown() -> None:
    unknown = Measurement("accuracy_difference", math.nan, 0, math.nan, math.nan)

    assert Contest(unknown, 0.0, 0.0, None).shown == "no difference shown"
    assert contests(flags(0, 0), [flags(0, 0)])[0].shown == "no difference shown"
    assert contests(flags(5, 9), []) == []


def test_the_interval_and_the_test_must_both_agree() -> None:
    above = Measurement("accuracy_difference", 0.05, 100, 0.01, 0.09)
    across = Measurement("accuracy_difference", 0.05, 100, -0.01, 0.11)

    assert Contest(above, 0.04, 0.06, None).shown == "no difference shown"
    assert Contest(across, 0.04, 0.04, None).shown == "no difference shown"
    assert Contest(above, 0.04, 0.05, None).shown == "better"


def planted(rng: np.random.Generator, *, models: int, seeds: int, n: int, seed_sd: float) -> list[Flags]:
    """Return models that are equally accurate but for their seeds, whose right rows overlap."""
    ease = rng.normal(size=n)
    shift = rng.normal(scale=seed_sd, size=(models, seeds, 1))
    found = rng.normal(size=(models, seeds, n)) + ease + 1.2 + shift > 0
    return list(found)


def falsely(seeds: int, seed_sd: float, *, repeats: int = 300) -> float:
    """Return how often any of four equal candidates is called better or worse."""
    rng, called = np.random.default_rng(7), 0
    for _ in range(repeats):
        base, *others = planted(rng, models=5, seeds=seeds, n=250, seed_sd=seed_sd)
        called += any(contest.shown != "no difference shown" for contest in contests(base, others))
    return called / repeats


def test_equal_candidates_are_called_better_or_worse_in_at_most_5_percent_of_tables() -> None:
    assert falsely(1, 0.0) <= 0.05


def test_with_several_seeds_an_effect_of_the_seed_alone_is_not_called_a_difference() -> None:
    assert falsely(1, 0.4) > 0.15  # single models do differ, and are shown to
    assert falsely(3, 0.4) <= 0.07  # 0.05 and two standard errors of 300 repeats


def test_several_seeds_find_a_difference_that_is_there() -> None:
    rng = np.random.default_rng(3)
    base = rng.random((3, 800)) < 0.80
    (found,) = contests(base, [base | (rng.random((3, 800)) < 0.35)])

    assert found.shown == "better"
    assert found.difference.low > 0


@settings(max_examples=40, deadline=None)
@given(st.integers(20, 200), st.integers(1, 12), st.integers(0, 8), st.integers(1, 3))
def test_the_rows_that_are_said_to_be_needed_do_show_it(n: int, won: int, lost: int, seeds: int) -> None:
    if won == lost or won + lost >= n:
        return
    base, other = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
    base[:won], other[won : won + lost] = False, False
    (found,) = contests(np.tile(base, (seeds, 1)), [np.tile(other, (seeds, 1))])
    if found.rows_needed is None or found.shown != "no difference shown":
        return
    times = 1 + math.ceil(1.15 * found.rows_needed / n)  # the exact test asks for a little more than the interval
    (more,) = contests(np.tile(base, (seeds, times)), [np.tile(other, (seeds, times))])

    assert more.difference.low > 0 or more.difference.high < 0


@pytest.mark.parametrize("shape", [(3,), (0, 4), (2, 3, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected shape"):
        contests(np.zeros(shape, dtype=bool), [])


def test_candidates_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="candidates"):
        contests(flags(3, 5), [flags(3, 6)])
