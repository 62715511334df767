"""What texts hold: personal data, scripts, emoji, addresses, length; and that nothing personal is ever shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from interlock.core.contract import Contract
from interlock.core.dataset import Example
from interlock.data.audit.checks.language_mix import scripts
from interlock.data.audit.mask import is_card, masked, personal
from interlock.data.audit.page import page
from interlock.data.audit.pieces import token_counts
from interlock.data.audit.run import Audit
from interlock.report.figures import svg

Look = Callable[..., Audit]
Make = Callable[..., list[Example]]

PERSONAL = {
    "bob.smith@example.co.jp": "mail",
    "4111 1111 1111 1111": "card",
    "5500-0000-0000-0004": "card",
    "090-1234-5678": "phone",
    "03-1234-5678": "phone",
    "03(1234)5678": "phone",
    "09012345678": "phone",
    "０９０－１２３４－５６７８": "phone",
    "+81 90-1234-5678": "phone",
    "+14155552671": "phone",
    "(555) 123-4567": "phone",
    "〒150-0001": "postal",
    "150-0001": "postal",
    "SW1A 1AA": "postal",
    "94103-1234": "postal",
}
NOT_PERSONAL = (
    "order #4291251",
    "order MA-4305009",
    "vol 12-34?",
    "4111 1111 1111 1112",  # fails Luhn
    "0000 0000 0000 0000",
    "at 10:30 on 2026-04-21",
    "me @ home",
    "1,200,000 yen",
)


@pytest.mark.parametrize(("text", "kind"), PERSONAL.items())
@pytest.mark.parametrize("frame", ["{}", "it is {} ok", "連絡先は{}です"])
def test_personal_shapes_are_named_and_masked(text: str, kind: str, frame: str) -> None:
    whole = frame.format(text)
    if kind == "postal" and text[0].isalpha() and "連" in frame:
        return  # British codes need a word's edge

    assert list(personal(whole)) == [kind]
    assert not any(char.isdecimal() for char in masked(whole))
    assert "bob" not in masked(whole)


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_other_numbers_are_not_personal(text: str) -> None:
    assert list(personal(text)) == []


def test_luhn_accepts_what_its_sum_allows() -> None:
    assert is_card("4111111111111111")  # 8+2*7 ones doubled and plain: 30
    assert not is_card("4111111111111112")
    assert not is_card("411111111111")  # too short


def test_nothing_personal_reaches_any_output(look: Look, make: Make) -> None:
    secrets = [text for text in PERSONAL if text.isascii()]
    rows = [
        replace(row, text=f"{row.text} {secrets[i % len(secrets)]} https://x.example/?u=ann", group=secrets[i % 2])
        for i, row in enumerate(make())
    ]
    rows = [replace(row, timestamp=f"2026-0{1 + i // 200}-10") for i, row in enumerate(rows)]
    audit = look([*rows, replace(rows[0], id="copy"), replace(rows[1], id="other", labels=("travel",))])
    said = json.dumps(audit.to_json(), ensure_ascii=False) + page(audit, svg=svg).split("<h2>Pictures")[0]

    found = audit.found("text.pii")
    assert found is not None
    assert found.count == 402
    for secret in (*secrets, "bob", "smith", "x.example"):
        assert secret not in said


def test_clean_rows_hold_none_of_it(clean: Audit) -> None:
    assert not {finding.code for finding in clean.findings} & {"text.pii", "text.emoji", "text.url", "language.mix"}
    assert clean.verdict == "accept"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", {"LATIN"}),
        ("this お店 is", {"LATIN", "JAPANESE"}),
        ("ポイントの使い方", {"JAPANESE"}),
        ("привет", {"CYRILLIC"}),
        ("123 !?", set()),
        ("café ｆｕｌｌ", {"LATIN"}),
    ],
)
def test_scripts_are_told_apart(text: str, expected: set[str]) -> None:
    assert scripts(text) == expected


def test_mixed_emoji_and_addresses_are_counted(look: Look, make: Make) -> None:
    extra = [
        Example("mixed", "is the お店 open tomorrow morning", ("travel",)),
        Example("romaji", "kono ticket wa doko desu ka", ("travel",)),
        Example("emoji", "great concert last night 🎸", ("music",)),
        Example("url", "see https://example.com/a?b=c for the recipe", ("cooking",)),
    ]
    audit = look([*make(100), *extra])

    for code, ids in {"language.mix": ("mixed", "romaji"), "text.emoji": ("emoji",), "text.url": ("url",)}.items():
        found = audit.found(code)
        assert found is not None
        assert found.rows == ids


@pytest.mark.parametrize(("long", "severity"), [(3, "note"), (4, "warn")])
def test_too_many_long_messages_ask_for_a_review_above_three_percent(
    long: int, severity: str, look: Look, make: Make, terms: Callable[..., Contract]
) -> None:
    rows = make(100)
    rows[:long] = [replace(row, text=row.text * 3) for row in rows[:long]]
    found = look(rows, contract=terms(input={"max_tokens": 24})).found("text.truncated")

    assert found is not None
    assert (found.count, found.severity) == (long, severity)
    assert set(found.rows) == {row.id for row in rows[:long]}


def test_tokens_are_estimated_by_length_and_counted_by_a_tokenizer(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))  # noqa: S106 - a word, no secret
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))

    assert token_counts(["a bb, 巻巻", "internationalisation"], tokenizer=None).tolist() == [7, 5]  # 5 and 3, and two
    assert token_counts(["a bb c"], tokenizer=tmp_path / "tokenizer.json").tolist() == [3]
