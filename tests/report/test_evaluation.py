"""Tables of an evaluation on rows written down, and what their files may say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interlock.core.contract_file import parse_contract
from interlock.report.evaluation import Evaluation
from interlock.report.figures import svg
from interlock.report.folder import write_evaluation
from interlock.report.page import evaluation_page, plain

Evaluate = Callable[..., Evaluation]
ROWS = [
    *[("order", "order", 0.9)] * 6,
    *[("refund", "refund", 0.7)] * 3,
    ("refund", "hello", 0.85),
    ("refund", "hello", 0.95),
    ("order", "hello", 0.6),
    ("hello", "order", 0.5),
    *[("hello", "hello", 0.95)] * 3,
]  # 16 rows, 4 errors: costs 7 + 7 + 3 + 3


def test_confused_pairs_are_ranked_with_severity_share_and_their_surest_rows(evaluation: Evaluate) -> None:
    table = evaluation(ROWS).confusion
    first = table.to_json(texts=True)["most"][0]

    assert (table.rows, table.errors, len(table.pairs), table.half) == (16, 4, 3, 1)
    assert (first["gold"], first["predicted"], first["count"]) == ("refund", "hello", 2)
    assert (first["share"]["value"], first["severity"], first["cost"]) == (0.5, 7.0, 14.0)
    assert list(first["examples"].items()) == [("r10", "message 10"), ("r9", "message 9")]
    assert table.to_json(texts=False)["most"][0]["examples"] == ["r10", "r9"]


def test_at_most_three_rows_of_a_pair_are_shown(evaluation: Evaluate) -> None:
    found = evaluation([("order", "hello", 0.6)] * 9)

    assert len(found.confusion.examples["order", "hello"]) == 3


def test_costs_are_those_of_the_contract_in_harm_units_and_in_dollars(evaluation: Evaluate) -> None:
    costs = evaluation(ROWS).costs
    said = costs.to_json()

    assert costs.total == 20
    assert costs.per_message.value == 20 / 16
    assert costs.misroutes.value == pytest.approx(3 / 16 * 0.3 * 1000)  # the row of confidence 0.5 is left alone
    assert costs.reviews.value == pytest.approx(1 / 16 * 0.25 * 1000)
    assert costs.avoided.value == pytest.approx(0.25)  # one review, one misroute less
    assert said["usd"]["misroutes"]["said"].startswith("at least $")
    assert said["prices"]["harm_unit_usd"] == pytest.approx(0.3 / 3)


def test_the_cheapest_threshold_and_what_would_move_it(evaluation: Evaluate) -> None:
    costs = evaluation(ROWS).costs  # a review costs 2.5 harm units; errors stated at 0.5 and 0.6 cost 3
    pairs = {flip.pair for flip in costs.flips}

    assert costs.cheapest is not None
    assert costs.cheapest.threshold == pytest.approx(0.7)
    assert costs.cheapest.cost == pytest.approx((2 * 7 + 2 * 2.5) / 16)
    assert pairs == {(0, 2), (1, 2), (2, 0), None}
    halved = {flip.pair: flip for flip in costs.flips if flip.factor == 0.5}
    assert halved[0, 2].flips  # at 1.5 the row at 0.6 is no longer worth a review
    assert halved[0, 2].choice.threshold == pytest.approx(0.6)
    assert not halved[1, 2].flips


def test_thresholds_say_what_bands_would_route_leave_and_cost(evaluation: Evaluate) -> None:
    points = {round(point.threshold, 2): point for point in evaluation(ROWS).thresholds}
    point = points[0.55]

    assert {0.55, 0.8} <= set(points)
    assert point.recall.value == 12 / 16
    assert point.precision.value == 12 / 15
    assert point.review.value == 1 / 16
    assert point.cost.value == pytest.approx((7 + 7 + 3) / 16 * 100 + 250 / 16)  # a harm unit is 10 cents


def test_a_threshold_policy_is_swept_on_its_positive_label(evaluation: Evaluate) -> None:
    contract = parse_contract(
        b"contract: 1\nname: t\nlabel_version: t\nlabels: {person: {route: a}, agent: {route: b}}\n"
        b"decide: {positive: person, threshold: 0.35}\n"
        b"costs: {levels: {low: 1, high: 12}, default: low, pairs: [[person, agent, high]]}\n"
    )
    rows = [("person", "person", 0.9), ("person", "agent", 0.6), ("agent", "agent", 0.9), ("agent", "person", 0.7)]
    found = evaluation(rows, contract=contract)
    points = {round(point.threshold, 2): point for point in found.thresholds}

    assert points[0.35].recall.value == 1  # the second row's score is 0.4
    assert points[0.45].recall.value == 1 / 2
    assert points[0.35].precision.value == 2 / 3
    assert points[0.35].review.value == 3 / 4
    assert found.costs.cheapest is not None
    assert 0.1 <= found.costs.cheapest.threshold <= 0.4  # finds both people and one alarm
    assert found.policy_buckets == []


def test_buckets_hold_every_row_once_on_either_side(evaluation: Evaluate) -> None:
    found = evaluation(ROWS)
    by_name = {band.name: band.calibrated for band in found.buckets}

    assert [band.name for band in found.buckets] == [">=0.90", "0.70-0.90", "0.50-0.70", "<0.50"]
    assert sum(bucket.n for bucket in by_name.values()) == 16
    assert by_name["0.50-0.70"].accuracy.value == 0
    assert [band.name for band in found.policy_buckets] == [">=0.80", "0.55-0.80", "<0.55"]


def test_slices_are_told_apart_by_every_field_that_rows_have(evaluation: Evaluate) -> None:
    fields = [{"lang": "ja" if n >= 9 else "en", "group": f"g{n // 4}", "source": "synthetic"} for n in range(16)]
    found = evaluation(ROWS, fields).slices

    assert set(found.tables) == {"label", "lang", "characters", "source", "group_rows"}
    assert found.worst is not None
    assert found.worst.accuracy.slice == "lang=ja"  # 3 of 7 right; refund has 3 of 5
    assert found.worst.accuracy.level == pytest.approx(1 - 0.05 / 5 / 2)  # five tables, two languages
    assert found.to_json()["worst"]["value"] == 3 / 7


def test_months_are_compared_with_the_month_before(evaluation: Evaluate) -> None:
    fields = [{"timestamp": f"2025-0{1 + n // 8}-03T00:00:00"} for n in range(16)]
    found = evaluation(ROWS, fields)

    assert list(found.drift) == ["2025-02"]
    assert "drift" in found.pictures()
    assert "drift" not in evaluation(ROWS).pictures()


@pytest.mark.parametrize(
    "rows", [[("order", "order", 0.9)], [("order", "hello", 0.9)], [("hello", "hello", 0.34)] * 3], ids=str
)
def test_one_row_all_right_and_all_wrong_are_tables_and_pictures_too(rows: list[Any], evaluation: Evaluate) -> None:
    found = evaluation(rows)

    assert json.dumps(found.to_json(texts=True), allow_nan=False)
    assert "nan" not in evaluation_page(found, title="t")
    assert all(svg(picture).startswith("<svg") for picture in found.pictures().values())


def test_rows_with_several_labels_alone_leave_empty_tables(evaluation: Evaluate) -> None:
    found = evaluation([("order", "order", 0.9)] * 2, [{"labels": ("order", "hello")}] * 2)

    assert found.to_json(texts=True)["confusion"]["rows"] == 0
    assert found.slices.worst is None
    assert "No errors." in evaluation_page(found, title="t")
    assert all(svg(picture).startswith("<svg") for picture in found.pictures().values())


def test_files_hold_no_text_but_masked_examples_on_the_page(evaluation: Evaluate, tmp_path: Path) -> None:
    told = "telephone 555-010-9999 or a.person@example.com <script>alert(1)</script> | ![x](http://e.com/x.png) `**b**`"
    fields = [{"text": f"nothing to see {n}"} for n in range(9)] + [{"text": told}]
    write_evaluation(evaluation(ROWS, fields), tmp_path, title="<b>t</b>", about={"bundle": "b"})
    page = (tmp_path / "evaluation.md").read_text(encoding="utf-8")
    body = (tmp_path / "evaluation.json").read_text(encoding="utf-8")

    assert "nothing to see" not in page + body
    assert "telephone" not in body
    for raw in ("555-010-9999", "example.com", "<script>", "<b>", "![x]", "| !"):
        assert raw not in page
    assert r"\[phone\]" in page


def test_the_same_rows_give_the_same_files(evaluation: Evaluate, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_evaluation(evaluation(ROWS), tmp_path / name, title="t", about={})
    files = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}

    assert files == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    for picture in json.loads(files["evaluation.json"])["pictures"]:
        assert {f"{picture}{mark}.{kind}" for mark in ("", ".dark") for kind in ("svg", "png")} <= set(files)


@pytest.mark.parametrize(("text", "shown"), [("a_b", "a_b"), ("_a_", r"\_a\_"), ("a|b\nc", r"a\|b c"), ("1.5", "1.5")])
def test_markdown_shows_text_and_does_nothing_else(text: str, shown: str) -> None:
    assert plain(text) == shown
