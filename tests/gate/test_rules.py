"""Boolean combinations of limits, in three values, and what each branch must show."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.contract import Contract
from interlock.core.contract_file import parse_contract
from interlock.core.errors import InputError
from interlock.core.measurement import Measurement, unmeasured
from interlock.core.verdict import Status
from interlock.gate.rules import Evidence, combined, judge_rules
from interlock.testing import tiny_contract

P, F, U = Status.PASS, Status.FAIL, Status.INCONCLUSIVE
CHALLENGER = """
  accuracy_vs_champion: {at_least: -0.002}
  worth_it:
    any:
      rare_recall_vs_champion: {at_least: 0.005}
      cost_vs_champion: {at_most: 0.95}
  latency_p95_ms: {at_most: 15}
"""


def contract(limits: str) -> Contract:
    head = "contract: 1\nname: tiny\nlabel_version: v1\nlabels: {yes: {route: yes}, no: {route: no}}\nlimits:\n"
    return parse_contract((head + limits).encode())


def problems(limits: str) -> str:
    with pytest.raises(InputError) as caught:
        contract(limits)
    return str(caught.value)


@given(st.lists(st.sampled_from(Status), max_size=5))
def test_groups_follow_kleene_and_never_pass_by_what_is_unknown(statuses: list[Status]) -> None:
    every, one = combined(statuses, one_is_enough=False), combined(statuses, one_is_enough=True)

    assert (every is P) == (bool(statuses) and all(status is P for status in statuses))
    assert (every is F) == (F in statuses)
    assert (one is P) == (P in statuses)
    assert (one is F) == (bool(statuses) and all(status is F for status in statuses))


@given(st.lists(st.sampled_from(Status), min_size=1, max_size=4), st.booleans())
def test_settling_what_was_inconclusive_never_turns_a_settled_group(statuses: list[Status], one: bool) -> None:
    before = combined(statuses, one_is_enough=one)
    choices = [[status] if status is not U else [P, F] for status in statuses]
    for after in product(*choices):
        if before is not U:
            assert combined(after, one_is_enough=one) is before


def about(**values: tuple[float, float]) -> Mapping[str, Measurement]:
    return {name: Measurement(name, (low + high) / 2, 1000, low, high) for name, (low, high) in values.items()}


@pytest.mark.parametrize(
    ("accuracy", "rare", "cost", "latency", "status"),
    [
        ((0.0, 0.01), (0.01, 0.02), (1.0, 1.1), (9, 10), P),  # rare labels better
        ((0.0, 0.01), (-0.01, 0.0), (0.8, 0.9), (9, 10), P),  # cheaper
        ((0.0, 0.01), (-0.01, 0.0), (1.0, 1.1), (9, 10), F),  # neither
        ((0.0, 0.01), (0.0, 0.01), (1.0, 1.1), (9, 10), U),  # perhaps
        ((-0.01, 0.01), (0.01, 0.02), (0.8, 0.9), (9, 10), U),  # perhaps worse over all
        ((-0.02, -0.01), (0.01, 0.02), (0.8, 0.9), (9, 10), F),  # worse over all
        ((0.0, 0.01), (0.01, 0.02), (0.8, 0.9), (16, 17), F),  # too slow
    ],
)
def test_the_champion_challenger_table_is_a_contract(
    accuracy: tuple[float, float],
    rare: tuple[float, float],
    cost: tuple[float, float],
    latency: tuple[float, float],
    status: Status,
) -> None:
    found = about(
        accuracy_vs_champion=accuracy,
        rare_recall_vs_champion=rare,
        cost_vs_champion=cost,
        latency_p95_ms=latency,
    )
    verdicts = list(judge_rules(contract(CHALLENGER).limits, Evidence(0.95, lambda _level: found)))

    assert combined([verdict.status for verdict in verdicts], one_is_enough=False) is status
    (group,) = [verdict for verdict in verdicts if verdict.parts]
    assert [part.limit for part in group.parts] == ["rare_recall_vs_champion", "cost_vs_champion"]
    assert all(part.evidence is not None for part in group.parts)
    assert group.to_json()["parts"][0]["evidence"]["n"] == 1000


def test_of_two_chances_to_pass_each_is_judged_at_half_the_error() -> None:
    asked = []

    def measure(level: float) -> Mapping[str, Measurement]:
        asked.append(level)
        return {}

    list(judge_rules(contract(CHALLENGER).limits, Evidence(0.95, measure)))

    assert sorted(set(asked)) == pytest.approx([0.95, 0.975])


def test_what_was_never_measured_passes_no_group() -> None:
    found = {"cost_vs_champion": unmeasured("cost_vs_champion")}
    (verdict,) = judge_rules(
        contract("  g: {any: {cost_vs_champion: {at_most: 9}, nll: {at_most: 9}}}").limits,
        Evidence(0.95, lambda _level: found),
    )

    assert (verdict.status, verdict.reason) == (U, "inconclusive:g")


def test_an_attestation_needs_a_person() -> None:
    rules = contract("  review: {attested: confusion review}").limits

    def judged(attested: Mapping[str, set[str]]) -> Status:
        return next(judge_rules(rules, Evidence(0.95, lambda _level: {}, attested))).status

    assert judged({}) is U
    assert judged({"another review": {"ada"}}) is U
    assert judged({"confusion review": set()}) is U
    assert judged({"confusion review": {"ada"}}) is P


def test_groups_say_where_they_are_wrong() -> None:
    assert "did you mean 'cost_vs_champion'" in problems("  g: {any: {cost_vs_champoin: {at_most: 1}}}")
    assert "limits.g.any.recall.maybe: expected a label after the point" in problems(
        "  g: {any: {recall.maybe: {at_least: 1}}}"
    )
    assert "limits.g.any.nll.at_mots: expected a known key (did you mean 'at_most'?)" in problems(
        "  g: {any: {nll: {at_mots: 1}}}"
    )
    assert "limits.nll: expected a name of its own" in problems("  nll: {any: {nll: {at_most: 1}}}")
    assert "exactly one of all and any" in problems("  g: {any: {nll: {at_most: 1}}, all: {nll: {at_most: 1}}}")
    assert "at least 1" in problems("  g: {all: {}}")
    assert "limits.g.al: expected a known key" in problems("  g: {al: {nll: {at_most: 1}}}")


def test_groups_nest_but_not_without_end() -> None:
    def nested(depth: int) -> str:
        body = "{nll: {at_most: 1}}"
        for _ in range(depth):
            body = f"{{g: {{all: {body}}}}}"
        return f"  g: {{any: {body}}}"

    contract(nested(3))
    assert "nested less deeply" in problems(nested(12))


def test_a_contract_without_gates_keeps_the_digest_it_had_before_there_were_any() -> None:
    assert "gates" not in tiny_contract().to_json()
    assert Contract.from_json(tiny_contract().to_json()) == tiny_contract()
    gated = tiny_contract(gates="{night: {accuracy: {at_least: 0.9}}}")
    assert gated.digest != tiny_contract().digest
    assert Contract.from_json(gated.to_json()) == gated


def test_a_gate_s_rules_are_checked_like_limits() -> None:
    with pytest.raises(InputError, match=r"gates\.night\.accuracee: expected a measurement"):
        tiny_contract(gates="{night: {accuracee: {at_least: 0.9}}}")


@pytest.mark.parametrize(
    ("rule", "low", "high", "status"),
    [
        ("at_least: 0.5", 0.5, 0.6, P),  # at the bar is enough
        ("at_least: 0.5", 0.4, 0.5, U),  # the bar itself is still possible
        ("at_least: 0.5", 0.4, 0.49, F),
        ("at_most: 0.5", 0.4, 0.5, P),
        ("at_most: 0.5", 0.5, 0.6, U),
        ("at_most: 0.5", 0.51, 0.6, F),
    ],
)
def test_the_bar_itself_counts_as_kept(rule: str, low: float, high: float, status: Status) -> None:
    found = about(nll=(low, high))
    (verdict,) = judge_rules(contract(f"  nll: {{{rule}}}").limits, Evidence(0.95, lambda _level: found))

    assert verdict.status is status
    assert verdict.rule == rule.replace("_", " ").replace(":", "")
    assert (verdict.rows_needed is None) or status is U


def test_one_row_is_something_and_none_is_nothing() -> None:
    rules = contract("  nll: {at_most: 0.5, on: value}").limits
    for n, status in ((1, P), (0, U)):
        found = {"nll": Measurement("nll", 0.4, n, 0.4, 0.4)}
        (verdict,) = judge_rules(rules, Evidence(0.95, lambda _level, found=found: found))  # type: ignore[misc]
        assert verdict.status is status
        assert verdict.rule == "at most 0.5 by value"


def test_a_group_asks_for_the_rows_that_settle_it() -> None:
    found = {
        name: Measurement(name, 0.92, n, 0.92 - gap, 0.92 + gap, method="wilson")
        for name, n, gap in (("accuracy", 100, 0.06), ("coverage", 1000, 0.025))
    }

    def needed(kind: str) -> tuple[int | None, list[int | None]]:
        inside = "{accuracy: {at_least: 0.9}, coverage: {at_least: 0.9}}"
        rules = contract(f"  g: {{{kind}: {inside}}}").limits
        (group,) = judge_rules(rules, Evidence(0.95, lambda _level: found))
        return group.rows_needed, [part.rows_needed for part in group.parts]

    every, parts = needed("all")
    one, _ = needed("any")
    known = [rows for rows in parts if rows is not None]
    assert (one, every) == (min(known), max(known))
    assert one != every
