"""Messages with words that the router never met are read again; all readings must go the same way."""

from __future__ import annotations

import string
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.contract import Contract
from interlock.core.decision import Outcome, Reason
from interlock.core.errors import RefusedError
from interlock.predict.detectors import UnknownGate
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import FloatArray
from interlock.predict.slips import LONGEST, Sieve
from interlock.predict.words import MOST_CHARACTERS, READINGS, Reading, Words, read_words, whole_words
from interlock.testing import TableScorer, tiny_contract, tiny_predictor

WHOLE = {word: place for place, word in enumerate(("the", "my", "is", "life", "lie", "limit", "mail", "card", "ok"))}
WORDS = Words.of(WHOLE, ["My 401k is at T-Mobile, naïve Zoë's \N{WHITE SMILING FACE}"])


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("my life is the limit", None),
        ("My LIFE, is... the 'limit'!", None),
        ("my 401k at t-mobile is 5 000,00 $ \u2013 60 %", None),  # met in training, numbers, marks
        ("zoe's card", None),  # accents and short forms count for nothing
        ("\N{WHITE SMILING FACE} my card", None),
        ("my lfie", "my life"),  # swapped; "lie" is a slip away too, but rarer
        ("my liife is", "my life is"),
        ("my crd", "my card"),
        ("my limyt", "my limit"),
        ("my l.i.f.e", "my life"),
        ("my e-mail", "my mail"),  # a letter alone is no part of a word
        ("my c4rd", "my card"),
        ("my l1f3", "my life"),
        ("my m4i1", "my mail"),
        ("my zzzzzz card", "my card"),
        ("\N{GRINNING FACE} my card", "my card"),  # a sign that was never met
        ("zzzzzz", ""),
        ("my \u6ce8\u6587", ""),  # a script that was never met
        ("my \u043a\u0430\u0440\u0442\u0430", ""),
        ("my " + "x" * 200, "my"),
    ],
)
def test_unknown_words_are_corrected_or_left_out(text: str, second: str | None) -> None:
    found = WORDS.readings(text)
    assert (found[0].text if found else None) == second
    for reading in found[:1]:
        lacking_one = 0 < len(reading.text.split()) < len(text.split()) and "\N{GRINNING FACE}" not in text
        assert reading.alone != lacking_one
    assert not any(reading.alone for reading in found[1:])  # no text here lacks words beside corrected ones


def test_words_joined_by_a_mark_are_known_by_their_plain_form() -> None:
    words = Words.of({**WHOLE, "email": 99}, [])
    assert words.readings("my e-mail")[0] == Reading("my email", alone=True)


def test_each_unknown_word_is_read_as_all_it_may_stand_for_and_words_of_training_first() -> None:
    words = Words.of({**WHOLE, "lift": 99, "like": 100}, ["a lift", "roku"])
    corrected = words.readings("my lif rkou")
    assert [one.text for one in corrected] == ["my lift roku", "my life roku", "my lie roku"]
    assert [one.alone for one in corrected] == [True, False, False]
    lacking = words.readings("my lif and rkou")  # "and" is not known to this tokenizer
    assert lacking == [Reading(one.text, alone=True) for one in corrected]
    assert words.readings("my life lift") == []


def test_a_word_that_says_itself_again_is_no_correction() -> None:
    for text in ("zz9", "zz-zz", "my 4-zz", "l.1"):
        assert all(text not in reading.text for reading in WORDS.readings(text))


@pytest.mark.parametrize(
    ("text", "reading"), [("my card zz qq", "my card"), ("my zz qq", ""), ("zz \U0001f178\U0001f182", "")]
)
def test_a_text_of_which_most_would_be_left_out_is_not_read(text: str, reading: str) -> None:
    assert WORDS.readings(text) == [Reading(reading, alone=True)]


@pytest.mark.parametrize("text", ["?", "?!?!", " ... ", "\u3002\u3001\uff01", "$ + = %"])
def test_marks_alone_say_nothing(text: str) -> None:
    assert WORDS.readings(text) == [Reading("", alone=True)]
    assert WORDS.readings(f"{text} ok") == WORDS.readings(f"5 {text}") == []
    assert WORDS.readings("\N{WHITE SMILING FACE}") == []  # a sign that was met says something


@pytest.mark.parametrize("text", ["my \u0142imit", "my \u0142im\u0131\u0167", "my \u0142iimit"])
def test_letters_with_marks_that_no_form_takes_off_are_read_as_plain_ones(text: str) -> None:
    assert WORDS.readings(text)[0] == Reading("my limit", alone=True)


def test_only_a_few_words_are_corrected_so_that_no_text_takes_long() -> None:
    found = WORDS.readings(" ".join(["lfie"] * 16))
    assert found == [Reading(" ".join([word] * 8), alone=True) for word in ("life", "lie")]
    near = Words.of({f"li{letter}e": place for place, letter in enumerate("abcdeg")}, [])
    assert len(near.readings("life")) == READINGS


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_reads_and_the_words_of_training_are_known(text: str) -> None:
    assert all(isinstance(reading.text, str) for reading in WORDS.readings(text))
    known = Words.of(WHOLE, [text])
    assert not known.readings(text) or not (text.isascii() and any(char.isalnum() for char in text))


@given(st.lists(st.text(alphabet="abcdefghij'- 0", max_size=12), max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_was_met_in_training_is_never_read_twice(texts: list[str]) -> None:
    words = Words.of({}, texts)
    for text in texts:
        assert all(words.knows(part) or len(part) > 1 for part in text.split())


@given(st.lists(st.sampled_from([*WHOLE, "My", "crd", "is.", "l.i.f.e", "401k", "\x1c", "zz"]), max_size=6))
def test_a_text_is_read_again_only_for_words_that_are_not_known(words: list[str]) -> None:
    known = all(WORDS.knows(word) for word in " ".join(words).split())
    assert bool(WORDS.readings(" ".join(words))) != known


def slips(word: str) -> set[str]:
    """Return all strings a slip away, one by one."""
    halves = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    letters = string.ascii_lowercase if word.isascii() else ""
    return {
        *(left + right[1:] for left, right in halves if right),
        *(left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1),
        *(left + letter + right[1:] for left, right in halves if right for letter in letters),
        *(left + letter + right for left, right in halves for letter in letters),
    }


@given(st.text(alphabet="abcxyz09", min_size=1, max_size=LONGEST) | st.text(alphabet="aкаø", min_size=1))
@settings(max_examples=60, deadline=None)
def test_the_sieve_lets_every_known_word_a_slip_away_through_and_few_others(word: str) -> None:
    word = word[:LONGEST]
    every = slips(word)
    assert every <= set(Sieve(frozenset(zlib.crc32(one.encode()) for one in every)).one_slip_away(word))
    few = set(Sieve(frozenset({zlib.crc32(b"mail")})).one_slip_away(word))
    assert few <= every
    assert ("mail" in few) == ("mail" in every)
    assert len(few) <= 2 * len(word) + 3  # those that are made without being looked for, and a chance hit or two


def test_each_kind_of_tokenizer_tells_its_whole_words() -> None:
    assert whole_words({"[CLS]": 0, "life": 2, "##fe": 1, "Li": 3, "1": 4}) == {"life": 2, "li": 3}
    assert whole_words({"<s>": 0, "\u2581Life": 1, "fe": 2, "\u2581": 3}) == {"life": 1}
    assert whole_words({"\u0120life": 1, "fe": 2}) == {"life": 1}
    assert whole_words({}) == {}


def test_what_is_stored_reads_back() -> None:
    again = read_words(WORDS.tensors(), WHOLE)
    assert again == WORDS
    assert not any(b"mobile" in array.tobytes() for array in WORDS.tensors().values())  # digests, not words


@pytest.mark.parametrize(
    "change",
    [
        {"met": np.array([2, 1], dtype=np.uint64)},
        {"met": np.array([1, 1], dtype=np.uint64)},
        {"met": np.array([1.0])},
        {"met": np.zeros((1, 1), dtype=np.uint64)},
        {"characters": np.array([0xFF], dtype=np.uint8)},
        {"characters": np.zeros(4 * MOST_CHARACTERS + 1, dtype=np.uint8)},
        {"characters": np.array([1.0])},
        {"more": np.zeros(1)},
    ],
)
def test_what_is_no_list_of_words_is_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(RefusedError, match="known words"):
        read_words({**WORDS.tensors(), **change}, WHOLE)


def test_missing_parts_are_refused() -> None:
    with pytest.raises(RefusedError, match="known words"):
        read_words({"met": np.zeros(0, dtype=np.uint64)}, WHOLE)


SURE, OTHER, WEAK = np.array([5.0, 0.0]), np.array([0.0, 5.0]), np.array([0.1, 0.0])


def reader(say: Callable[[str], FloatArray | None], **changes: str) -> Predictor:
    """Return a router of the labels yes and no that knows ``WORDS``."""
    return replace(tiny_predictor(say, contract=tiny_contract(**changes)), words=WORDS)


def test_a_message_whose_readings_differ_is_not_routed_without_a_second_look() -> None:
    router = reader(lambda text: OTHER if "life" in text else SURE)
    found = router.trace("my lfie")
    assert (found.decision.outcome, found.decision.reason) == (Outcome.GUARDED, Reason.UNKNOWN_WORDS)
    assert (found.reread, found.doubted, found.decision.label) == ("my life", True, "yes")


def test_a_message_whose_readings_agree_is_routed() -> None:
    found = reader(lambda _: SURE).trace("my lfie")
    assert (found.decision.outcome, found.reread, found.doubted) == (Outcome.ROUTED, "my life", False)


def test_what_cannot_be_read_again_is_doubted() -> None:
    for broken in (None, np.array([np.nan, 0.0]), np.array([1.0])):
        router = reader(lambda text, broken=broken: broken if "life" in text else SURE)  # type: ignore[misc]
        assert router.decide("my lfie").reason is Reason.UNKNOWN_WORDS
    assert reader(lambda _: SURE).decide("\u6ce8\u6587").reason is Reason.UNKNOWN_WORDS


def test_a_second_reading_of_no_known_kind_is_doubted() -> None:
    router = replace(reader(lambda text: SURE / 5 if "life" in text else SURE), unknown=UnknownGate(-2.0))
    assert router.decide("my lfie").reason is Reason.UNKNOWN_WORDS
    assert router.decide("my life").reason is Reason.UNKNOWN


def test_a_second_reading_that_would_not_be_routed_itself_is_doubted() -> None:
    router = reader(lambda text: WEAK if "limit" in text else SURE)
    assert router.decide("my limyt").reason is Reason.UNKNOWN_WORDS
    assert router.decide("my limit").reason is Reason.LOW_CONFIDENCE


def test_one_of_several_corrections_that_goes_elsewhere_is_enough_to_doubt_and_a_weak_one_is_not() -> None:
    found = reader(lambda text: OTHER if "lie" in text else SURE).trace("my lfie")
    assert (found.decision.reason, found.reread) == (Reason.UNKNOWN_WORDS, "my lie")
    weak = reader(lambda text: WEAK if "lie" in text else SURE).trace("my lfie")
    assert (weak.decision.reason, weak.reread) == (Reason.AUTO, "my life")


def test_a_second_reading_that_lacks_one_word_may_be_strange_and_one_that_lacks_two_may_not() -> None:
    router = replace(reader(lambda text: SURE if "zzzzzz" in text else SURE / 5), unknown=UnknownGate(-2.0))
    assert router.decide("my zzzzzz").outcome is Outcome.ROUTED
    assert router.decide("my zzzzzz qqqqqq").reason is Reason.UNKNOWN_WORDS


def test_a_known_message_costs_one_run_and_the_contract_can_leave_the_second_out() -> None:
    def runs(text: str, **changes: str) -> int:
        router = reader(lambda _: SURE, **changes)
        router.decide(text)
        assert isinstance(router.scorer, TableScorer)
        return router.scorer.calls

    assert runs("my life") == 1
    assert runs("my limyt") == 2
    assert runs("my lfie") == 3  # life or lie
    assert runs("my lfie", decide="{reread: false}") == 1


def test_labels_that_share_a_route_are_one_way() -> None:
    labels = "{yes: {route: desk}, no: {route: desk}}"
    router = reader(lambda text: OTHER if "life" in text else SURE, labels=labels)
    assert router.decide("my lfie").outcome is Outcome.ROUTED


def test_under_a_threshold_a_doubted_message_counts_as_positive() -> None:
    router = reader(lambda text: SURE if "life" in text else OTHER, decide="{positive: yes, threshold: 0.5}")
    found = router.decide("my lfie")
    assert (found.label, found.route, found.reason) == ("yes", "yes", Reason.UNKNOWN_WORDS)
    assert router.decide("my card").reason is Reason.BELOW_THRESHOLD


def test_a_weak_message_stays_below_the_bands() -> None:
    router = reader(lambda text: OTHER if "life" in text else WEAK)
    assert router.decide("my lfie").reason is Reason.LOW_CONFIDENCE


def test_contracts_from_before_keep_their_digests() -> None:
    contract = tiny_contract()
    assert "reread" not in contract.to_json()["decide"]
    assert "reread" in Contract.from_json({**contract.to_json(), "decide": {"reread": False}}).to_json()["decide"]
