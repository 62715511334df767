"""Confused pairs and slices: counts a reader can redo, tests against scipy and scikit-learn, honest worst slices."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from interlock.measure.confusion import banded, by_slice, confused_pairs, confusion_matrix, fisher

LABELS = ["a", "b", "c"]
GOLD = np.array([0] * 10 + [1] * 10 + [2] * 10)
SAID = np.array([0] * 6 + [1] * 4 + [1] * 7 + [0] * 2 + [2] + [2] * 9 + [0])
COSTS = np.array([[0.0, 1, 3], [2, 0, 7], [12, 3, 0]])


def test_the_matrix_is_scikit_learns() -> None:
    assert confusion_matrix(SAID, GOLD, k=3).tolist() == metrics.confusion_matrix(GOLD, SAID).tolist()
    assert confusion_matrix(np.empty(0, dtype=int), np.empty(0, dtype=int), k=2).tolist() == [[0, 0], [0, 0]]


def test_pairs_come_most_frequent_first_with_their_part_in_all_errors() -> None:
    """Eight errors: a as b 4, b as a 2, b as c 1, c as a 1."""
    found = confused_pairs(SAID, GOLD, labels=LABELS, costs=COSTS)

    assert [f"{p.gold}{p.predicted}{p.count}" for p in found] == ["ab4", "ba2", "bc1", "ca1"]
    assert [p.share.value for p in found] == [0.5, 0.25, 0.125, 0.125]
    assert [p.cumulative for p in found] == [0.5, 0.75, 0.875, 1.0]
    assert [(p.severity, p.cost) for p in found] == [(1, 4), (2, 4), (7, 7), (12, 12)]


def test_both_directions_can_count_as_one() -> None:
    """A and b: 4 at 1 and 2 at 2, so 8 units over 6 errors."""
    found = confused_pairs(SAID, GOLD, labels=LABELS, costs=COSTS, both_ways=True)

    assert [(p.gold, p.predicted, p.count) for p in found] == [("a", "b", 6), ("b", "c", 1), ("c", "a", 1)]
    assert [found[0].severity, found[0].cost] == pytest.approx([8 / 6, 8])
    assert sum(p.count for p in found) == 8


def test_pairs_without_costs_have_no_severity_and_no_errors_no_pairs() -> None:
    assert math.isnan(confused_pairs(SAID, GOLD, labels=LABELS)[0].severity)
    assert confused_pairs(GOLD, GOLD, labels=LABELS) == []
    assert confused_pairs(np.empty(0, dtype=int), np.empty(0, dtype=int), labels=LABELS) == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=40))
def test_pairs_cover_every_error_once(rows: list[tuple[int, int]]) -> None:
    gold, said = (np.array([row[i] for row in rows], dtype=int) for i in (0, 1))
    for both_ways in (False, True):
        found = confused_pairs(said, gold, labels=LABELS, costs=COSTS, both_ways=both_ways)

        assert sum(pair.count for pair in found) == (gold != said).sum()
        assert sum(pair.cost for pair in found) == pytest.approx(COSTS[gold, said].sum())
        names = [(p.gold, p.predicted) for p in found]
        assert len({tuple(sorted(name)) if both_ways else name for name in names}) == len(names)


def test_fisher_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(1, 60))
        right, inside = rng.random(n) < rng.random(), rng.random(n) < 0.3
        hits, rows, everything = int((right & inside).sum()), int(inside.sum()), int(right.sum())
        table = [[hits, rows - hits], [everything - hits, n - rows - everything + hits]]

        assert fisher(hits, rows, everything, n) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


def test_fisher_stays_finite_on_many_rows() -> None:
    assert 0 <= fisher(10_000, 20_000, 90_000, 100_000) < 1e-100
    assert fisher(9_000, 10_000, 90_000, 100_000) == pytest.approx(1.0)


def test_slices_have_the_level_that_lets_all_intervals_hold_together() -> None:
    right = np.arange(300) % 10 != 0
    found = by_slice(right, ["en"] * 150 + ["ja"] * 100 + ["mixed"] * 50, field="lang")

    assert [s.accuracy.slice for s in found.slices] == ["lang=en", "lang=ja", "lang=mixed"]
    assert [s.accuracy.n for s in found.slices] == [150, 100, 50]
    assert [s.accuracy.level for s in found.slices] == pytest.approx([1 - 0.05 / 3] * 3)
    assert (found.overall.value, found.overall.level) == (0.9, 0.95)


def test_a_bad_slice_is_proven_and_the_worst() -> None:
    """30 of 50 right against 900 of 950."""
    right = np.concatenate([np.arange(950) >= 50, np.arange(50) >= 20])
    found = by_slice(right, [0] * 950 + [1] * 50, field="synthetic")

    assert found.worst is not None
    assert found.worst.accuracy.slice == "synthetic=1"
    assert found.worst.accuracy.high < found.overall.low
    assert [s.accuracy.slice for s in found.proven] == ["synthetic=1"]


def test_the_worst_of_many_alike_slices_is_seldom_proven() -> None:
    """Twenty slices of one accuracy: some is proven bad in at most about 5 % of 200 draws, and covered in 95 %."""
    rng, proven, missed = np.random.default_rng(0), 0, 0
    values = np.repeat(np.arange(20), 40)
    for _ in range(200):
        found = by_slice(rng.random(800) < 0.9, values.tolist(), field="group")
        proven += bool(found.proven)
        assert found.worst is not None
        missed += found.worst.accuracy.high < 0.9

    assert proven <= 17  # 5 % of 200, and two standard deviations
    assert missed <= 17


def test_slices_of_no_rows_and_of_one_value_are_defined() -> None:
    empty = by_slice(np.empty(0, dtype=bool), [], field="x")
    one = by_slice(np.array([True, False]), ["a", "a"], field="x")

    assert (empty.slices, empty.worst, empty.proven) == ((), None, ())
    assert math.isnan(empty.overall.value)
    assert (one.slices[0].p, one.proven) == (1.0, ())


def test_bands_are_named_by_their_numbers_and_sort_by_size() -> None:
    found = banded([0, 8, 9, 16, 17, 400], edges=[8, 16])

    assert found == ["00-08", "00-08", "09-16", "09-16", "17-", "17-"]
    assert sorted(set(found)) == ["00-08", "09-16", "17-"]
    assert banded([], edges=[5]) == []


BAD: dict[str, Callable[[], object]] = {
    "falling edges": lambda: banded([1], edges=[5, 5]),
    "no edges": lambda: banded([1], edges=[]),
    "values that are no counts": lambda: banded([0.5], edges=[5]),
    "negative values": lambda: banded([-1], edges=[5]),
    "values that do not match": lambda: by_slice([True], [], field="x"),
    "costs of another shape": lambda: confused_pairs(SAID, GOLD, labels=LABELS, costs=np.zeros((2, 2))),
    "a label outside": lambda: confusion_matrix(np.array([3]), np.array([0]), k=3),
    "more hits than rows": lambda: fisher(3, 2, 3, 4),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        BAD[case]()
