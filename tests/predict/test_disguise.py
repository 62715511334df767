"""Texts as people see them, and those that show something else than they say."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.contract import InputPolicy
from interlock.core.decision import Outcome, Reason
from interlock.data.perturb.disguise import FAMILIES, disguised
from interlock.predict.disguise import is_disguised, readable
from interlock.predict.normalise import normalise
from interlock.testing import logits_for, tiny_contract, tiny_predictor

CLEAN = (
    "where is my order from last week",
    "change my w2 form please, and my 401k",
    "i paid $20 for 2nd class at 10am",
    "my email is jo@shop4you.com",
    "what's the b2b rate?",
    "résumé naïve café",
    "Где моя посылка?",
    "Πού είναι η παραγγελία μου",
    "注文はどこですか",
    "Naruto の 5巻 onegai shimasu",
    "dunmeshiの5巻は在庫ありますか",
    "コードSHELF20はありますか",
    "كيف حالك",
    "family 👨‍👩‍👧 photo ❤️",
    "क्या हाल है",
    "Tiếng Việt rất đẹp",
    "U.S.A. and e.g. Inc.",
    "a b c d",
    "what is 20% of 50%, or 100%?",
    "5%add and a 20%ad, c++ and a+b+c, 2+3+4, me+you",
)
ENCODED = (
    "what%20is%20my%20name",
    "my%20name",
    "%61%67%72%65%65%64",
    "%E6%B3%A8%E6%96%87",
    "what+is+my+name",
    "&#110;o",
    "&#x6e;o",
)
UNDONE = (
    *("zero_width_space", "zero_width_joiners", "word_joiner", "soft_hyphen", "grapheme_joiner", "tag_characters"),
    *("invisible_operators", "variation_selectors", "variation_supplement", "deprecated_controls", "bidi_marks"),
    *("bidi_isolates", "bidi_embedding", "annotation_marks", "full_width", "mathematical_bold", "circled_letters"),
    "hangul_fillers",
)
SUSPECT = ("bidi_override", "bidi_override_part", "combining_stack", "spaced_letters", "leet_many", "html_entities")


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_texts_of_many_languages_are_no_disguises(text: str) -> None:
    assert not is_disguised(text, readable(text))


@pytest.mark.parametrize("text", ["how much vacati\x85on", "how\vmuch", "va\fcation", "how \x1b[1mmuch\x1b[0m"])
def test_a_break_inside_a_word_or_a_terminals_colour_that_may_show_nothing_is_one(text: str) -> None:
    assert is_disguised(text, readable(text))
    assert not is_disguised("how much\n\tvacation\x85 \v\fhave\u2028i", readable("how much vacation have i"))


@pytest.mark.parametrize("text", ENCODED)
def test_a_text_as_it_stands_in_an_address_or_a_page_is_one(text: str) -> None:
    assert is_disguised(text, readable(text))


@pytest.mark.parametrize("family", UNDONE)
def test_what_shows_nothing_and_what_is_a_letter_in_other_form_is_undone(family: str) -> None:
    text = "where is my order from last week"

    assert readable(disguised(text, family, seed=1)) == text


@pytest.mark.parametrize("family", ["cyrillic_one", "cyrillic_many", "greek_many"])
def test_look_alikes_are_undone_or_seen(family: str) -> None:
    for seed in range(20):
        changed = disguised("where is my order from last week", family, seed=seed)
        plain = readable(changed)
        assert plain == "where is my order from last week" or is_disguised(changed, plain)


@pytest.mark.parametrize("family", SUSPECT)
def test_what_cannot_be_undone_is_seen(family: str) -> None:
    changed = disguised("where is my order from last week", family, seed=1)

    assert is_disguised(changed, readable(changed))


@given(st.text(max_size=60))
def test_a_readable_text_stays_as_it_is(text: str) -> None:
    once = readable(text)

    assert readable(once) == once


@given(st.text(alphabet=st.characters(max_codepoint=0x7E, min_codepoint=0x20), max_size=60))
def test_plain_ascii_is_untouched(text: str) -> None:
    assert readable(text) == text


def test_every_family_gives_the_same_again_and_changes_something() -> None:
    assert len(FAMILIES) == 40
    for family in FAMILIES:
        changed = disguised("where is my order from last week", family, seed=3)
        assert changed == disguised("where is my order from last week", family, seed=3)
        assert changed != "where is my order from last week"


def test_a_disguise_is_never_routed_without_a_second_look() -> None:
    sure = tiny_predictor(lambda _: logits_for(0.99, 0.01))
    decision = sure.decide("\u202erefund my order\u202c")

    assert (decision.outcome, decision.reason) == (Outcome.GUARDED, Reason.DISGUISED)
    assert sure.decide("refund my\u200b order").outcome is Outcome.ROUTED
    binary = tiny_contract(decide="{positive: 'yes', threshold: 0.5}")
    decision = tiny_predictor(lambda _: logits_for(0.01, 0.99), contract=binary).decide("r3fund my 0rder")
    assert (decision.label, decision.reason) == ("yes", Reason.DISGUISED)


def moody(text: str) -> np.ndarray:
    """Decide surely, and otherwise for every text that differs by one character."""
    sure = hashlib.sha256(text.encode()).digest()[0] % 2
    return logits_for(*((0.99, 0.01) if sure else (0.01, 0.99)))


@pytest.mark.parametrize("family", [*UNDONE, *SUSPECT])
def test_even_a_model_that_minds_every_character_is_not_led_to_another_route(family: str) -> None:
    predictor = tiny_predictor(moody, contract=tiny_contract(input="{max_tokens: 128, max_chars: 4000}"))
    for number in range(25):
        text = f"where is my order number {number} from last week"
        clean, changed = predictor.decide(text), predictor.decide(disguised(text, family, seed=number))
        assert changed.outcome is not Outcome.ROUTED or changed.route == clean.route


def test_a_compatibility_form_that_grows_beyond_the_limit_is_too_long() -> None:
    assert normalise("\ufdfa" * 10, InputPolicy(max_chars=20)) is Reason.TOO_LONG
    assert normalise("ﬁne", InputPolicy(form="plain")) == "ﬁne"
    assert normalise("ﬁne", InputPolicy()) == "fine"


def test_long_hostile_texts_are_made_readable_in_time_that_grows_with_their_length() -> None:
    for piece in ("a\u0301\u0316", "\u202e", "a. ", "0a", "&#", "а", "a1", "\ufdfa", "a\u200b", " \t"):
        text = piece * (8000 // len(piece))
        plain = readable(text)
        assert isinstance(is_disguised(text, plain), bool)
    assert np.isfinite(len(readable("\U0001f468\u200d" * 2000)))
