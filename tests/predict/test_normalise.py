"""What a text becomes before any model sees it, and which texts no model may see."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.contract import InputPolicy
from interlock.core.decision import Outcome, Reason
from interlock.predict.normalise import is_blank, normalise, same_text_key
from interlock.testing import TableScorer, logits_for, tiny_predictor

POLICY = InputPolicy(max_chars=100)
BLANKS = {
    "nothing": "",
    "a space": " ",
    "white space": " \t\r\n\v\f",
    "zero-width space": "\u200b",
    "Hangul filler": "\u3164",
    "Braille blank": "\u2800",
    "byte order mark": "\ufeff",
    "Hangul choseong filler": "\u115f",
    "grapheme joiner": "\u034f",
    "tag characters": "\U000e0041\U000e0042",
    "soft hyphen": "\u00ad",
    "word joiner": "\u2060",
    "variation selector": "\ufe0f",
    "no-break spaces": "\u00a0\u202f\u3000",
    "halfwidth filler": "\uffa0",
    "line separator": "\u2028",
    "right-to-left mark": "\u200f",
    "a mixture": " \u200b\u3164\u2800\ufe0f\u00ad ",
}


@pytest.mark.parametrize("text", BLANKS.values(), ids=BLANKS)
def test_a_text_that_shows_nothing_is_empty_and_no_model_sees_it(text: str) -> None:
    predictor = tiny_predictor(lambda _: logits_for(0.9, 0.1))
    decision = predictor.decide(text)

    assert (decision.outcome, decision.reason, decision.route) == (Outcome.BLOCKED, Reason.EMPTY_TEXT, "person")
    assert isinstance(predictor.scorer, TableScorer)
    assert predictor.scorer.calls == 0


@pytest.mark.parametrize("text", ["a", "?", "あ", "👍", "\u200ba", "é", "ﷺ", "1"])
def test_a_text_that_shows_something_is_not_blank(text: str) -> None:
    assert not is_blank(text)


LENGTHS = {"at the limit": (100, None), "one above": (101, Reason.TOO_LONG), "a megabyte": (10**6, Reason.TOO_LONG)}


@pytest.mark.parametrize(("length", "reason"), LENGTHS.values(), ids=LENGTHS)
def test_the_character_limit_is_inclusive(length: int, reason: Reason | None) -> None:
    found = normalise("a" * length, POLICY)

    assert found == (reason or "a" * length)


def test_a_text_with_more_tokens_than_allowed_is_not_decided_on_its_start() -> None:
    decision = tiny_predictor(lambda _: logits_for(0.99, 0.01)).decide("word " * 17)

    assert (decision.outcome, decision.reason, decision.truncated) == (Outcome.BLOCKED, Reason.TOO_LONG, True)
    assert decision.tokens == 17


@pytest.mark.parametrize("text", ["a\0b", "a\ud800", "\udfffb"])
def test_what_is_not_text_is_undecodable(text: str) -> None:
    assert normalise(text, POLICY) is Reason.UNDECODABLE


@given(st.text(max_size=100))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text, POLICY)
    if not isinstance(once, Reason):
        assert normalise(once, POLICY) == once
        assert unicodedata.is_normalized("NFC", once)


@given(st.text(max_size=100))
def test_the_key_of_a_text_is_its_own_key(text: str) -> None:
    assert same_text_key(same_text_key(text)) == same_text_key(text)


@pytest.mark.parametrize(
    "other", ["Where is  my order", "WHERE IS MY ORDER", "where is my\u200b order", "ｗhere is my order "]
)
def test_copies_of_a_text_share_its_key(other: str) -> None:
    assert same_text_key(other) == same_text_key("where is my order")
