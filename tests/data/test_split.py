"""Splits: what is kept together, what is refused, and what the manifest says of both."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from interlock.core.dataset import Dataset, Example, Split
from interlock.core.errors import InputError
from interlock.data.split.divide import parse_shares, split
from interlock.data.split.given import given


def rows(count: int, *, labels: int = 3, seed: int = 0) -> list[Example]:
    """Return rows whose texts have nothing in common."""
    chance = random.Random(seed)
    return [
        Example(f"r{seed}-{i:04d}", " ".join(f"{chance.getrandbits(50):x}" for _ in range(4)), (f"l{i % labels}",))
        for i in range(count)
    ]


def sizes(made: Split) -> list[int]:
    return [len(some) for some in (made.train, made.calibration, made.test)]


def test_single_rows_are_divided_exactly_by_label() -> None:
    made = split(Dataset(tuple(rows(300, labels=3))))

    assert sizes(made) == [240, 30, 30]
    assert set(made.test.counts().values()) == {10}
    assert (made.manifest.rule, made.manifest.removed, made.manifest.apart) == ("stratified", (), 0)
    assert made.manifest.crossings == dict.fromkeys(("exact", "normalised", "near", "group", "time"), 0)


def test_other_shares_are_met_too() -> None:
    assert sizes(split(Dataset(tuple(rows(300))), shares=parse_shares("0.5,0.25,0.25"))) == [150, 75, 75]


@pytest.mark.parametrize("text", ["0.8,0.2", "0.8,0.1,0.2", "1,0,0", "-0.1,0.6,0.5", "a,b,c", "nan,0.1,0.1", ""])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="three positive numbers that sum to 1"):
        parse_shares(text)


def test_a_critical_label_that_lacks_separate_rows_is_refused_with_how_many() -> None:
    few = [Example("x", "one lonely row", ("escalation",)), Example("y", "One lonely row!", ("escalation",))]

    with pytest.raises(InputError, match=r"label escalation: expected 3 separate rows.*got 1: 2 more needed"):
        split(Dataset((*rows(90), *few)), critical=["escalation"])


def test_every_label_that_lacks_rows_is_named_at_once() -> None:
    with pytest.raises(InputError) as refused:
        split(Dataset((*rows(90), Example("x", "unlike", ("a",)))), critical=["a", "b"])

    assert [problem.got.split(":")[0] for problem in refused.value.problems] == ["1", "0"]


def test_a_label_of_three_rows_stands_in_every_part() -> None:
    rare = [replace(row, labels=("rare",)) for row in rows(3, seed=5)]
    made = split(Dataset((*rows(90), *rare)), critical=["rare"])

    assert [part["rare"] for part in (made.train.counts(), made.calibration.counts(), made.test.counts())] == [1, 1, 1]


def test_a_label_of_one_row_is_trained_on_and_the_manifest_says_it_is_not_tested() -> None:
    made = split(Dataset((*rows(60), Example("x", "the only one of its kind", ("rare",)))))

    assert made.train.counts()["rare"] == 1
    assert made.manifest.why[1:] == (
        "no test row carries rare: label more separate rows, or nothing will be known of them",
    )


def test_a_critical_label_in_one_group_is_named() -> None:
    grouped = [replace(row, labels=("critical",), group="one") for row in rows(9, seed=3)]

    with pytest.raises(InputError, match=r"label critical: .* got 1: 2 more"):
        split(Dataset((*rows(90), *grouped)), critical=["critical"])


ADVERSARIAL = {
    "all rows are one group": ([replace(row, group="g") for row in rows(60)], "none left for calibration, test"),
    "all texts are equal": ([replace(row, text="same") for row in rows(60)], "none left for calibration, test"),
    "one text in every Unicode form": (
        [
            replace(row, text=("it is", "IT\u00a0IS", "\uff49t is", "i\u200bt is!")[i % 4])
            for i, row in enumerate(rows(60))
        ],
        "none left for calibration, test",
    ),
    "two rows": (rows(2), "at least 3 separate rows"),
    "no rows": ([], "at least two labels"),
    "one label": (rows(30, labels=1), "at least two labels"),
    "an id used twice": ([*rows(30), rows(30)[4]], "an id that no other row uses, got 'r0-0004'"),
}


@pytest.mark.parametrize("case", ADVERSARIAL)
@pytest.mark.parametrize("stamped", [False, True])
def test_rows_that_allow_no_split_are_refused(case: str, stamped: bool) -> None:
    some, reason = ADVERSARIAL[case]
    if stamped:
        some = [replace(row, timestamp=f"2026-01-01T00:{i:02d}:00") for i, row in enumerate(some)]

    with pytest.raises(InputError, match=reason):
        split(Dataset(tuple(some)))


def test_a_cluster_larger_than_a_part_is_trained_on() -> None:
    alike = [replace(row, text=f"where is my parcel with number {i:03d} now") for i, row in enumerate(rows(40, seed=2))]
    made = split(Dataset((*rows(200), *alike)))

    assert {row.id for row in alike} <= {row.id for row in made.train}
    assert made.manifest.near == "0.7 alike or one word apart"


def test_a_group_that_is_most_of_the_rows_is_trained_on_and_the_manifest_says_so() -> None:
    giant = [replace(row, group="g") for row in rows(150, seed=4)]
    made = split(Dataset((*rows(19), *giant)))

    assert sizes(made) == [153, 8, 8]  # one row of each label was set aside for training before
    assert made.manifest.why[1:] == (
        "calibration has 8 of 169 rows, 17 were asked for",
        "test has 8 of 169 rows, 17 were asked for",
    )
    assert made.manifest.near == "0.7 alike or one word apart"  # keeping less together would not help


# Time


def timed(count: int, *, seed: int = 0) -> list[Example]:
    """Return unlike rows, one a minute."""
    return [
        replace(row, timestamp=f"2026-01-01T{i // 60:02d}:{i % 60:02d}:00Z")
        for i, row in enumerate(rows(count, seed=seed))
    ]


def test_rows_with_timestamps_are_cut_in_time() -> None:
    some = timed(300)
    made = split(Dataset(tuple(some)))

    assert made.manifest.rule == "time"
    assert made.train.examples == tuple(some[:240])
    assert made.calibration.examples == tuple(some[240:270])


def test_instants_are_compared_across_zones_and_no_zone_is_utc() -> None:
    early, late = "2026-01-02T00:00:00+14:00", "2026-01-01T12:00:00-05:00"  # 10:00 and 17:00 UTC
    stamps = [early] * 80 + ["2026-01-01T12:00:00"] * 10 + [late] * 10
    made = split(Dataset(tuple(replace(row, timestamp=at) for row, at in zip(rows(100), stamps, strict=True))))

    assert made.manifest.rule == "time"
    assert {row.timestamp for row in made.train} == {early}
    assert {row.timestamp for row in made.test} == {late}


def test_a_group_across_a_cut_loses_its_lesser_side_and_the_manifest_names_it() -> None:
    some = timed(300)
    for at in (1, 2, 299):  # two rows far before the cuts, one after
        some[at] = replace(some[at], group="g")
    made = split(Dataset(tuple(some)))

    assert made.manifest.rule == "grouped, time"
    assert made.manifest.removed == (some[299].id,)
    assert any("1 of 300 rows were removed" in note for note in made.manifest.why)


def test_time_is_given_up_where_groups_span_it_and_the_manifest_says_why() -> None:
    some = timed(400)
    for at in range(0, 40, 2):  # twenty groups with a row at each end of time
        some[at] = replace(some[at], group=f"g{at}")
        some[399 - at] = replace(some[399 - at], group=f"g{at}")
    made = split(Dataset(tuple(some)))

    assert made.manifest.rule == "grouped, stratified"
    assert made.manifest.removed == ()
    assert made.manifest.why == ("not by time: 20 of 400 rows sit in groups or near duplicates that straddle a cut",)
    forced = split(Dataset(tuple(some)), by="time")
    assert forced.manifest.rule == "grouped, time"
    assert forced.manifest.removed == tuple(row.id for row in some[:40:2])  # of two rows, the later stays
    assert abs(len(forced.test) - 38) <= 1


def test_equal_instants_are_cut_only_when_nothing_else_is_possible() -> None:
    days = [f"2026-01-{1 + i // 10:02d}" for i in range(300)]
    made = split(Dataset(tuple(replace(row, timestamp=day) for row, day in zip(rows(300), days, strict=True))))
    assert sizes(made) == [240, 30, 30]
    assert made.manifest.why == ()

    one_day = split(Dataset(tuple(replace(row, timestamp="2026-01-01") for row in rows(300))))
    assert one_day.manifest.rule == "time"
    assert sizes(one_day) == [240, 30, 30]
    assert one_day.manifest.why == ("a cut falls within equal instants: no other was near its place",)


def test_time_asked_for_without_timestamps_names_the_rows() -> None:
    some = [*timed(30), Example("x", "no time", ("l0",)), Example("y", "none either", ("l1",))]

    with pytest.raises(InputError, match=r"2 of 32 have none\n.*row x.*\n.*row y"):
        split(Dataset(tuple(some)), by="time")
    assert split(Dataset(tuple(some))).manifest.why[0] == "not by time: 2 of 32 rows have no timestamp"


def test_a_label_that_only_appears_late_is_no_split_in_time() -> None:
    some = timed(300)
    late = [replace(row, labels=("new",)) for row in some[280:]]

    with pytest.raises(InputError, match=r"label new: .* for train"):
        split(Dataset((*some[:280], *late)), by="time")
    made = split(Dataset((*some[:280], *late)))
    assert made.manifest.rule == "stratified"
    assert made.manifest.why[0].startswith("not by time: label new")


# Official files


def test_given_files_stay_and_training_gives_up_what_the_test_rows_repeat() -> None:
    train = Dataset((Example("a", "Hello  there", ("x",)), Example("b", "fresh", ("y",)), Example("c", "held", ("y",))))
    test = Dataset((Example("t", "hello there", ("y",)),))
    calibration = Dataset((Example("k", "held", ("y",)),))

    made = given(train, calibration, test)

    assert made.manifest.removed == ("a", "c")
    assert made.test.examples == test.examples
    assert set(made.manifest.crossings.values()) == {0}


def test_near_duplicates_and_times_of_given_files_are_counted_and_stay() -> None:
    train = Dataset((Example("a", "when will my parcel come", ("x",), timestamp="2026-01-02"),))
    test = Dataset((Example("t", "when will my parcels come", ("x",), timestamp="2026-01-01"),))

    made = given(train, Dataset(()), test)

    assert made.manifest.crossings == {"exact": 0, "normalised": 0, "near": 1, "group": 0, "time": 1}
    assert (made.manifest.removed, made.manifest.apart) == ((), 1)


def test_given_files_that_share_ids_are_refused() -> None:
    one, other = Dataset((Example("a", "one", ("x",)),)), Dataset((Example("a", "two", ("x",)),))

    with pytest.raises(InputError, match="an id that train does not use"):
        given(one, Dataset(()), other)
