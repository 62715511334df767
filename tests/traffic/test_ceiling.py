"""The achievable accuracy is counted from the truth, reason by reason."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.data.traffic import ceiling


def make_row(label: str, labels: list[str], *, hard: list[str] | None = None, wrong: bool = False) -> dict[str, Any]:
    return {"label": label, "truth": {"labels": labels, "hard": hard or [], "label_wrong": wrong}}


def test_each_reason_takes_its_own_rows() -> None:
    rows = [
        make_row("faq", ["faq"]),
        make_row("faq", ["return_request"], wrong=True),
        make_row("faq", ["return_request"], hard=["ambiguous"]),
        make_row("faq", ["promotion", "faq"], hard=["several"]),
        *[make_row("chitchat", [], hard=["out_of_taxonomy", "off_topic"])] * 3,
        make_row("faq", [], hard=["out_of_taxonomy", "off_topic"]),
        make_row("faq", ["faq"], hard=["follow_up", "ambiguous"]),
        make_row("promotion", ["promotion"], hard=["follow_up", "ambiguous"]),
    ]

    found = ceiling(rows)

    assert found["rows"] == 10
    assert found["accuracy"] == pytest.approx(1 - 5 / 10)
    assert found["lost"] == {
        "label_noise": 0.1,
        "ambiguity": 0.1,
        "context_missing": 0.1,
        "out_of_taxonomy": 0.1,
        "secondary_label": 0.1,
        "unreadable": 0.0,
    }


def test_the_world_can_be_learned_to_about_94_percent_and_no_further(world: list[dict[str, Any]]) -> None:
    assert 0.93 <= ceiling(world)["accuracy"] <= 0.955


def test_no_rows_lose_nothing() -> None:
    assert ceiling([])["accuracy"] == 1.0
