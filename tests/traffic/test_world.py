"""What every simulated world keeps: its shares, its ids, its order, and the truth it hides."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.errors import InputError
from interlock.data.traffic import simulate
from interlock.data.traffic.intents import INTENTS, SHARES

Rows = list[dict[str, Any]]
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def tagged(rows: Sequence[dict[str, Any]], tag: str) -> float:
    return sum(tag in row["truth"]["hard"] for row in rows) / len(rows)


def bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def test_every_intent_has_its_share_of_the_given_labels_within_half_a_point(world: Rows) -> None:
    found = Counter(row["label"] for row in world)

    assert {name: pytest.approx(share, abs=0.005) for name, share in SHARES.items()} == {
        name: found[name] / len(world) for name in INTENTS
    }


def test_ten_rows_in_eleven_are_production(world: Rows, production: Rows) -> None:
    assert len(world) * 10 // 11 == len(production)


def test_eighteen_percent_of_production_rows_ask_for_several_things(production: Rows) -> None:
    several = [row for row in production if len(row["truth"]["labels"]) > 1]

    assert pytest.approx(0.18, abs=0.006) == len(several) / len(production)
    assert pytest.approx(len(several) / len(production)) == tagged(production, "several")


def test_nine_percent_of_rows_mix_in_japanese(world: Rows) -> None:
    mixed = [row for row in world if row["lang"] == "ja-en"]

    assert pytest.approx(0.09, abs=0.008) == len(mixed) / len(world)
    assert pytest.approx(len(mixed) / len(world)) == tagged(world, "code_switch")
    written = sum(bool(JAPANESE.search(row["text"])) for row in mixed)
    assert 0.4 * len(mixed) < written < 0.9 * len(mixed), "both Japanese script and romaji occur"


def test_no_row_called_english_holds_japanese_script(world: Rows) -> None:
    assert not [row["text"] for row in world if row["lang"] == "en" and JAPANESE.search(row["text"])]


def test_five_percent_of_rows_fit_no_intent_yet_carry_one_of_the_ten_labels(world: Rows) -> None:
    outside = [row for row in world if not row["truth"]["labels"]]

    assert pytest.approx(0.05, abs=0.006) == len(outside) / len(world)
    assert all("out_of_taxonomy" in row["truth"]["hard"] for row in outside)
    assert {row["label"] for row in outside} <= set(INTENTS)


def test_about_a_tenth_of_the_synthetic_rows_is_bad(world: Rows) -> None:
    synthetic = [row for row in world if row["source"] == "synthetic"]

    assert pytest.approx(0.096, abs=0.006) == tagged(synthetic, "bad_synthetic")


def test_label_noise_in_production_stays_between_one_and_a_half_and_three_percent(production: Rows) -> None:
    wrong = sum(row["truth"]["label_wrong"] for row in production) / len(production)

    assert 0.015 <= wrong <= 0.03


def test_a_wrong_label_is_never_one_of_the_true_ones(production: Rows) -> None:
    first_copies = [row for row in production if row["truth"]["duplicate_of"] is None]
    wrong = [row for row in first_copies if row["truth"]["label_wrong"]]

    assert not [row for row in wrong if row["label"] in row["truth"]["labels"]]


def test_duplicates_have_their_share_and_the_text_of_their_original_but_for_case_and_marks(world: Rows) -> None:
    texts = {row["id"]: row["text"] for row in world}
    copies = [row for row in world if row["truth"]["duplicate_of"]]

    assert pytest.approx(0.018, abs=0.0005) == len(copies) / len(world)
    assert not [row for row in copies if bare(row["text"]) != bare(texts[row["truth"]["duplicate_of"]])]


def test_distinct_texts_beyond_the_planted_duplicates_are_at_least_96_percent(world: Rows) -> None:
    """Short messages and talk repeat in life too, so they are left out."""
    texts = [
        bare(row["text"])
        for row in world
        if not row["truth"]["duplicate_of"] and row["label"] != "chitchat" and len(row["text"].split()) >= 5
    ]

    assert len(set(texts)) / len(texts) >= 0.96


def test_ids_are_unique(world: Rows) -> None:
    assert len({row["id"] for row in world}) == len(world)


def test_rows_come_in_order_of_valid_utc_timestamps(world: Rows) -> None:
    stamps = [row["timestamp"] for row in world]

    assert stamps == sorted(stamps)
    assert all(stamp.endswith("Z") for stamp in stamps)
    months = {datetime.fromisoformat(stamp).month for stamp in stamps}
    assert months >= set(range(4, 13))


def test_people_write_more_in_the_evening_than_before_dawn(production: Rows) -> None:
    hours = Counter(datetime.fromisoformat(row["timestamp"]).hour for row in production)

    assert hours[20] > 4 * hours[3]


def test_promotions_are_asked_about_more_in_the_late_november_sales(production: Rows) -> None:
    sale = [row for row in production if "2025-11-24" <= row["timestamp"] < "2025-12-02"]
    share = sum(row["label"] == "promotion" for row in sale) / len(sale)

    assert share > 1.6 * SHARES["promotion"]


def test_a_conversation_belongs_to_one_customer_and_has_at_most_six_turns(production: Rows) -> None:
    turns: dict[str, Rows] = defaultdict(list)
    for row in production:
        if not row["truth"]["duplicate_of"]:
            turns[row["conversation"]].append(row)

    assert {len({row["group"] for row in rows}) for rows in turns.values()} == {1}
    assert set(range(1, 7)) == {len(rows) for rows in turns.values()}


def test_a_follow_up_is_never_the_first_turn_of_its_conversation(production: Rows) -> None:
    first: dict[str, str] = {}
    for row in production:
        first.setdefault(row["conversation"], row["id"])
    opened = set(first.values())

    originals = [row for row in production if not row["truth"]["duplicate_of"]]
    assert not [row for row in originals if "follow_up" in row["truth"]["hard"] and row["id"] in opened]


def test_a_row_is_plain_json(world: Rows) -> None:
    assert json.loads(json.dumps(world[:500])) == world[:500]


@settings(max_examples=12, deadline=None)
@given(rows=st.integers(0, 150), seed=st.integers(0, 2**40))
def test_any_size_and_seed_gives_that_many_complete_rows(rows: int, seed: int) -> None:
    found: Rows = list(simulate(rows, seed=seed))

    assert len(found) == rows
    assert all(row["label"] in INTENTS and row["text"].strip() and row["group"] for row in found)


def test_the_same_seed_gives_the_same_world_in_another_process() -> None:
    """Hash randomisation differs between processes; nothing may depend on it."""
    code = (
        "import hashlib, json; from interlock.data.traffic import simulate, simulate_intake;"
        "rows = list(simulate(400, seed=5)) + simulate_intake(100, seed=5);"
        "print(hashlib.sha256(json.dumps(rows).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True
        ).stdout
        for salt in ("1", "2")
    }

    assert len(found) == 1


def test_another_seed_gives_other_customers_and_other_messages() -> None:
    one, two = (list(simulate(300, seed=seed)) for seed in (1, 2))

    assert not {row["group"] for row in one} & {row["group"] for row in two}
    assert len({row["text"] for row in one} & {row["text"] for row in two}) < 30


def test_a_negative_number_of_rows_is_refused() -> None:
    with pytest.raises(InputError, match="cannot have -1 rows"):
        list(simulate(-1, seed=1))
