"""Planted defects in public data: copies, edits and flipped labels are found again."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interlock.core.contract import Contract
from interlock.core.dataset import Example
from interlock.data.audit.run import Audit
from interlock.data.traffic import simulate

pytestmark = pytest.mark.slow

Look = Callable[..., Audit]
Terms = Callable[..., Contract]
COPIES = 200
DATASETS = ("clinc150", "banking77")


def rows_of(path: Path) -> list[Example]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Example(row["id"], row["text"], (row["label"],)) for row in map(json.loads, lines)]


def edited(text: str, chance: random.Random, words: list[str]) -> str:
    """Return the text with one word replaced, taken out or put in."""
    found = text.split()
    at = chance.randrange(len(found))
    kind = chance.choice(("other", "less", "more")) if len(found) > 1 else "more"
    if kind == "less":
        return " ".join([*found[:at], *found[at + 1 :]])
    return " ".join([*found[:at], chance.choice(words), *found[at + (kind == "other") :]])


@pytest.mark.parametrize("dataset", DATASETS)
def test_planted_copies_are_found(dataset: str, public: Path, look: Look, terms: Terms) -> None:
    rows = rows_of(public / dataset / "train.jsonl")
    chance = random.Random(1)
    words = sorted({word for row in rows for word in row.text.split()})
    kinds: dict[str, Callable[[str], str]] = {
        "exact": lambda text: text,
        "case": lambda text: text.upper(),
        "punctuation": lambda text: text + chance.choice(("!", "?", "...")),
        "space": lambda text: text.replace(" ", "  ") + " ",
        "word": lambda text: edited(text, chance, words),
    }
    planted = {
        kind: [replace(row, id=f"{kind}-{row.id}", text=change(row.text)) for row in chance.sample(rows, COPIES)]
        for kind, change in kinds.items()
    }
    audit = look(
        [*rows, *(row for some in planted.values() for row in some)],
        contract=terms(*sorted({row.label for row in rows})),
    )
    listed = {id_ for f in audit.findings if f.code.startswith("duplicate.") for id_ in f.rows}
    recall = {kind: sum(row.id in listed for row in some) / COPIES for kind, some in planted.items()}

    assert {kind: recall[kind] for kind in ("exact", "case", "punctuation", "space")} == dict.fromkeys(
        ("exact", "case", "punctuation", "space"), 1.0
    )
    assert recall["word"] >= 0.95


@pytest.mark.parametrize("dataset", DATASETS)
def test_planted_flips_lead_the_ranking(dataset: str, public: Path, look: Look, terms: Terms) -> None:
    rows = rows_of(public / dataset / "train.jsonl")
    labels = sorted({row.label for row in rows})
    chance = random.Random(1)
    right = {row.id: row.label for row in chance.sample(rows, len(rows) // 20)}
    spoilt = [
        replace(row, labels=(chance.choice([name for name in labels if name != row.label]),))
        if row.id in right
        else row
        for row in rows
    ]
    found = look(spoilt, contract=terms(*labels)).found("label.noise")

    assert found is not None
    assert len(set(found.rows[: len(rows) // 10]) & set(right)) >= 0.9 * len(right)
    assert sum(found.suggestions.get(id_) == label for id_, label in right.items()) >= 0.8 * len(right)


def test_clinc150_official_files_share_five_texts(public: Path, look: Look, terms: Terms) -> None:
    train, held, test = (rows_of(public / "clinc150" / f"{name}.jsonl") for name in ("train", "validation", "test"))
    audit = look(train, calibration=held, test=test, contract=terms(*sorted({row.label for row in train})))
    found = audit.found("split.leak")

    assert found is not None
    assert found.numbers["normalised"] == 5
    assert audit.verdict == "reject"


def test_the_embedded_world_is_audited_within_a_minute(look: Look, terms: Terms) -> None:
    whole: list[dict[str, Any]] = list(simulate(55_000, seed=7))
    rows = [Example(r["id"], r["text"], (r["label"],), r["group"], r["timestamp"], source=r["source"]) for r in whole]
    truth = {r["id"]: r["truth"] for r in whole}
    start = time.perf_counter()
    audit = look(rows, contract=terms(*sorted({row.label for row in rows})))
    took = time.perf_counter() - start
    copies = {id_ for id_, known in truth.items() if known["duplicate_of"]}
    listed = {id_ for f in audit.findings if f.code.startswith("duplicate.") for id_ in f.rows}
    noise, several, made = (audit.found(c) for c in ("label.noise", "intents.several", "synthetic.quality"))

    assert took < 60
    assert len(copies & listed) >= 0.95 * len(copies)
    assert noise is not None
    wrong = {id_ for id_, known in truth.items() if known["label_wrong"]}
    assert len(wrong & set(noise.rows[:5500])) >= 0.95 * len(wrong)
    assert several is not None
    assert several.numbers["share"] == pytest.approx(0.164, abs=0.04)
    assert made is not None
    assert made.numbers["bad_rate"] == pytest.approx(0.096, abs=0.02)
