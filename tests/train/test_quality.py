"""What the step log says of the rows a model was just trained on."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Example, TrainSet
from interlock.train.encoders import resolve
from interlock.train.fit import fit
from interlock.train.quality import ENOUGH, concerns, entropy, quality
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows, language_of
from interlock.train.step_log import StepLog

KEYS = {"mean_tokens", "truncated_share", "label_entropy", "loss_p50", "loss_p90", "loss_p99", "languages"}


def rows_of(labels: list[int], *, k: int = 2, truncated: int = 0) -> Rows:
    return Rows(
        [[1] * (row + 1) for row in range(len(labels))],
        torch.nn.functional.one_hot(torch.tensor(labels), k).float(),
        torch.ones(len(labels)),
        names=[str(row) for row in range(len(labels))],
        truncated=[row < truncated for row in range(len(labels))],
        languages=["en" if row % 2 else "ja" for row in range(len(labels))],
    )


def test_a_line_describes_the_rows_that_were_seen_and_no_others() -> None:
    rows = rows_of([0, 0, 0, 1, 1, 1, 1, 1], truncated=3)
    line = quality(rows, [1, 2, 3, 5], torch.tensor([0.1, 0.2, 0.3, 0.4]))

    assert line["mean_tokens"] == (2 + 3 + 4 + 6) / 4
    assert line["truncated_share"] == 2 / 4
    assert line["label_entropy"] == pytest.approx(math.log(2))
    assert line["languages"] == {"en": 0.75, "ja": 0.25}
    assert [line["loss_p50"], line["loss_p90"], line["loss_p99"]] == pytest.approx([0.25, 0.37, 0.397])


@given(st.lists(st.integers(0, 4), min_size=1, max_size=50))
def test_label_entropy_is_that_of_the_shares_in_nats(labels: list[int]) -> None:
    shares = [labels.count(label) / len(labels) for label in set(labels)]

    assert entropy(rows_of(labels, k=5).targets) == pytest.approx(-sum(p * math.log(p) for p in shares), abs=1e-6)


def test_more_languages_than_a_line_holds_are_counted_together() -> None:
    rows = rows_of([0] * 20)
    rows.languages[:] = [f"l{row:02d}" for row in range(20)]
    shares = quality(rows, list(range(20)), torch.ones(20))["languages"]

    assert len(shares) == 9
    assert shares["other"] == pytest.approx(12 / 20)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "given_language", "found"),
    [
        ("hello", "en", "en"),
        ("hello", None, "script:latin"),
        ("café", None, "script:latin"),
        ("もう一度 ok", None, "script:cjk"),
        ("заказ", None, "script:cyrillic"),
        ("123 !?", None, "script:none"),
        ("🎸", None, "script:none"),
    ],
)
def test_a_language_is_the_one_given_or_the_script_of_most_letters(
    text: str, given_language: str | None, found: str
) -> None:
    assert language_of(text, given_language) == found


def codes(rows: Rows, seen: list[int]) -> list[str]:
    line = quality(rows, seen, torch.ones(len(seen)))
    return [code for code, _, _ in concerns(line, n=len(seen), whole=entropy(rows.targets), k=2)]


def test_rows_cut_beyond_three_percent_or_of_one_label_among_many_are_a_concern() -> None:
    labels = [0] * 200 + [1] * 200
    mixed, one_label = list(range(100, 300)), list(range(200))

    assert codes(rows_of(labels), mixed) == []
    assert codes(rows_of(labels, truncated=106), mixed) == []  # 6 of 200 are 3 %, not more
    assert codes(rows_of(labels, truncated=107), mixed) == ["batch.truncated"]
    assert codes(rows_of(labels), one_label) == ["batch.labels"]
    assert codes(rows_of(labels), one_label[: ENOUGH - 1]) == []
    assert codes(rows_of([0] * 200), one_label) == []  # there is no other label to see


def trained(train: list[Example], folder: Path, *, max_tokens: int = 128) -> list[dict[str, Any]]:
    with StepLog(folder / "train.jsonl") as log:
        fit(
            TrainSet(tuple(train)),
            CalibrationSet(tuple(train[:4])),
            labels=["a", "b"],
            encoder=resolve("tiny"),
            recipe=Recipe(epochs=1, batch_size=4, learning_rate=1e-3),
            policy=InputPolicy(max_tokens=max_tokens),
            log=log,
            clock=SystemClock(),
        )
    return [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]


def test_every_logged_step_says_what_its_rows_were_like(tmp_path: Path) -> None:
    train = [
        Example(f"{i}", " ".join(["word"] * (40 if i % 2 else 3)), ("ab"[i % 2],), lang="en" if i < 30 else None)
        for i in range(120)
    ]
    lines = trained(train, tmp_path, max_tokens=16)
    steps = [line for line in lines if line["event"] == "step"]

    assert [line["step"] for line in steps] == [25, 30]
    assert all(line.keys() >= KEYS for line in steps)
    assert sum(line["truncated_share"] * n for line, n in zip(steps, (100, 20), strict=True)) == pytest.approx(60)
    english = sum(line["languages"].get("en", 0) * n for line, n in zip(steps, (100, 20), strict=True))
    assert english == pytest.approx(30)
    warned = [line["code"] for line in lines if line["event"] == "warning"]
    assert [code for code in warned if code.startswith("batch.")] == ["batch.truncated"]  # once a run


def test_a_text_that_just_fills_the_limit_is_not_truncated(tmp_path: Path) -> None:
    train = [Example(f"{i}", "word " * 9, ("ab"[i % 2],)) for i in range(8)]

    def first_step(max_tokens: int) -> dict[str, Any]:
        return next(line for line in trained(train, tmp_path, max_tokens=max_tokens) if line["event"] == "step")

    tokens = int(first_step(max_tokens=128)["mean_tokens"])

    assert first_step(max_tokens=tokens)["truncated_share"] == 0
    assert first_step(max_tokens=tokens - 1)["truncated_share"] == 1
