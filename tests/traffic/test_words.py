"""The parts that make a message: the grammar, the way people type, and the damage done to texts."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.errors import InputError
from interlock.data.traffic.catalogue import catalogue
from interlock.data.traffic.customers import PLAIN, draw_customer
from interlock.data.traffic.grammar import Grammar, say
from interlock.data.traffic.messages import AMBIGUOUS_PAIRS, OUTSIDE_KINDS
from interlock.data.traffic.voice import mend, typed
from interlock.data.traffic.wreckage import break_upstream


class FakeScene:
    """Enough of a scene for a grammar: always the same draw, and slots that name themselves."""

    def __init__(self, draw: float) -> None:
        self.random: Callable[[], float] = lambda: draw

    def fill(self, name: str) -> str:
        return name.upper()


@pytest.mark.parametrize(
    ("line", "first", "last"),
    {
        "a line without marks is said as it is": ("hello", "hello", "hello"),
        "alternatives may nest and be empty": ("{a {b|c}|}d", "a bd", "d"),
        "an optional part comes half of the time": ("a[ b]", "a b", "a"),
        "a slot is filled by the scene": ("<who> did", "WHO did", "WHO did"),
        "a rule is said where it is named": ("<rule>!", "one!", "two!"),
    }.values(),
)
def test_a_line_says(line: str, first: str, last: str) -> None:
    grammar = Grammar({"rule": "one\ntwo"})
    part = grammar.compile(line)

    assert [say(part, FakeScene(draw)) for draw in (0.0, 0.99)] == [first, last]


def test_a_bracket_that_was_never_opened_is_refused() -> None:
    with pytest.raises(InputError, match="never opened"):
        Grammar({}).compile("a}b")


@pytest.mark.parametrize(
    ("seam", "mended"),
    {
        "an article fits its noun": ("a action series and a one-shot", "an action series and a one-shot"),
        "a possessive needs no article": ("my the box set", "my box set"),
        "marks do not double": ("hello , there .?", "hello, there?"),
        "spaces do not double": ("a  b   c", "a b c"),
    }.values(),
)
def test_the_seams_of_a_message_are_mended(seam: str, mended: str) -> None:
    assert mend(seam) == mended


@given(text=st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=80), number=st.integers(0, 400))
def test_typing_never_loses_a_whole_message(text: str, number: int) -> None:
    customer = draw_customer(number, seed=1)
    out, tags = typed(text, customer.manner, random.Random(number))

    assert out or not text.rstrip(".!?")
    assert set(tags) <= {"slang", "typo"}


def test_a_careful_writer_makes_no_typos_and_ends_with_a_mark() -> None:
    assert typed("where is my order", PLAIN, random.Random(1)) == ("Where is my order.", ())


def test_a_careless_writer_is_tagged() -> None:
    manner = replace(PLAIN, typo_rate=1.0, slang=1.0, casing="lower")
    text, tags = typed("please recommend something good", manner, random.Random(1))

    assert set(tags) == {"slang", "typo"}
    assert text == text.lower()


@given(text=st.text(min_size=1, max_size=60), seed=st.integers(0, 50))
def test_a_broken_upstream_gives_text_or_nothing_but_never_fails(text: str, seed: int) -> None:
    assert isinstance(break_upstream(text.encode("utf-8", "ignore").decode(), random.Random(seed)), str)


def test_customers_are_the_same_person_every_time_they_are_drawn() -> None:
    assert draw_customer(7, seed=1) == draw_customer(7, seed=1)
    assert draw_customer(7, seed=1).manner != draw_customer(8, seed=1).manner


def test_no_two_series_share_a_name() -> None:
    names = [series.name for series in catalogue()]

    assert len(set(names)) == len(names) > 1_000


def test_every_ambiguous_pair_names_two_intents_and_every_outside_kind_a_forced_label() -> None:
    from interlock.data.traffic.conversations import FORCED
    from interlock.data.traffic.intents import INTENTS

    assert all(set(pair) < set(INTENTS) for pair in AMBIGUOUS_PAIRS.values())
    assert set(OUTSIDE_KINDS) < set(FORCED)
    assert all(pytest.approx(1.0) == sum(share for _, share in forced) for forced in FORCED.values())
