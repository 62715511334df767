"""A router whose messages have words it never met, through the real walk: held back, and said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.conftest import CONTRACT, shop_rows, write_rows

from interlock.assemble import held_for_words
from interlock.build import build
from interlock.core.decision import Reason
from interlock.gate.derive import Derived
from interlock.testing import logits_for, tiny_predictor
from interlock.train.recipe import Recipe


def test_a_build_says_how_many_test_messages_words_it_never_met_hold_back(tmp_path: Path) -> None:
    rows = shop_rows(400)
    write_rows(tmp_path / "rows.jsonl", rows[:300])
    write_rows(tmp_path / "test.jsonl", [row | {"text": f"{row['text']} \u6ce8\u6587"} for row in rows[300:]])
    (tmp_path / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    said: list[Mapping[str, Any]] = []
    found = build(
        contract=tmp_path / "contract.yaml",
        data=tmp_path / "rows.jsonl",
        test=tmp_path / "test.jsonl",
        out=tmp_path / "run",
        encoder="tiny",
        recipe=Recipe(epochs=6, batch_size=16, rdrop=0.0),
        watch=said.append,
    )
    decisions = Derived(found.receipt).decisions
    held = sum(decision.reason is Reason.UNKNOWN_WORDS for decision in decisions)
    notes = [event["note"] for event in said if "words that no training message has" in event.get("note", "")]

    assert held > 0
    assert [note.split(" test messages")[0] for note in notes] == [f"{held} of {len(decisions)}"]


def test_a_few_are_not_worth_a_note() -> None:
    router = tiny_predictor(lambda _: logits_for(0.9, 0.1))
    clean = router.decide("hello")
    doubted = replace(clean, reason=Reason.UNKNOWN_WORDS)

    assert held_for_words([]) is None
    assert held_for_words([doubted] * 2 + [clean] * 98) is None
    assert held_for_words([doubted] * 3 + [clean] * 97) is not None
