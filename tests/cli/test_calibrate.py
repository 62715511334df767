"""``interlock calibrate`` as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from interlock.predict.calibrators import calibrator_from_json

Command = Callable[..., tuple[int, str, str]]
FIGURES = {"ece_20", "mce_20", "ece_debiased", "brier", "nll"}


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A table that says 1.5 times the logit it should."""
    chance = np.random.default_rng(0)
    true = chance.beta(4, 2, 700)
    stated = true**1.5 / (true**1.5 + (1 - true) ** 1.5)
    lines = [f"{a:.6f},{int(b)}\n" for a, b in zip(stated, chance.random(700) < true, strict=True)]
    path = tmp_path / "scores.csv"
    path.write_text("confidence,correct\n" + "".join(lines), encoding="utf-8")
    return path


def test_one_object_has_every_calibrator_the_buckets_and_the_choice(scores: Path, command: Command) -> None:
    code, said, _ = command("calibrate", "--scores", scores, "--json")
    found = json.loads(said)

    assert code == 0
    for kind in ("raw", "platt", "isotonic", "temperature", "beta", "histogram"):
        assert set(found[kind]) == FIGURES
        assert {"name", "value", "n", "low", "high", "level", "method"} <= set(found[kind]["ece_20"])
    assert [bucket["band"] for bucket in found["buckets"]] == [">=0.90", "0.70-0.90", "0.50-0.70", "<0.50"]
    for side in ("raw", "calibrated"):
        assert sum(bucket[side]["n"] for bucket in found["buckets"]) == found["n"] == 700
    assert found["chosen"] in found
    assert found["platt"]["nll"]["value"] < found["raw"]["nll"]["value"]


def test_people_get_tables(scores: Path, command: Command) -> None:
    code, said, _ = command("calibrate", "--scores", scores)

    assert code == 0
    for word in ("isotonic", "ece_debiased", "0.70-0.90", "chosen:"):
        assert word in said


def test_the_folder_gets_calibrators_that_read_back_and_the_same_pictures_each_time(
    scores: Path, tmp_path: Path, command: Command
) -> None:
    for name in ("one", "two"):
        assert command("calibrate", "--scores", scores, "-o", tmp_path / name, "--json")[0] == 0

    files = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    for stem in ("reliability", "confidence", "labels"):
        for mark in ("", ".dark"):
            assert files[f"{stem}{mark}.svg"].startswith(b"<?xml")
            assert files[f"{stem}{mark}.png"].startswith(b"\x89PNG")
    for kind in ("raw", "platt", "beta", "isotonic", "histogram", "temperature", "calibrator"):
        calibrator_from_json(json.loads(files[f"{kind}.json"]))


def test_every_bad_row_is_named_and_nothing_is_calibrated(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("confidence,correct\n0.5,1\nnan,1\n1.2,0\n0.7,maybe\n,true\n0.9,FALSE\n", encoding="utf-8")
    code, said, complaint = command("calibrate", "--scores", path, "--json")

    assert (code, said) == (2, "")
    for place in ("3: confidence: expected a number in 0-1, got 'nan'", "4: confidence", "5: correct", "6: confidence"):
        assert f"{path}:{place}" in complaint
    assert "4 problems" in complaint
    assert f"{path}:7" not in complaint


def test_json_lines_and_words_for_hits_read_too(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [
        {"confidence": 0.8, "correct": True},
        {"confidence": 1, "correct": 0},
        {"confidence": "0.6", "correct": "true"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    code, said, _ = command("calibrate", "--scores", path, "--json")

    assert code == 0
    assert json.loads(said)["raw"]["brier"]["value"] == pytest.approx((0.2**2 + 1 + 0.4**2) / 3)


@pytest.mark.parametrize("text", ["", "confidence,correct\n"])
def test_a_table_without_rows_is_bad_input(text: str, tmp_path: Path, command: Command) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(text, encoding="utf-8")

    assert command("calibrate", "--scores", path)[0] == 2
    assert command("calibrate", "--scores", tmp_path / "none.csv")[0] == 2


def test_one_row_is_measured_raw_and_left_alone(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "one.csv"
    path.write_text("confidence,correct\n0.75,1\n", encoding="utf-8")
    code, said, _ = command("calibrate", "--scores", path, "-o", tmp_path / "out", "--json")
    found = json.loads(said)

    assert code == 0
    assert found["chosen"] == "raw"
    assert found["platt"]["ece_20"]["value"] is None
    assert (tmp_path / "out" / "labels.png").exists()  # and says that one row shows nothing
    assert command("calibrate", "--scores", path)[0] == 0
