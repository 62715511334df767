"""Every drift lever shows where it should, leaves the time before it alone, and is refused when misspelt."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.core.errors import InputError
from interlock.data.traffic import Drift, parse_drift, simulate
from interlock.data.traffic.drift import EXAMPLE
from interlock.data.traffic.seasons import DAYS, stamp

ROWS = 3_000
Rows = list[dict[str, Any]]
HALF = stamp(DAYS / 2)


@pytest.fixture(scope="module")
def calm() -> Rows:
    return list(simulate(ROWS, seed=3))


def drifted(text: str) -> tuple[Rows, Rows]:
    """Return the production rows before and after the middle of the time, under a drift."""
    rows: Rows = [row for row in simulate(ROWS, seed=3, drift=parse_drift(text)) if row["source"] == "production"]
    return [row for row in rows if row["timestamp"] < HALF], [row for row in rows if row["timestamp"] >= HALF]


def labelled(rows: Rows, label: str) -> float:
    return [row["label"] for row in rows].count(label) / len(rows)


def tagged(rows: Rows, tag: str) -> float:
    return sum(tag in row["truth"]["hard"] for row in rows) / len(rows)


def test_a_share_drift_moves_the_intent_to_its_new_share() -> None:
    before, after = drifted("share:promotion=0.2@0.5")

    assert labelled(before, "promotion") < 0.08
    assert pytest.approx(0.2, abs=0.03) == labelled(after, "promotion")


def test_a_burst_multiplies_one_intent_for_its_days_only() -> None:
    before, after = drifted("burst:order_tracking*4@0.5..0.6")
    during = [row for row in after if row["timestamp"] < stamp(0.6 * DAYS)]
    later = [row for row in after if row["timestamp"] >= stamp(0.62 * DAYS)]

    assert labelled(during, "order_tracking") > 0.35
    assert labelled(later, "order_tracking") < 0.2
    assert labelled(before, "order_tracking") < 0.2


@pytest.mark.parametrize(
    ("lever", "tag", "share"),
    [
        ("slang:0.5@0.5", "new_slang", 0.5),
        ("new_intent:0.1@0.5", "digital_reader_problem", 0.1),
        ("attack:0.1@0.5", "attack", 0.1),
        ("broken:0.2@0.5", "broken_upstream", 0.2),
    ],
)
def test_a_lever_touches_its_share_of_messages_after_it_is_pulled_and_none_before(
    lever: str, tag: str, share: float
) -> None:
    before, after = drifted(lever)

    assert tagged(before, tag) == 0
    assert pytest.approx(share, abs=0.04) == tagged(after, tag)


@pytest.mark.parametrize("lever", EXAMPLE.split(","))
def test_the_rows_before_a_drift_are_those_of_the_undrifted_world(lever: str, calm: Rows) -> None:
    start = stamp(float(lever.split("@")[1]) * DAYS)
    rows: Rows = list(simulate(ROWS, seed=3, drift=parse_drift(lever)))

    early = [row for row in calm if row["timestamp"] < start]
    assert early == rows[: len(early)]
    assert rows[len(early) :] != calm[len(early) :]


def test_messages_of_the_new_intent_are_outside_the_taxonomy_and_still_labelled() -> None:
    _, after = drifted("new_intent:0.1@0.5")
    new = [row for row in after if "digital_reader_problem" in row["truth"]["hard"]]

    assert all(row["truth"]["labels"] == [] for row in new)
    assert len({row["label"] for row in new}) > 1


def test_no_lever_is_no_drift(calm: Rows) -> None:
    assert list(simulate(ROWS, seed=3, drift=Drift())) == calm


def test_a_drift_may_start_on_a_date() -> None:
    drift = parse_drift("slang@2025-11-20")

    assert stamp(drift.slang[0].start) == "2025-11-20T00:00:00Z"


def test_levers_of_one_kind_may_follow_each_other() -> None:
    drift = parse_drift("share:promotion=0.2@0.3..0.5,share:faq=0.3@0.6")

    assert [lever.intent for lever in drift.share] == ["promotion", "faq"]


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "an unknown lever is named with its neighbour": ("slagn@0.5", "did you mean 'slang'"),
        "an unknown intent is named with its neighbour": ("share:promotoin=0.2@0.5", "did you mean 'promotion'"),
        "a share needs its number": ("share:promotion@0.5", "share:INTENT=NUMBER@FROM"),
        "a burst needs its factor": ("burst:faq=3@0.5", "burst:INTENT\\*NUMBER@FROM"),
        "a share is at most 95 percent": ("share:faq=1.5@0.5", "up to 0.95"),
        "a number is a number": ("attack:lots@0.5", "not 'lots'"),
        "NaN is no number": ("attack:nan@0.5", "not 'nan'"),
        "a time is needed": ("slang", "a lever like"),
        "a fraction ends at 1": ("slang@1.5", "between 0 and 1"),
        "a date is a date": ("slang@tomorrow", "a date like"),
        "a date lies in the world": ("slang@2031-01-01", "nine months"),
        "an end follows its start": ("slang@0.6..0.4", "an end after the start"),
        "nothing is no drift": ("", "a lever like"),
    }.values(),
)
def test_a_misspelt_drift_is_refused_with_the_remedy(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        parse_drift(text)

    assert "For example" in str(refused.value)
