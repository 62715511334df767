"""Laws of every split of our own making, checked by comparing all pairs of rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.dataset import PARTS, Dataset, Example, Part, Split
from interlock.core.errors import InputError
from interlock.data.near import loose_key
from interlock.data.split.divide import By, split
from interlock.data.split.given import given as freeze_given

START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = (
    ("where is", "please cancel", "i want back", "show me", "tell me about"),
    ("my parcel", "the invoice", "this manga", "your shop", "a gift card", "volume twelve"),
    ("", "today", "right now", "with express shipping", "from the second order", "in hardcover", "without the box"),
    ("", "thanks", "it is urgent", "my sister asked me", "before the holidays start"),
)
VARIANTS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda text: f"{text}!",
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.replace("i", "\uff49"),  # full width
    "\u200b".join,  # zero width spaces
)


def random_rows(count: int, *, groups: int | None, labels: int, timed: str | None, seed: int) -> Dataset:
    """Return rows whose texts repeat, vary and resemble one another, with groups and instants that do too."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        text = " ".join(" ".join(chance.choice(words) for words in WORDS).split())
        if chance.random() < 0.5:
            text += f" {chance.getrandbits(60):x} {chance.getrandbits(60):x}"
        rows.append(
            Example(
                id=f"r{number:04d}",
                text=chance.choice(VARIANTS)(text),
                labels=(f"l{number % labels}",),
                group=f"g{chance.randrange(groups)}" if groups and chance.random() < 0.8 else None,
                timestamp=stamp(chance, count, distinct=timed == "distinct") if timed else None,
            )
        )
    return Dataset(tuple(rows))


def stamp(chance: random.Random, count: int, *, distinct: bool) -> str:
    """Return a timestamp in some zone, or in none (then it is UTC)."""
    when = START + timedelta(minutes=chance.randrange(10**6) if distinct else 1440 * chance.randrange(count // 5))
    zone = chance.choice((None, UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-7, minutes=-30))))
    return (when.replace(tzinfo=None) if zone is None else when.astimezone(zone)).isoformat()


def parts_of(made: Split) -> dict[Part, tuple[Example, ...]]:
    """Return the rows of each part."""
    return {"train": made.train.examples, "calibration": made.calibration.examples, "test": made.test.examples}


def leaks(made: Split) -> list[str]:
    """Compare every row with every row of another part and say what a split of our own making must not share."""
    placed = [(part, row, loose_key(row.text)) for part, rows in parts_of(made).items() for row in rows]
    out = []
    for (part, row, key), (other_part, other, other_key) in combinations(placed, 2):
        if part == other_part:
            continue
        if row.group is not None and row.group == other.group:
            out.append(f"group {row.id} {other.id}")
        if key == other_key:
            out.append(f"text {row.id} {other.id}")
        elif near(key, other_key, made.manifest.near):
            out.append(f"near {row.id} {other.id}")
        if made.manifest.rule.endswith("time"):
            first, last = sorted(((part, row), (other_part, other)), key=lambda pair: PARTS.index(pair[0]))
            if moment(first[1]) > moment(last[1]):
                out.append(f"time {row.id} {other.id}")
    return out


def moment(row: Example) -> datetime:
    """Return when a row was."""
    when = datetime.fromisoformat(row.timestamp or "")
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def near(one: str, other: str, definition: str) -> bool:
    """Whether two texts are near duplicates by a definition that manifests name."""
    mine, theirs = ({f" {text} "[at : at + 3] for at in range(len(text))} for text in (one, other))
    alike = len(mine & theirs) / len(mine | theirs)
    if definition == "0.7 alike or one word apart":
        return alike >= 0.7 or (alike >= 0.3 and bool(less_a_word(one) & less_a_word(other)))
    return definition != "same text" and alike >= float(definition.split(maxsplit=1)[0])


def less_a_word(text: str) -> set[tuple[str, ...]]:
    """Return the words, and the words without each one; at least two words are left."""
    words = tuple(text.split())
    found = {words, *(words[:at] + words[at + 1 :] for at in range(len(words)))}
    return {some for some in found if len(some) >= 2}


WORLDS = st.builds(
    random_rows,
    st.integers(20, 120),
    groups=st.none() | st.integers(1, 60),
    labels=st.integers(2, 4),
    timed=st.sampled_from((None, "distinct", "days")),
    seed=st.integers(0, 10_000),
)
RULES: st.SearchStrategy[By] = st.sampled_from(("auto", "stratified"))


def divided(data: Dataset, by: By, seed: int, critical: tuple[str, ...] = ()) -> Split | None:
    """Split by time where there are times and it is asked for, or return None where the rows honestly forbid it."""
    try:
        return split(data, by=by, seed=seed, critical=critical)
    except InputError:
        return None


@settings(max_examples=80, deadline=None)
@given(data=WORLDS, by=RULES, seed=st.integers(0, 99), critical=st.sampled_from(((), ("l0",), ("l0", "l1"))))
def test_a_split_is_a_partition_that_shares_nothing_and_has_the_labels(
    data: Dataset, by: By, seed: int, critical: tuple[str, ...]
) -> None:
    forced: By = "time" if by == "auto" and seed % 2 and data.examples[0].timestamp else by
    made = divided(data, forced, seed, critical)
    if made is None:
        return
    parts = parts_of(made)
    ids = [row.id for some in parts.values() for row in some]

    assert sorted([*ids, *made.manifest.removed]) == sorted(row.id for row in data)
    assert leaks(made) == []
    assert set(made.manifest.crossings.values()) == {0}
    assert all(parts.values())
    assert set(made.train.counts()) == set(data.counts())
    assert set(critical) <= set(made.calibration.counts()) & set(made.test.counts())


@settings(max_examples=25, deadline=None)
@given(data=WORLDS, by=RULES, seed=st.integers(0, 99), order=st.randoms())
def test_the_bytes_depend_on_rows_and_seed_and_not_on_the_order_of_the_file(
    data: Dataset, by: By, seed: int, order: random.Random
) -> None:
    made = divided(data, by, seed)
    mixed = list(data.examples)
    order.shuffle(mixed)
    again = divided(Dataset(tuple(mixed)), by, seed)

    assert (made is None) == (again is None)
    if made is not None and again is not None:
        assert made.manifest.to_json() == again.manifest.to_json()
        assert parts_of(made) == parts_of(again)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(60, 300), by=RULES, seed=st.integers(0, 999))
def test_rows_that_stand_alone_meet_the_shares(count: int, by: By, seed: int) -> None:
    made = split(Dataset(unlike(count)), by=by, seed=seed)

    for part, some in parts_of(made).items():
        assert abs(len(some) - made.manifest.shares[part] * count) <= 1


def unlike(count: int) -> tuple[Example, ...]:
    """Return rows of four labels whose texts have nothing in common, one a minute."""
    chance = random.Random(count)
    return tuple(
        Example(
            f"u{i:04d}",
            " ".join(f"{chance.getrandbits(50):x}" for _ in range(4)),
            (f"l{i % 4}",),
            timestamp=(START + timedelta(minutes=i)).isoformat(),
        )
        for i in range(count)
    )


def test_rows_of_one_template_are_divided_and_the_manifest_says_what_was_given_up() -> None:
    made = split(
        Dataset(
            tuple(
                Example(f"{label}{i}", f"{label} number {i:05d} please", (label,))
                for label in ("order", "refund")
                for i in range(100)
            )
        )
    )

    assert [len(some) for some in parts_of(made).values()] == [160, 20, 20]
    assert made.manifest.near != "0.7 alike or one word apart"
    assert made.manifest.apart > 0
    assert any("chain into clusters too large to divide" in note for note in made.manifest.why)
    assert leaks(made) == []


def test_groups_that_chain_through_shared_texts_are_kept_whole_by_taking_rows_out() -> None:
    chance = random.Random(1)
    some = [replace(row, group=f"g{i // 4:03d}") for i, row in enumerate(unlike(400))]
    hello = [replace(row, id=f"h{i}", text=chance.choice(("hello", "thanks"))) for i, row in enumerate(some[::10])]
    made = split(Dataset((*some, *hello)), by="stratified")

    assert leaks(made) == []
    assert 0 < len(made.manifest.removed) <= 0.1 * 440
    assert set(made.manifest.removed) <= {row.id for row in hello}
    assert [round(size / 40) for size in [len(some) for some in parts_of(made).values()]] == [9, 1, 1]


def test_calibration_rows_cut_from_training_files_keep_clusters_whole() -> None:
    data = random_rows(300, groups=None, labels=3, timed=None, seed=1)
    made = freeze_given(data, None, Dataset((Example("t", "unlike any", ("l0",)),)))

    assert len(made.train) + len(made.calibration) == 300
    assert 24 <= len(made.calibration) <= 36
    assert made.manifest.crossings["near"] == 0
    assert made.manifest.why == (
        "calibration rows were taken from the training rows (0.7 alike or one word apart kept whole)",
    )
