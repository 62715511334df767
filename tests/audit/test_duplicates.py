"""Copies are found, each under its own code; parts that share texts are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from interlock.core.dataset import Example
from interlock.data.audit.run import Audit
from interlock.data.near import loose_key, near_texts

Look = Callable[..., Audit]
Make = Callable[..., list[Example]]


def with_copy(rows: list[Example], change: Callable[[str], str], **more: object) -> list[Example]:
    """Return the rows and a changed copy of the eleventh."""
    copy = replace(rows[10], id="copy", text=change(rows[10].text), **more)  # type: ignore[arg-type]
    return [*rows, copy]


def one_word(text: str) -> str:
    words = text.split()
    return " ".join([*words[:4], "volcano", *words[5:]])


KINDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "the same text": ("duplicate.exact", lambda text: text),
    "case": ("duplicate.normalised", str.upper),
    "punctuation": ("duplicate.normalised", lambda text: text.replace(" ", ", ", 2) + "!?"),
    "white space": ("duplicate.normalised", lambda text: f"  {text.replace(' ', chr(0x3000))} "),
    "zero-width": ("duplicate.normalised", lambda text: text[:3] + "\u200b" + text[3:]),
    "full width": ("duplicate.normalised", lambda text: "".join(chr(ord(c) + 0xFEE0) if c > " " else c for c in text)),
    "another word": ("duplicate.near", one_word),
    "a word less": ("duplicate.near", lambda text: " ".join(text.split()[1:])),
    "a word more": ("duplicate.near", lambda text: f"{text} thanks"),
    "a typing error": ("duplicate.near", lambda text: text[:9] + "x" + text[10:]),
}


def test_clean_rows_have_no_duplicates(clean: Audit) -> None:
    assert not [finding.code for finding in clean.findings if finding.code.startswith(("duplicate.", "split."))]


@pytest.mark.parametrize(("code", "change"), KINDS.values(), ids=KINDS)
def test_a_planted_copy_is_found_and_names_the_row_to_keep(
    code: str, change: Callable[[str], str], look: Look, make: Make
) -> None:
    found = look(with_copy(make(120), change)).found(code)

    assert found is not None
    assert set(found.rows) == {"copy", "r0010"}
    assert set(found.keep.items()) & {("copy", "r0010"), ("r0010", "copy")}


def test_one_text_with_two_labels_is_settled_by_the_commonest(look: Look) -> None:
    rows = [Example(f"a{i}", "where is my money", ("billing",)) for i in range(3)]
    rows += [Example("b", "Where is my money?", ("travel",)), Example("c", "play a song", ("music",))]
    found = look(rows).found("duplicate.conflicting")

    assert found is not None
    assert set(found.rows) == {"a0", "a1", "a2", "b"}
    assert found.suggestions == {"b": "billing"}
    assert found.rows[0] == "b"


def test_copies_of_one_label_do_not_conflict(look: Look, make: Make) -> None:
    assert look(with_copy(make(40), str.upper)).found("duplicate.conflicting") is None


def test_a_text_in_two_parts_refuses_the_data(look: Look, make: Make) -> None:
    rows = make(120)
    leaked = replace(rows[5], id="t5", text=rows[5].text.upper())
    audit = look(rows, test=[leaked, *make(20, seed=9)[10:]])
    found = audit.found("split.leak")

    assert audit.verdict == "reject"
    assert found is not None
    assert set(found.rows) >= {"r0005", "t5"}
    assert found.severity == "reject"
    assert found.numbers == {"exact": 0, "normalised": 1, "punctuation": 0}


def test_a_text_that_differs_by_punctuation_asks_for_a_look_but_does_not_refuse(look: Look, make: Make) -> None:
    rows = make(120)
    audit = look(rows, test=[replace(rows[5], id="t5", text=f"{rows[5].text}!"), *make(200, seed=9)[190:]])
    found = audit.found("split.leak")

    assert found is not None
    assert (found.severity, found.rows) == ("warn", ("r0005", "t5"))


def test_parts_that_share_nothing_are_accepted(look: Look, make: Make) -> None:
    audit = look(make(120), test=[replace(row, id=f"t{row.id}") for row in make(200, seed=5)[160:]])

    assert audit.found("split.leak") is None
    assert audit.verdict == "accept"


def test_a_group_in_two_parts_is_named(look: Look, make: Make) -> None:
    rows = [replace(row, group=f"g{i}") for i, row in enumerate(make(40))]
    test = [replace(row, id=f"t{row.id}", group="g3") for row in make(50, seed=8)[44:]]
    found = look(rows, test=test).found("split.group")

    assert found is not None
    assert found.rows == ("r0003",)


def test_near_pairs_are_measured_exactly() -> None:
    found = near_texts(["abcdef", "abcdefg", "something else"])

    # " abcdef " has the shingles " ab abc bcd cde def ef ", " abcdefg " has " ab abc bcd cde def efg fg ": 5 of 8
    assert found.pairs == ()
    longer = near_texts(["abcdefghijklm", "abcdefghijklmn"])
    assert [(one, other, round(likeness, 6)) for one, other, likeness in longer.pairs] == [(0, 1, 0.8)]  # 12 of 15


def test_families_join_pairs_through_others() -> None:
    texts = ["please book me the hotel", "please book me the train", "please find me the train", "guitar and drums"]

    assert near_texts(texts).families() == [[0, 1, 2]]


def test_keys_keep_what_tells_texts_apart() -> None:
    assert loose_key("  Where IS it?! ") == "where is it"
    assert loose_key("C++") != loose_key("C")
    assert loose_key("???") == "???"
    assert loose_key("café") == loose_key("cafe\u0301")
