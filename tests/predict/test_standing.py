"""Confidence of routes, labels with bounds of their own, and messages between two labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.contract import Contract
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import InputError
from interlock.predict.decide import Evidence, decide, standing
from interlock.testing import tiny_contract

LABELS = "{late: {route: parcels}, lost: {route: parcels}, refund: {route: money}, hello: {route: talk}}"
BANDS = "auto: {confidence: 0.8, margin: 0.2}, guarded: {confidence: 0.55}"
BY_ROUTE = tiny_contract(labels=LABELS, decide=f"{{{BANDS}, level: route}}")
BY_LABEL = tiny_contract(labels=LABELS, decide=f"{{{BANDS}}}")
OWN = "{late: {route: a}, lost: {route: b}, refund: {route: c}, hello: {route: d}}"
OWN_ROUTES = [tiny_contract(labels=OWN, decide=f"{{{BANDS}, level: {level}}}") for level in ("label", "route")]


def on(contract: Contract, *p: float) -> Decision:
    return decide(Evidence(np.array(p)), contract)


def test_two_labels_of_one_route_are_no_reason_to_doubt_the_route() -> None:
    torn = (0.45, 0.43, 0.10, 0.02)

    assert on(BY_LABEL, *torn).outcome is Outcome.ABSTAINED
    decision = on(BY_ROUTE, *torn)
    assert (decision.outcome, decision.route, decision.label) == (Outcome.ROUTED, "parcels", "late")
    assert decision.confidence == pytest.approx(0.88)
    assert decision.second_label == "refund"
    assert decision.margin == pytest.approx(0.78)


def test_the_leading_label_is_the_best_of_the_leading_route_even_when_another_label_is_more_probable() -> None:
    decision = on(BY_ROUTE, 0.29, 0.30, 0.40, 0.01)

    assert (decision.label, decision.route, decision.second_label) == ("lost", "parcels", "refund")
    assert decision.reason is Reason.GUARDED_CONFIDENCE


def test_where_all_labels_share_a_route_nothing_is_behind_it() -> None:
    one = tiny_contract(labels="{a: {route: r}, b: {route: r}}", decide=f"{{{BANDS}, level: route}}")

    assert on(one, 0.5, 0.5).outcome is Outcome.ROUTED
    assert on(one, 0.5, 0.5).second_confidence == 0.0


@given(st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4))
def test_a_route_is_as_probable_as_its_labels_together(raw: list[float]) -> None:
    p = np.array(raw) / sum(raw)
    found = standing(p, BY_ROUTE)
    routes = [label.route for label in BY_ROUTE.labels.values()]
    sums = {route: sum(p[i] for i, name in enumerate(routes) if name == route) for route in routes}

    assert found.confidence == pytest.approx(min(max(sums.values()), 1.0))
    assert found.second_confidence == pytest.approx(sorted(sums.values())[-2])
    assert found.margin >= -1e-12
    assert routes[found.first] != routes[found.second]


@given(st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4))
def test_with_a_route_for_each_label_both_levels_decide_alike(raw: list[float]) -> None:
    p = np.array(raw) / sum(raw)
    decisions = [on(contract, *p) for contract in OWN_ROUTES]

    assert decisions[0] == decisions[1]


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.sampled_from([0.0, 0.05, 0.1, 0.3]), st.floats(0, 1), st.floats(0, 1))
def test_a_message_between_two_labels_is_never_routed_without_a_second_look(
    p: float, margin: float, auto: float, guarded: float
) -> None:
    auto, guarded = max(auto, guarded), min(auto, guarded)
    policy = f"auto: {{confidence: {auto!r}, margin: 0}}, guarded: {{confidence: {guarded!r}}}"
    contract = tiny_contract(decide=f"{{{policy}, ambiguous: {{margin: {margin!r}}}}}")
    decision = on(contract, p, 1 - p)

    assert decision.margin is not None
    if decision.margin < margin:
        assert decision.reason is Reason.AMBIGUOUS
        assert decision.outcome in {Outcome.GUARDED, Outcome.ABSTAINED}
    else:
        assert decision.reason is not Reason.AMBIGUOUS


@pytest.mark.parametrize("level", ["label", "route"])
def test_numbers_that_are_none_fall_to_the_failure_fallback_at_either_level(level: str) -> None:
    contract = tiny_contract(decide=f"{{{BANDS}, level: {level}, ambiguous: {{margin: 0.1}}}}")
    for p in ((math.nan, math.nan), (1.0, math.nan), (math.inf, 0.0), (0.7, 0.7), (-0.1, 1.1)):
        decision = on(contract, *p)
        assert (decision.outcome, decision.route) == (Outcome.UNAVAILABLE, "person")


def test_a_label_may_ask_for_another_confidence_than_the_rest() -> None:
    contract = tiny_contract(
        decide="{auto: {confidence: 0.8, margin: 0.2, labels: {no: 0.95}}, guarded: {confidence: 0.55}}"
    )

    assert on(contract, 0.9, 0.1).reason is Reason.AUTO
    assert on(contract, 0.1, 0.9).reason is Reason.GUARDED_CONFIDENCE
    assert on(contract, 0.05, 0.95).reason is Reason.AUTO
    with pytest.raises(InputError, match="label"):
        tiny_contract(decide="{auto: {confidence: 0.8, labels: {nope: 0.9}}, guarded: {confidence: 0.55}}")
    with pytest.raises(InputError, match="at least guarded"):
        tiny_contract(decide="{auto: {confidence: 0.8, labels: {no: 0.5}}, guarded: {confidence: 0.55}}")
