"""Wrong, rare, undefined and foreign labels, and labels that something gives away."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from interlock.core.contract import Contract
from interlock.core.dataset import Example
from interlock.data.audit.checks.label_noise import confident_errors
from interlock.data.audit.learner import HeldOut, held_out
from interlock.data.audit.run import Audit

Look = Callable[..., Audit]
Make = Callable[..., list[Example]]
Terms = Callable[..., Contract]


def flipped(rows: list[Example], share: float, *, seed: int = 4) -> tuple[list[Example], dict[str, str]]:
    """Return the rows with some labels replaced, and the right labels of those."""
    chance = random.Random(seed)
    labels = sorted({row.label for row in rows})
    chosen = {row.id: row.label for row in chance.sample(rows, int(share * len(rows)))}
    return [
        replace(row, labels=(chance.choice([name for name in labels if name != row.label]),))
        if row.id in chosen
        else row
        for row in rows
    ], chosen


def test_clean_labels_are_not_doubted(clean: Audit) -> None:
    found = clean.found("label.noise")

    assert found is not None
    assert found.count == 0
    assert found.severity == "note"


def test_planted_flips_lead_the_ranking_with_the_right_suggestion(look: Look, make: Make) -> None:
    rows, right = flipped(make(600), 0.05)
    found = look(rows).found("label.noise")

    assert found is not None
    assert len(set(found.rows[:60]) & set(right)) >= 0.9 * len(right)
    assert sum(found.suggestions.get(id_) == label for id_, label in right.items()) >= 0.9 * len(right)
    assert sorted(found.rows) == sorted(row.id for row in rows)


def test_the_confident_joint_is_the_published_rule() -> None:
    # thresholds: mean own probability of label 0 is (0.9 + 0.6 + 0.3) / 3 = 0.6, of label 1 (0.8 + 0.4) / 2 = 0.6
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]])
    given = np.array([0, 0, 0, 1, 1])

    flagged = confident_errors(HeldOut(("a", "b"), probabilities, given, given * 1.0, 1.0, whole=object()))

    assert flagged.tolist() == [False, False, True, False, True]


def test_copies_of_a_row_never_judge_it() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 40))
    keys = [f"k{i // 2}" for i in range(60)]
    points[1::2] = points[::2]  # every row twice, its label by coin: only its copy could know
    given = np.repeat(rng.integers(0, 2, 30), 2)
    found = held_out(points, given.tolist(), keys=keys, labels=("a", "b"))

    assert float((found.probabilities.argmax(axis=1) == given).mean()) < 0.75


def test_a_label_below_its_floor_is_named_and_a_critical_one_refuses(look: Look, make: Make, terms: Terms) -> None:
    rows = [*make(), *(Example(f"rare{i}", f"rare text number {i} of few", ("rare",)) for i in range(19))]
    names = ("billing", "cooking", "music", "travel", "rare")
    mild = look(rows, contract=terms(*names)).found("label.floor")
    audit = look(rows, contract=terms(*names, critical=("billing",)))
    hard = audit.found("label.floor")

    assert mild is not None
    assert (mild.severity, mild.count, mild.numbers) == ("warn", 1, {"missing.rare": 1})
    assert hard is not None
    assert (hard.severity, hard.count, hard.numbers["missing.billing"]) == ("reject", 2, 900)
    assert audit.verdict == "reject"


@pytest.mark.parametrize(("rows", "short"), [(999, True), (1000, False)])
def test_the_floor_of_a_critical_label_is_a_thousand_training_rows(
    rows: int, short: bool, look: Look, terms: Terms
) -> None:
    some = [Example(f"a{i}", f"alpha {i}", ("a",)) for i in range(rows)]
    some += [Example(f"b{i}", f"beta {i}", ("b",)) for i in range(20)]

    assert (look(some, contract=terms("a", "b", critical=("a",))).found("label.floor") is not None) is short


def test_only_training_rows_count_towards_a_floor(look: Look, make: Make, terms: Terms) -> None:
    test = [Example(f"t{i}", f"rare text number {i} of few", ("rare",)) for i in range(50)]
    names = ("billing", "cooking", "music", "travel", "rare")
    found = look(make(), test=test, contract=terms(*names)).found("label.floor")

    assert found is not None
    assert found.numbers == {"missing.rare": 20}


def test_labels_without_a_meaning_are_named(look: Look, make: Make) -> None:
    labels = {"billing": {"route": "r"}, "cooking": {"route": "r", "means": " "}, "music": {"route": "r", "means": "m"}}
    terms = Contract.model_validate(
        {
            "contract": 1,
            "name": "c",
            "label_version": "v",
            "labels": {**labels, "travel": {"route": "r", "means": "m"}},
        }
    )
    found = look(make(80), contract=terms).found("label.undefined")

    assert found is not None
    assert (found.count, found.examples) == (2, ("billing", "cooking"))


def test_two_labels_for_the_same_messages_are_the_most_confused(look: Look, make: Make, terms: Terms) -> None:
    chance = random.Random(1)
    rows = [
        replace(row, labels=(chance.choice(["music", "songs"]),)) if row.label == "music" else row for row in make(600)
    ]
    found = look(rows, contract=terms("billing", "cooking", "music", "songs", "travel")).found("label.confused")

    assert found is not None
    assert next(iter(found.numbers)) == "music|songs"


def test_a_tag_that_gives_the_label_away_is_found(look: Look, make: Make) -> None:
    rows = [
        replace(row, text=f"{row.text} CASE-{1000 + i}") if row.label == "travel" else row
        for i, row in enumerate(make())
    ]
    found = look(rows).found("leak.identifier")

    assert found is not None
    assert set(found.numbers) == {"CASE-#"}
    assert found.count == 1
    assert len(found.rows) == 100


def test_numbers_that_every_label_has_are_no_leak(look: Look, make: Make) -> None:
    rows = [replace(row, text=f"{row.text} CASE-{1000 + i}") for i, row in enumerate(make())]

    assert look(rows).found("leak.identifier") is None


def test_a_group_that_makes_a_label_is_named_and_masked(look: Look, make: Make) -> None:
    rows = [
        replace(row, group="ann@example.com" if row.label == "music" and i < 200 else f"g{i}")
        for i, row in enumerate(make())
    ]
    found = look(rows).found("group.dominates")

    assert found is not None
    assert (found.count, len(found.rows)) == (1, 50)
    assert found.examples == ("[mail]: 50 of 100 rows of music",)


def test_messages_unlike_all_others_are_outside(look: Look, terms: Terms) -> None:
    chance = random.Random(6)
    names = tuple(f"label{i:02d}" for i in range(20))
    rows = [
        Example(f"{name}-{i}", " ".join(chance.choices([f"{name}word{j}" for j in range(8)], k=6)), (name,))
        for name in names
        for i in range(20)
    ]
    strange = [
        Example("s0", "quantum entanglement violates hidden variables", (names[3],)),
        Example("s1", "zebra giraffes eat leaves", (names[7],)),
    ]
    found = look([*rows, *strange], contract=terms(*names)).found("taxonomy.outside")

    assert found is not None
    assert set(found.rows) == {"s0", "s1"}


def test_two_requests_in_one_message_are_several_intents(look: Look, make: Make) -> None:
    rows = make(600)
    both = Example("both", "invoice charge payment fee. also guitar band album concert", ("billing",))
    said = Example("said", "book the seat on the flight with dinner", ("travel", "cooking"))
    found = look([*rows, both, said]).found("intents.several")

    assert found is not None
    assert found.rows[0] == "said"
    assert "both" in found.rows
    assert len(found.rows) < 10


def test_shares_move_with_the_months(look: Look, make: Make) -> None:
    rows = [replace(row, timestamp=f"2026-0{1 + i * 4 // 400}-10T10:00:00Z") for i, row in enumerate(make())]
    late = [row for row in rows if (row.timestamp and row.timestamp[6] != "4") or row.label == "music"]
    steady, moved = look(rows).found("drift.labels"), look([*late, *_more_music()]).found("drift.labels")

    assert steady is not None
    assert (steady.severity, steady.count) == ("note", 0)
    assert moved is not None
    assert (moved.severity, moved.count) == ("warn", 1)
    assert moved.examples[0].startswith("2026-04: music from 25.0%")


def _more_music() -> list[Example]:
    return [
        Example(f"m{i}", f"guitar band number {i} of album {i * i}", ("music",), timestamp="2026-04-11T00:00:00Z")
        for i in range(60)
    ]


def test_a_word_that_rises_is_named_with_its_month(look: Look, make: Make) -> None:
    rows = [replace(row, timestamp=f"2026-0{1 + i // 200}-10T10:00:00Z") for i, row in enumerate(make(600))]
    rows = [replace(row, text=f"{row.text} blorf") if i > 400 and i % 2 else row for i, row in enumerate(rows)]
    found = look(rows).found("drift.words")

    assert found is not None
    assert list(found.numbers) == ["2026-03 blorf"]
    assert len(found.rows) == 100


@pytest.mark.parametrize(("bad", "severity"), [(2, "note"), (30, "reject")])
def test_synthetic_rows_are_refused_above_a_tenth_bad(bad: int, severity: str, look: Look, make: Make) -> None:
    rows = [replace(row, source="synthetic") if i // 4 % 2 else row for i, row in enumerate(make())]
    slots = [row for row in rows if row.source == "synthetic"][:bad]
    rows = [replace(row, text=f"{row.text} [PRODUCT_NAME]") if row in slots else row for row in rows]
    audit = look(rows)
    found = audit.found("synthetic.quality")

    assert found is not None
    assert found.severity == severity
    assert set(found.rows) == {row.id for row in slots}
    assert found.numbers["bad_rate"] == bad / 200
    assert found.numbers["told_apart_low"] < 0.6
    assert (audit.verdict == "reject") is (severity == "reject")


def test_synthetic_rows_with_a_style_of_their_own_are_told_apart(look: Look, make: Make) -> None:
    rows = [
        replace(row, source="synthetic", text=f"kindly {row.text} thank you") if i % 2 else row
        for i, row in enumerate(make())
    ]
    found = look(rows).found("synthetic.quality")

    assert found is not None
    assert found.severity == "warn"
    assert found.numbers["told_apart"] > 0.9
