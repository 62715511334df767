"""A message with its conversation: which turns the scorer sees, and that they never harm the message."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.contract import Context, InputPolicy
from interlock.core.contract_file import parse_contract
from interlock.core.decision import Reason
from interlock.core.errors import InputError
from interlock.predict.context import in_context
from interlock.predict.normalise import NormalText, normalise
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import FloatArray
from interlock.testing import TableScorer, logits_for, tiny_contract, tiny_predictor

POLICY = InputPolicy(max_tokens=10, max_chars=60, context=Context(turns=2))


def joined(text: str, *turns: str, policy: InputPolicy = POLICY) -> str:
    return in_context(NormalText(text), turns, policy, tokens=lambda whole: len(whole.split()))


def test_the_message_stands_first_and_the_latest_turn_next() -> None:
    assert joined("and the box?", "hardcover?", "in stock?") == "and the box? || in stock? || hardcover?"


def test_only_the_last_turns_count() -> None:
    assert joined("now", "first", "second", "third") == "now || third || second"


def test_older_turns_go_first_when_tokens_run_out() -> None:
    assert joined("now", "one two three four five six", "seven eight") == "now || seven eight"
    assert joined("now", "seven eight", "one two three four five six seven eight nine") == "now"


def test_of_many_huge_turns_one_is_counted() -> None:
    counted: list[str] = []

    def tokens(whole: NormalText) -> int:
        counted.append(whole)
        return len(whole.split())

    wide = InputPolicy(max_tokens=10, max_chars=1000, context=Context(turns=10))
    assert in_context(NormalText("now"), ["word " * 100] * 10, wide, tokens=tokens) == "now"
    assert len(counted) == 1


@given(st.text(min_size=1, max_size=60), st.lists(st.text(max_size=80), max_size=5))
def test_the_message_is_never_changed_and_never_pushed_out(text: str, turns: list[str]) -> None:
    whole, alone = joined(text, *turns), joined(text)

    assert whole.startswith(alone)
    assert whole == alone or len(whole.split()) <= 10
    assert alone == text or "|" in text


@pytest.mark.parametrize("bars", ["||", "|||||", "| |", "|\u00a0|", "\uff5c\uff5c", "|\u200b|", "|\n|"])
def test_neither_a_message_nor_a_turn_passes_for_two(bars: str) -> None:
    assert joined(str(normalise(f"now {bars} then", POLICY))) == "now | then"
    assert joined("now", f"before {bars} long ago").split(" || ") == ["now", "before | long ago"]


@pytest.mark.parametrize("turn", ["", "  ", "\u3164", "a\0b", "\ud800", "x" * 61])
def test_a_turn_the_policy_refuses_is_left_out(turn: str) -> None:
    assert joined("now", "before", turn) == "now || before"


def test_without_the_contracts_wish_no_turn_is_looked_at() -> None:
    assert joined("now", "before", policy=InputPolicy()) == "now"


def predictor(turns: str = ", context: {turns: 2}") -> Predictor:
    def say(text: str) -> FloatArray:
        return logits_for(0.9, 0.1) if "late" in text else logits_for(0.1, 0.9)

    contract = tiny_contract(input=f"{{max_tokens: 16, max_chars: 200{turns}}}")
    return tiny_predictor(say, contract=contract)


def test_a_follow_up_is_decided_with_what_came_before() -> None:
    assert predictor().decide("and when?", ["my parcel is late"]).label == "yes"
    assert predictor().decide("and when?").label == "no"
    assert predictor("").decide("and when?", ["my parcel is late"]).label == "no"


def test_a_message_the_policy_refuses_is_refused_whatever_was_said_before() -> None:
    assert predictor().decide(" ", ["my parcel is late"]).reason is Reason.EMPTY_TEXT
    assert predictor().decide("word " * 20, ["late"]).reason is Reason.TOO_LONG


def test_turns_that_are_no_texts_go_to_a_person() -> None:
    decision = predictor().decide("and when?", cast("list[str]", [1, None]))

    assert decision.reason is Reason.MODEL_UNAVAILABLE


def test_a_long_conversation_costs_no_more_than_its_last_turns() -> None:
    counting = predictor()
    scorer = cast("TableScorer", counting.scorer)
    counting.decide("now", ["turn"] * 100_000)

    assert scorer.calls == 1


@pytest.mark.parametrize("turns", ["0", "11", "-1", "1.5", "many"])
def test_a_contract_asks_for_one_to_ten_turns(turns: str) -> None:
    with pytest.raises(InputError):
        tiny_contract(input=f"{{context: {{turns: {turns}}}}}")


def test_a_contract_without_context_has_the_digest_it_always_had() -> None:
    contract = parse_contract(b"contract: 1\nname: a\nlabel_version: b\nlabels: {yes: {route: y}, no: {route: n}}\n")

    assert "context" not in contract.to_json()["input"]
    assert contract.digest != tiny_contract(input="{context: {turns: 1}}").digest


@pytest.mark.parametrize("turn", ["\u202ewhere is it", "wh3re is it", "where%20is%20it"])
def test_a_turn_that_shows_something_else_than_it_says_is_left_out(turn: str) -> None:
    assert joined("now", "first", turn) == "now || first"
    raw = POLICY.model_copy(update={"form": "plain"})
    assert joined("now", "first", turn, policy=raw).count("||") == 2
