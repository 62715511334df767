"""Times as people write them come to one form; what could be read in two ways is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.errors import InputError
from interlock.data.moments import moment
from interlock.data.read import read

SAME = "2026-04-21T14:03:22Z"  # 1,776,780,202 seconds after 1970 began
ACCEPTED = {
    "ISO 8601 in UTC": ("2026-04-21T14:03:22Z", SAME),
    "with an offset": ("2026-04-21T23:03:22+09:00", SAME),
    "with a short offset": ("2026-04-21T10:03:22-0400", SAME),
    "with a space": ("2026-04-21 14:03:22", SAME),
    "with a space and an offset": ("2026-04-21 16:03:22+02:00", SAME),
    "without a zone": ("2026-04-21T14:03:22", SAME),
    "compact": ("20260421T140322Z", SAME),
    "without seconds": ("2026-04-21 14:03", "2026-04-21T14:03:00Z"),
    "with parts of a second": ("2026-04-21T14:03:22.5Z", "2026-04-21T14:03:22.500000Z"),
    "only the day": ("2026-04-21", "2026-04-21T00:00:00Z"),
    "epoch seconds": (1776780202, SAME),
    "epoch seconds as text": ("1776780202", SAME),
    "epoch seconds with a fraction": (1776780202.25, "2026-04-21T14:03:22.250000Z"),
    "epoch milliseconds": (1776780202000, SAME),
    "epoch milliseconds as text": ("1776780202000", SAME),
    "RFC 2822": ("Tue, 21 Apr 2026 16:03:22 +0200", SAME),
    "RFC 2822 in GMT, without a weekday": ("21 Apr 2026 14:03:22 GMT", SAME),
    "a date and time of Python": (datetime(2026, 4, 21, 16, 3, 22, tzinfo=timezone(timedelta(hours=2))), SAME),
    "a day of Python": (date(2026, 4, 21), "2026-04-21T00:00:00Z"),
}
REFUSED = [
    *("21/04/2026 14:03", "04/05/2026", "21.04.2026", "April 21, 2026", "yesterday", "", "2026-13-01", "2026-04"),
    *(20260421, 46133.58, 0, -1, 1776780202000000, True, [], {}, float("nan"), float("inf"), 10**400),
    *("0001-01-01T00:00:00+14:00", "31 Feb 2026 10:00", "12345678901"),
]


@pytest.mark.parametrize(("given_", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_time_comes_to_iso_8601_in_utc(given_: Any, expected: str) -> None:
    assert moment(given_) == expected


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: repr(value)[:30])
def test_what_is_no_point_in_time_or_could_be_two_is_refused(value: Any) -> None:
    assert moment(value) is None


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 - the strategy adds zones
def test_the_same_instant_has_one_spelling(when: datetime) -> None:
    found = moment(when.isoformat())

    assert found is not None
    assert found.endswith("Z")
    assert datetime.fromisoformat(found) == when.astimezone(UTC)
    assert moment(found) == found


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.binary()))
def test_anything_else_is_no_error(value: Any) -> None:
    assert moment(value) is None or isinstance(moment(value), str)


def test_five_forms_and_none_in_one_file_are_read_as_one_form(tmp_path: Path) -> None:
    given_ = ["2026-04-21T14:03:22Z", "2026-04-21 16:03:22+02:00", 1776780202, 1776780202000, ACCEPTED["RFC 2822"][0]]
    path = tmp_path / "rows.jsonl"
    rows = [{"text": f"t{i}", "label": "a", "timestamp": value} for i, value in enumerate([*given_, None])]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert [row.timestamp for row in read(path)] == [SAME] * 5 + [None]


def test_a_day_that_could_be_two_is_named_with_what_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label,timestamp\na,x,2026-04-21\nb,x,21/04/2026 14:03\n")

    with pytest.raises(InputError) as caught:
        read(path)

    (problem,) = caught.value.problems
    assert (problem.where, problem.field, problem.got) == (f"{path}:3", "timestamp", "'21/04/2026 14:03'")
    assert "2026-04-21T14:03:22Z" in problem.expected


def test_times_in_parquet_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame(
        {"text": ["a", "b"], "label": ["x", "x"], "timestamp": [datetime(2026, 4, 21, 14, 3, 22, tzinfo=UTC), None]}
    ).write_parquet(path)

    assert [row.timestamp for row in read(path)] == [SAME, None]
