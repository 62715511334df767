"""``interlock evaluate`` and ``interlock compare`` as a user runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.build import Built

Command = Callable[..., tuple[int, str, str]]


def test_an_evaluation_is_one_object_and_a_folder_to_read(
    built: Built, shop: Path, tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "evaluation"
    code, said, _ = command("evaluate", built.run / "bundle", shop / "rows.jsonl", "-o", out, "--json")
    found, kept = json.loads(said), json.loads((out / "evaluation.json").read_bytes())

    assert code == 0
    assert set(found) >= {"bundle", "data", "measurements", "confusion", "slices", "buckets", "cost", "thresholds"}
    assert found["measurements"] == kept["measurements"]
    assert sum(line["n"] for line in found["slices"]["fields"]["label"]) == found["confusion"]["rows"] == 900
    assert set(kept["pictures"]) == {"reliability", "confidence", "confusion", "recall", "thresholds"}
    page = (out / "evaluation.md").read_text(encoding="utf-8")
    assert all((out / name).is_file() for name in re.findall(r"!\[\w+\]\(([\w.]+)\)", page))


def test_people_get_short_tables(built: Built, shop: Path, command: Command) -> None:
    code, said, _ = command("evaluate", built.run / "bundle", shop / "rows.jsonl")

    assert code == 0
    for word in ("Most confused", "Least accurate", "Confidence against accuracy", "0.55 *", "misroutes a month"):
        assert word in said
    assert "recall.order" not in said
    assert len(said.splitlines()) < 90


def test_no_folder_is_made_for_rows_that_do_not_read(built: Built, tmp_path: Path, command: Command) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": "hi", "label": "nonsense"}\n', encoding="utf-8")
    code, _, complaint = command(
        "evaluate", built.run / "bundle", tmp_path / "bad.jsonl", "-o", tmp_path / "out", "--json"
    )

    assert code == 2
    assert "nonsense" in complaint
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_bad_usage(built: Built, shop: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")
    code, said, _ = command("evaluate", built.run / "bundle", shop / "rows.jsonl", "-o", tmp_path / "out", "--json")

    assert (code, said) == (2, "")


def test_a_build_leaves_pictures_of_training_and_of_its_test_rows(built: Built) -> None:
    names = {path.name for path in (built.run / "report").iterdir()}
    stems = ("learning", "rates", "reliability", "confidence", "confusion", "recall")

    assert names == {f"{s}{mark}.{kind}" for s in stems for mark in ("", ".dark") for kind in ("svg", "png")}


def test_a_build_without_the_drawing_library_says_so_and_goes_on(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    from interlock.core.dataset import Dataset
    from interlock.report.folder import draw_run

    events: list[str] = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    draw_run(tmp_path, built.receipt, Dataset(()), watched=0, watch=lambda event: events.append(event["note"]))

    assert "pip install" in events[0]
    assert not (tmp_path / "report").exists()


def test_a_bundle_compared_with_itself_differs_in_nothing_but_time(
    built: Built, bundle: Path, shop: Path, command: Command
) -> None:
    code, said, _ = command("compare", built.run / "bundle", bundle, shop / "rows.jsonl", "--json")
    found = json.loads(said)
    tests = {test["name"]: test for test in found["tests"]}

    assert code == 0
    assert set(found) >= {"a", "b", "tests", "cost_ratio", "sensitivity", "usd"}
    for name in ("accuracy", "macro_f1", "cost_per_message", "coverage"):
        assert (tests[name]["difference"], tests[name]["p"]) == (0, 1)
    assert tests["latency_ms"]["n"] == 900


def test_people_get_a_table_of_differences_and_what_they_are_worth(
    built: Built, bundle: Path, shop: Path, command: Command
) -> None:
    code, said, _ = command(
        "compare", built.run / "bundle", bundle, shop / "rows.jsonl", "--retraining-usd", 100, "--extra-usd", 5
    )

    assert code == 0
    for word in ("a - b", "macro_f1", "misroutes saved", "per quality point: not shown", "is not shown to pay"):
        assert word in said


def test_prices_that_are_none_are_bad_usage(built: Built, bundle: Path, shop: Path, command: Command) -> None:
    code, _, complaint = command("compare", bundle, bundle, shop / "rows.jsonl", "--months", -1, "--extra-usd", "nan")

    assert code == 2
    assert "--months" in complaint
    assert "--extra-usd" in complaint
