"""``interlock experiment`` as a person runs it: with the tiny encoder, real trainings, and a real bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import shop_rows, write_rows

from interlock.build import Built
from interlock.bundle.open import open_bundle
from interlock.challenge import counterfactual
from interlock.core.errors import InputError
from interlock.report.challenge import INJECTIONS

Command = Callable[..., tuple[int, str, str]]
QUICK = ("--encoder", "tiny", "--epochs", 1, "--batch-size", 32)


@pytest.fixture
def given(shop: Path, tmp_path: Path) -> tuple[object, ...]:
    """Options of a small experiment."""
    rows = write_rows(tmp_path / "rows.jsonl", shop_rows(240, seed=2))
    return ("--contract", shop / "contract.yaml", "--data", rows, *QUICK)


def test_an_ablation_is_a_table_a_page_and_a_cache(command: Command, given: tuple[object, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"
    grid = ("--grid", "gamma=0,2;track=full,partial", "-o", out)  # partial with no frozen layer cannot be trained
    code, said, _ = command("experiment", "ablate", *given, *grid, "--json")
    first = json.loads(said)
    code_again, said_again, progress = command("experiment", "ablate", *given, *grid, "--json")
    again = json.loads(said_again)
    page = (out / "experiment.md").read_text()

    assert (code, code_again) == (0, 0)
    assert [row["name"] for row in first["rows"]][:2] == ["gamma=0.0 track=full", "gamma=0.0 track=partial"]
    assert first["baseline"] == "gamma=0.0 track=full"
    assert first["judged_on"] == "calibration"
    assert "frozen_layers" in first["rows"][1]["failed"]
    assert {"accuracy", "macro_f1", "rare_recall", "ece_debiased", "cost_per_message", "latency_p95_ms"} == set(
        first["rows"][0]["measurements"]
    )
    assert all(m["n"] > 0 and m["low"] <= m["value"] for m in first["rows"][0]["measurements"].values())
    assert [row["cached"] for row in again["rows"] if "failed" not in row] == [True, True]
    assert again["recommendation"] == first["recommendation"]
    assert "4 trainings, 2 known" in progress
    assert json.loads((out / "experiment.json").read_text())["split"]
    assert "**Recommendation.**" in page
    assert "| gamma=2.0 track=full |" in page


def test_models_stand_beside_the_baselines_with_their_prices(
    command: Command, given: tuple[object, ...], tmp_path: Path
) -> None:
    code, said, _ = command("experiment", "models", *given, "--budget-ms", 500, "-o", tmp_path / "out")

    assert code == 0
    assert "tfidf_logistic" in said
    assert "Dollars a month" in said
    assert "choose " in said
    body = json.loads((tmp_path / "out" / "experiment.json").read_text())
    assert [row["name"] for row in body["rows"]] == ["tiny", "tfidf_logistic", "keywords"]
    assert body["latency_budget_ms"] == 500
    assert all(row["within_budget"] and row["serving_usd"]["value"] >= 0 for row in body["rows"])


def test_seeds_are_measured_on_the_test_rows_of_one_split(
    command: Command, given: tuple[object, ...], tmp_path: Path
) -> None:
    code, said, _ = command("experiment", "seeds", *given, "--seeds", "1,2", "-o", tmp_path / "out", "--json")
    body = json.loads(said)

    assert code == 0
    assert body["judged_on"] == "test"
    assert [row["name"] for row in body["rows"]] == ["seed 1", "seed 2"]
    values = [row["measurements"]["accuracy"]["value"] for row in body["rows"]]
    assert body["mean"]["accuracy"]["value"] == pytest.approx(sum(values) / 2)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("ablate", "--grid", "gama=1,2"), "did you mean 'gamma'"),
        (("seeds", "--seeds", "7"), "no seeds"),
        (("ablate", "--grid", "gamma=1,2", "--parallel", 0), "--parallel"),
        (("models", "--candidates", "tiny,tiny"), "--candidates"),
        (("ablate", "--grid", "gamma=1,2", "--epochs", 0), "epochs"),
    ],
)
def test_bad_options_end_with_exit_code_2_and_train_nothing(
    command: Command, given: tuple[object, ...], tmp_path: Path, options: tuple[object, ...], expected: str
) -> None:
    code, _, said = command("experiment", *options[:1], *given, *options[1:], "-o", tmp_path / "out")

    assert code == 2
    assert expected in said
    assert not list(tmp_path.glob("out/cache/*"))


def test_a_suite_is_kept_and_replayed_on_any_bundle(command: Command, built: Built, tmp_path: Path) -> None:
    data, out = write_rows(tmp_path / "rows.jsonl", shop_rows(90, seed=9)), tmp_path / "out"
    bundle = built.run / "bundle"
    _, said, _ = command("experiment", "counterfactual", bundle, data, "-o", out, "--at-least", 0.5, "--json")
    first = json.loads(said)
    code, said, _ = command(
        "experiment", "counterfactual", bundle, "--suite", out / "suite.jsonl", "--at-least", 0.5, "--json"
    )
    suites = {suite["suite"]: suite for suite in first["suites"]}

    assert json.loads(said)["suites"] == first["suites"]
    assert suites["case"]["kept"]["value"] == 1.0  # the tiny encoder's tokenizer folds case
    assert suites["case"]["status"] == "pass"
    assert suites["politeness"]["kept"]["n"] + suites["politeness"]["skipped"] == 90
    assert suites["politeness"]["kept"]["method"] in {"wilson", "clopper_pearson"}
    assert all(len(suite["worst"]) <= 10 for suite in first["suites"])
    assert code == (0 if all(suite["status"] == "pass" for suite in first["suites"]) else 1)
    assert "# Changed messages" in (out / "experiment.md").read_text()


def test_worst_examples_are_masked(built: Built, tmp_path: Path) -> None:
    rows = [{**row, "text": f"{row['text']} jo@mail.example"} for row in shop_rows(60, seed=5)]
    found = counterfactual(built.bundle, write_rows(tmp_path / "rows.jsonl", rows), least=0.5)
    worst = [case for suite in found.suites for case in suite.worst]

    assert worst
    assert "jo@mail.example" not in json.dumps(worst)


def test_data_or_a_suite_is_needed_and_not_both(built: Built, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--suite"):
        counterfactual(built.bundle)
    with pytest.raises(InputError, match="--suite"):
        counterfactual(built.bundle, tmp_path / "a", suite=tmp_path / "b")
    with pytest.raises(InputError, match="--at-least"):
        counterfactual(built.bundle, tmp_path / "a", least=float("nan"))


def injected(said: str) -> dict[str, dict[str, Any]]:
    return {row["injection"]: row for row in json.loads(said)["rows"]}


def test_what_must_be_caught_is_caught(command: Command, built: Built, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "rows.jsonl", shop_rows(120, seed=9))
    code, said, _ = command("experiment", "inject", built.run / "bundle", data, "--json")
    rows = injected(said)

    assert code in {0, 1}
    assert set(rows) == {name for name, criterion in INJECTIONS.items() if not criterion.training}
    for name in (
        *("input.too_long", "input.blank", "scores.nan", "calibrator.swapped", "labels.reordered"),
        *("labels.reordered_packed", "graph.flipped", "data.unknown_label"),
    ):
        assert rows[name]["status"] == "pass", rows[name]
    assert rows["prompt_injection"]["evidence"]["n"] > 0
    assert code == (0 if all(row["status"] == "pass" for row in rows.values()) else 1)
    open_bundle(built.run / "bundle")  # the bundle itself was not touched


def test_wrong_labels_in_training_are_measured_and_found_by_the_audit(
    command: Command, built: Built, tmp_path: Path
) -> None:
    data = write_rows(tmp_path / "data.jsonl", shop_rows(60, seed=1))
    learnt = [{**row, "id": f"t{row['id']}", "group": f"t{row['group']}"} for row in shop_rows(300, seed=2)]
    train = write_rows(tmp_path / "train.jsonl", learnt)
    bundle = built.run / "bundle"
    code, _, said = command("experiment", "inject", bundle, data, "--train", train, *QUICK)
    assert code == 2
    assert "-o" in said
    _, said, _ = command(
        "experiment", "inject", bundle, data, "--train", train, *QUICK, "-o", tmp_path / "out", "--json"
    )
    rows = injected(said)

    assert set(rows) == set(INJECTIONS)
    assert rows["label_noise"]["evidence"]["n"] == 60
    assert rows["label_noise.audit"]["evidence"]["value"] > 0.5  # most words are another label's
    assert "rows of" in rows["rare_rows_dropped"]["measured"]
