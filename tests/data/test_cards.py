"""The label guide and the data card: what they say, what they never show, and that nothing breaks them."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from interlock.core.contract import Contract
from interlock.core.dataset import CalibrationSet, Dataset, Example, Split, SplitManifest, TestSet, TrainSet
from interlock.data.audit.mask import masked
from interlock.data.audit.run import examine
from interlock.data.cards import cards, label_guide
from interlock.data.cards.cases import learnt_cases
from interlock.data.cards.make import DATA_CARD, LABEL_GUIDE, LEARNT, sampled
from interlock.data.cards.markdown import code, message, plain
from interlock.data.cards.precedence import precedence

WORDS = {
    "order": ["parcel", "late", "tracking", "courier", "delivery", "door"],
    "refund": ["money", "back", "broken", "refund", "torn", "return"],
    "hello": ["hi", "thanks", "morning", "bye", "friend", "nice"],
}
HOSTILE = (
    "`code` ``more`` | a cell | <script>alert(1)</script> <!-- -->",
    "# a heading\n\n| a | table |\n|---|---|\n<b>",
    "```\nfence\n```",
    "](http://x) ![i](u) **bold** _it_ \\",
    "` ",
    "|",
)


def contract(labels: dict[str, dict[str, Any]] | None = None, **fields: Any) -> Contract:
    given_labels = labels or {label: {"route": f"{label}_desk", "means": f"about {label}"} for label in WORDS}
    body = {"contract": 1, "name": "shop", "label_version": "v1", "labels": given_labels, **fields}
    return Contract.model_validate(body)


def shop(count: int = 90, *, seed: int = 1) -> list[Example]:
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        label = sorted(WORDS)[number % 3]
        words = [*chance.choices(WORDS[label], k=4), f"n{number}"]
        rows.append(Example(f"r{number:04d}", " ".join(words), (label,)))
    return rows


def split_of(train: Sequence[Example], test: Sequence[Example] = (), held: Sequence[Example] = ()) -> Split:
    sets = TrainSet(tuple(train)), CalibrationSet(tuple(held)), TestSet(tuple(test))
    manifest = SplitManifest(
        "stratified", 42, {}, {"train": (), "calibration": (), "test": ()}, {}, {"exact": 0, "group": 2}, ("gone",)
    )
    return Split(*sets, manifest)


def pages(*rows: Example, terms: Contract | None = None) -> str:
    made = cards(terms or contract(), split_of(rows))
    return made[LABEL_GUIDE] + "\n" + made[DATA_CARD]


def tokens(page: str) -> list[Any]:
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(page):
        found += [token, *(token.children or [])]
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_a_message_full_of_markdown_stays_one_code_span(text: str) -> None:
    for cell in (False, True):
        line = f"| a | {message(text, cell=True)} |" if cell else f"- {message(text)}"
        page = f"| a | b |\n|---|---|\n{line}\n" if cell else line
        spans = [token.content for token in tokens(page) if token.type == "code_inline"]

        assert spans == [masked(text)]


@given(st.text(min_size=1, max_size=40))
@settings(deadline=None)
def test_prose_reads_as_it_was_written_and_is_nothing_but_text(text: str) -> None:
    shown = plain(text)
    found = tokens(f"- Means: {shown}")
    wanted = " ".join("".join(char if char.isprintable() else " " for char in text).split())

    assert {token.type for token in found} <= {
        *("bullet_list_open", "list_item_open", "paragraph_open", "inline", "text", "text_special"),
        *("paragraph_close", "list_item_close", "bullet_list_close"),
    }
    assert (
        "".join(token.content for token in found if token.type in {"text", "text_special"})
        == f"Means: {wanted}".strip()
    )


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
@settings(deadline=None)
def test_a_code_span_holds_any_line(text: str) -> None:
    wanted = " ".join(text.split())
    spans = [token.content for token in tokens(f"is {code(text)} so") if token.type == "code_inline"]

    assert [span.strip() for span in spans] == [wanted]


def test_hostile_rows_labels_and_meanings_leave_the_pages_whole() -> None:
    names = ["a | b", "<i>`x`</i>", "two\nlines # of"]
    terms = contract(
        {label: {"route": "desk", "means": text, "not": text} for label, text in zip(names, HOSTILE[:3], strict=True)}
    )
    rows = [
        replace(row, text=f"{HOSTILE[at % 6]} {row.text}", labels=(names[at % 3],), slice="s|`", lang="<b>")
        for at, row in enumerate(shop())
    ]
    made = cards(terms, split_of(rows))

    for page, headings in ((made[LABEL_GUIDE], 5), (made[DATA_CARD], 7)):
        found = tokens(page)
        assert sum(token.type == "heading_open" for token in found) == headings
        assert not [
            token for token in found if token.type in {"html_block", "html_inline", "image", "link_open", "fence"}
        ]
        for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


@pytest.mark.parametrize("thorough", [False, True])
def test_the_same_rows_give_the_same_bytes_whatever_their_order(thorough: bool) -> None:
    rows = [replace(row, annotations=(("x", "order"), ("y", row.label))) for row in shop()]
    mixed = rows.copy()
    random.Random(4).shuffle(mixed)

    one, other = (cards(contract(), split_of(some), thorough=thorough) for some in (rows, mixed))
    assert one == other
    assert label_guide(contract(), Dataset(tuple(mixed))) == label_guide(contract(), Dataset(tuple(rows)))


def test_nothing_personal_is_shown() -> None:
    rows = [
        replace(
            row,
            id=f"id-{row.id}@mail.example",
            text=f"{row.text} write to jane.doe@mail.example or +44 20 7946 0958",
            group=f"customer-{number}-secret",
            slice="owner@mail.example",
            annotations=(("Jane Doe", row.label), ("John Roe", row.label)),
        )
        for number, row in enumerate(shop())
    ]
    shown = pages(*rows)

    assert "[mail]" in shown
    assert not [said for said in ("@", "7946", "secret", "Jane", "Roe", "id-r") if said in shown]


def test_examples_come_from_training_rows_of_their_label_and_near_misses_from_others() -> None:
    train, test = shop(120), [replace(row, id=f"t{row.id}", text=f"test {row.text}") for row in shop(30, seed=2)]
    label_of = {row.text: row.label for row in train}
    found = examine({"train": train, "test": test}, contract=contract())
    cases = learnt_cases(found.subject)

    assert set(cases) == set(WORDS)
    for label, case in cases.items():
        assert len(set(case.typical)) == 3
        assert {label_of[text] for text in case.typical} == {label}
        assert {(text, label_of[text]) for text, _ in case.near} == set(case.near)
        assert label not in {other for _, other in case.near}
    assert "test " not in cards(contract(), split_of(train, test), thorough=True)[LABEL_GUIDE]


def test_labels_that_share_their_words_are_named_as_confused_and_their_rows_as_ambiguous() -> None:
    chance = random.Random(3)
    twins = [
        Example(
            f"t{number}",
            " ".join([*chance.choices(WORDS["order"], k=4), f"n{number}"]),
            (("order", "refund")[number % 2],),
        )
        for number in range(80)
    ]
    guide = cards(contract(), split_of([*twins, *(row for row in shop() if row.label == "hello")]))[LABEL_GUIDE]
    order = guide[guide.index("## `order`") : guide.index("## `refund`")]

    assert "- Most often confused with:\n  - `refund`: " in order
    assert "or `refund`?" in order
    assert "- Precedence: against `refund` *to fill in*" in order


def test_a_critical_label_wins_then_the_one_whose_miss_costs_more_and_the_rest_is_open() -> None:
    labels = {name: {"route": name, "critical": name == "a"} for name in ("a", "b", "c", "d")}
    pairs = [["b", "c", "high"], ["d", "a", "very_high"], ["c", "d", "low", "both_ways"]]
    order = precedence(contract(labels, costs={"pairs": pairs}))

    assert order["a"].over_uncritical  # even over d, whose miss costs most
    assert (order["b"].over, order["c"].under) == (("c",), ("b",))
    assert (order["d"].over, order["d"].under, order["c"].over) == ((), (), ())


def test_annotators_are_counted_and_their_agreement_measured() -> None:
    said = (
        [("order", "order")] * 20 + [("order", "refund")] * 5 + [("refund", "order")] * 10 + [("refund", "refund")] * 15
    )
    rows = [
        replace(row, annotations=(("x", one), ("y", other))) for row, (one, other) in zip(shop(50), said, strict=True)
    ]
    made = cards(contract(), split_of(rows))

    assert "| 1 and 2 | 0.400 |" in made[LABEL_GUIDE]  # 35 of 50 agree, half of them by chance
    assert "| observed agreement | 0.700 |" in made[DATA_CARD]
    assert "## Annotator agreement" not in pages(*shop())


def test_what_is_missing_is_listed() -> None:
    labels: dict[str, dict[str, Any]] = {
        "order": {"route": "a", "critical": True},
        "refund": {"route": "b", "means": "m", "not": "n"},
        "hello": {"route": "c"},
    }
    rows = [
        replace(
            row, lang="en", timestamp=f"2025-{11 if number % 2 else 2:02d}-03T00:00:00Z", group="g" if number else None
        )
        for number, row in enumerate(shop(30))
    ]
    card = cards(contract(labels, slices={"required": ["vip"]}), split_of(rows, rows[:1]))[DATA_CARD]

    for gap in (
        "1 critical labels have fewer than 1000 training rows: `order`.",
        "2 labels have fewer than 20 training rows: `refund`, `hello`.",
        "3 labels have no calibration row: `order`, `refund`, `hello`.",
        "2 labels have no `means` in the contract: `order`, `hello`.",
        "required slices have no row: `vip`.",
        "languages with fewer than 50 rows: `en`.",
        "2 of 31 rows have no `group`.",
        "8 months between the first row and the last have none: `2025-03`",
        "no row has `annotations`: how far people agree on the labels is not known.",
    ):
        assert f"- {gap}" in card
    assert "| group | 2 |" in card  # the proof of the split
    assert "Rows in no part, as they would leak: 1" in card


def test_a_thorough_card_has_what_the_audit_found_and_a_quick_one_says_that_it_is_quick() -> None:
    rows = [*shop(), replace(shop()[0], id="copy")]
    split = split_of(rows, shop(30, seed=2))
    codes = {
        finding.code for finding in examine({"train": split.train, "test": split.test}, contract=contract()).findings
    }
    thorough, quick = (cards(contract(), split, thorough=choice)[DATA_CARD] for choice in (True, False))

    assert set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", thorough, re.MULTILINE)) == codes
    assert "only the quick checks were run" in quick
    assert "only the quick checks were run" not in thorough
    assert "| `duplicate.exact` | warn | 1 |" in quick


@pytest.mark.parametrize("thorough", [False, True])
def test_without_scikit_learn_the_pages_say_that_no_model_chose(
    thorough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    made = cards(contract(), split_of(shop()), thorough=thorough)

    assert "no model was asked" in made[LABEL_GUIDE]
    assert "label.noise" not in made[DATA_CARD]
    assert "- Note: The audit needs the extra 'train'" in made[DATA_CARD]


@pytest.mark.parametrize(
    "rows",
    [
        [Example("1", "hello", ("hello",))],
        [Example(str(i), "same", ("hello",)) for i in range(30)],
        [Example(str(i), f"both {i}", ("hello", "order")) for i in range(30)],
    ],
    ids=["one", "one text", "several labels"],
)
def test_rows_too_few_or_too_alike_for_a_model_still_give_both_pages(rows: list[Example]) -> None:
    shown = pages(*rows)

    assert "# Data card: shop" in shown
    assert "a model needs at least two labels" in shown


def test_a_model_learns_from_the_same_number_of_rows_of_each_label() -> None:
    rows = [Example(f"{label}{i}", "t", (label,)) for label, n in (("a", 2 * LEARNT), ("b", 30)) for i in range(n)]
    found = Dataset(tuple(sampled(Dataset(tuple(rows))))).counts()

    assert found == {"a": LEARNT // 2, "b": 30}
