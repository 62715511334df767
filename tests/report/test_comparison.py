"""Two routers on rows written down: what differs, how surely, what it is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from interlock.core.errors import InputError
from interlock.report.comparison import Comparison, Prices, compare_views
from interlock.report.view import View

Seen = tuple[str, str, float]  # gold, decided, confidence
Compared = Callable[..., Comparison]
GOOD: list[Seen] = [("order", "order", 0.9)] * 10 + [("refund", "refund", 0.9)] * 10
WORSE: list[Seen] = [*GOOD[:14], *[("refund", "hello", 0.9)] * 6]


@pytest.fixture
def compared(view_of: Callable[..., View]) -> Compared:
    """Compare routers that decided as written."""

    def make(a: Sequence[Seen], b: Sequence[Seen], prices: Prices | None = None) -> Comparison:
        return compare_views(view_of(a), view_of(b), prices=prices or Prices())

    return make


def test_a_router_does_not_differ_from_itself(compared: Compared) -> None:
    found = compared(GOOD, GOOD)

    assert [test.difference.value for test in found.tests] == [0.0] * 5
    assert [test.p for test in found.tests] == [1.0] * 5
    assert found.flips == ()
    assert found.usd["misroutes_saved"].value == 0


def test_differences_are_a_minus_b_with_mcnemars_p(compared: Compared) -> None:
    tests = {test.name: test for test in compared(GOOD, WORSE).tests}

    assert set(tests) == {"accuracy", "macro_f1", "cost_per_message", "coverage", "latency_ms"}
    assert tests["accuracy"].difference.value == pytest.approx(6 / 20)
    assert tests["accuracy"].p == pytest.approx(2 * 0.5**6)  # six rows differ, all for a
    assert tests["accuracy"].p_adjusted >= tests["accuracy"].p
    assert tests["cost_per_message"].difference.value == pytest.approx(-6 * 7 / 20)
    assert tests["macro_f1"].difference.value == pytest.approx(tests["macro_f1"].a - tests["macro_f1"].b)
    line = tests["accuracy"].to_json()
    assert line["difference"] == pytest.approx(0.3)
    assert {"name", "difference", "low", "high", "p"} <= set(line)


def test_exchanging_the_routers_turns_every_difference(compared: Compared) -> None:
    there, back = compared(GOOD, WORSE), compared(WORSE, GOOD)

    for one, other in zip(there.tests, back.tests, strict=True):
        assert one.difference.value == pytest.approx(-other.difference.value)
        assert one.p == pytest.approx(other.p)


def test_savings_prices_and_returns_are_those_of_the_misroutes_avoided(compared: Compared) -> None:
    found = compared(GOOD, WORSE, Prices(extra_usd=30.0, retraining_usd=45.0, months=1.0))
    month = 6 / 20 * 1000

    assert found.usd["misroutes_saved"].value == pytest.approx(month * 0.3)
    assert found.usd["per_misroute_avoided"].value == pytest.approx(30 / month)
    assert found.usd["per_quality_point"].value == pytest.approx(30 / 30)  # 30 points of accuracy
    assert found.retraining is not None
    assert found.retraining.roi.value == pytest.approx((month * 0.3 - 45) / 45)
    assert found.cost_ratio.value == 0


def test_labels_in_another_order_are_the_same_labels(view_of: Callable[..., View]) -> None:
    here = view_of(WORSE)
    turned = here.contract.model_copy(update={"labels": dict(reversed(here.contract.labels.items()))})

    found = compare_views(here, view_of(WORSE, contract=turned), prices=Prices())
    assert {test.difference.value for test in found.tests} == {0.0}


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf])
def test_what_is_no_price_is_refused_with_every_one_named(bad: float) -> None:
    with pytest.raises(InputError) as caught:
        Prices(extra_usd=bad, retraining_usd=bad, months=bad)

    assert len(caught.value.problems) == 3
