"""Dollars with intervals that are recomputed, not multiplied; prices that are infinite where nothing is bought."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from interlock.core.measurement import unmeasured
from interlock.measure.money import (
    cost_per_misroute_avoided,
    cost_per_quality_point,
    lower_first,
    retraining,
    saved_per_month,
    usd_per_month,
)
from interlock.measure.proportion import wilson

MONTH: dict[str, Any] = {"misroute_usd": 0.013, "monthly_messages": 3_000_000}


def flags(wrong: int, n: int = 1000) -> np.ndarray:
    """Return n rows of which the first ``wrong`` are misrouted."""
    return np.arange(n) < wrong


def test_the_worked_example_saves_3471_dollars() -> None:
    """(0.168 - 0.079) * 3,000,000 * 0.013 = 3,471."""
    found = saved_per_month(flags(79), flags(168), **MONTH)

    assert found.value == pytest.approx(3471)
    assert 0 < found.low < 3471 < found.high
    assert found.n == 1000


def test_dollars_are_the_share_times_constants_bounds_and_all() -> None:
    """Volume and dollars are constants: the interval is the share's, scaled."""
    share = usd_per_month(flags(79), misroute_usd=1.0, monthly_messages=1.0)
    dollars = usd_per_month(flags(79), **MONTH)

    assert [dollars.value, dollars.low, dollars.high] == pytest.approx(
        [39_000 * x for x in (share.value, share.low, share.high)]
    )
    assert (share.low, share.high) == pytest.approx(wilson(79, 1000), abs=0.004)


def test_no_misroute_in_few_rows_still_has_a_high_bound() -> None:
    """A share of 1 - 0.025^(1/100) of rows may all have been missed by 100."""
    found = usd_per_month(flags(0, 100), **MONTH)

    assert found.value == 0
    assert found.high == pytest.approx(39_000 * (1 - 0.025 ** (1 / 100)))


def test_a_saving_is_paired() -> None:
    """Errors shared by both models cancel, so nested errors are known better than scattered ones."""
    order = np.random.default_rng(0).permutation(1000)
    nested = saved_per_month(flags(79), flags(168), **MONTH)
    scattered = saved_per_month(flags(79), flags(168)[order], **MONTH)

    assert nested.value == scattered.value
    assert nested.high - nested.low < 0.8 * (scattered.high - scattered.low)


def test_the_interval_holds_the_true_saving_about_as_often_as_it_says() -> None:
    """Right where the champion is wrong on 9 % of rows, the reverse on 4 %: 0.05 * 39,000 = 1,950 dollars."""
    rng, held = np.random.default_rng(0), 0
    for seed in range(300):
        kind = rng.random(500)
        found = saved_per_month(kind > 0.96, kind < 0.09, **MONTH, resamples=500, seed=seed)
        held += found.low <= 1950 <= found.high

    assert 0.92 <= held / 300 <= 0.98


def test_a_worse_model_loses_money() -> None:
    found = saved_per_month(flags(168), flags(79), **MONTH)

    assert found.value == pytest.approx(-3471)
    assert found.high < 0


def test_the_price_of_a_misroute_avoided_divides_by_those_avoided() -> None:
    """$890 over 0.089 * 1,000,000 misroutes is one cent."""
    found = cost_per_misroute_avoided(flags(79), flags(168), extra_usd=890, monthly_messages=1_000_000)

    assert found.value == pytest.approx(0.01)
    assert found.known
    assert found.low < found.value < found.high


def test_the_price_of_a_point_is_the_documents_quotient() -> None:
    """$170 more for 94.8 instead of 92.1 points: 170 / 2.7 = 62.96 dollars a point."""
    found = cost_per_quality_point(~flags(52), ~flags(79), extra_usd=348 - 178)

    assert found.value == pytest.approx(62.96, abs=0.01)


def test_a_gain_the_rows_do_not_show_has_no_highest_price() -> None:
    order = np.random.default_rng(0).permutation(1000)
    found = cost_per_quality_point(~flags(78), (~flags(80))[order], extra_usd=100)

    assert found.value == pytest.approx(500)
    assert found.high == math.inf
    assert not found.known


@pytest.mark.parametrize("champion", [50, 79])
def test_nothing_gained_has_no_price(champion: int) -> None:
    found = cost_per_misroute_avoided(flags(79), flags(champion), extra_usd=10, monthly_messages=1000)

    assert math.isnan(found.value)
    assert found.n == 1000


def test_retraining_pays_only_by_its_lower_bound() -> None:
    """$3,471 a month for 2 months against $5,000 returns (6,942 - 5,000) / 5,000 = 0.388 of it."""
    order = np.random.default_rng(0).permutation(1000)
    sure = retraining(flags(79), flags(168), **MONTH, cost_usd=5000, months=2)
    unsure = retraining(flags(79), flags(85)[order], **MONTH, cost_usd=100, months=1)

    assert sure.roi.value == pytest.approx(0.3884)
    assert sure.roi.low == pytest.approx(sure.saved_usd.low * 2 / 5000 - 1)
    assert sure.pays
    assert sure.payback_months == pytest.approx(5000 / sure.saved_usd.low)
    assert unsure.roi.value > 0
    assert not unsure.pays
    assert unsure.payback_months == math.inf


def test_no_rows_show_nothing() -> None:
    none = np.empty(0, dtype=bool)
    found = retraining(none, none, **MONTH, cost_usd=1, months=1)

    assert math.isnan(usd_per_month(none, **MONTH).value)
    assert not found.pays
    assert lower_first(found.saved_usd) == "not shown by 0 rows"


def test_business_reads_the_lower_bound_first() -> None:
    found = saved_per_month(flags(79), flags(168), **MONTH)

    assert lower_first(found).startswith(f"at least ${found.low:,.0f} (estimate $3,471, ")
    assert lower_first(saved_per_month(flags(168), flags(79), **MONTH)).startswith("at least -$")
    assert lower_first(unmeasured("x", n=1200)) == "not shown by 1,200 rows"


@pytest.mark.parametrize("amount", [-1.0, math.nan, math.inf])
def test_amounts_must_be_numbers(amount: float) -> None:
    with pytest.raises(ValueError, match="misroute_usd"):
        usd_per_month(flags(1), misroute_usd=amount, monthly_messages=1)
    with pytest.raises(ValueError, match="extra_usd"):
        cost_per_quality_point(flags(1), flags(1), extra_usd=amount)
    with pytest.raises(ValueError, match="cost_usd"):
        retraining(flags(1), flags(1), **MONTH, cost_usd=amount, months=1)


def test_rows_must_match() -> None:
    with pytest.raises(ValueError, match="second argument"):
        saved_per_month(flags(1), flags(1, 7), **MONTH)
