"""What reaches a tracker, and that a tracker which fails stops nothing."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from interlock.train.tracking import Tracking, numbers, tracking

STEP = {
    "event": "step",
    "epoch": 1,
    "step": 25,
    "steps": 90,
    "loss": 0.5,
    "clipped": 3,
    "layers": {"head": {"grad": 0.1}},
    "languages": {"script:latin": 1.0},
}
EPOCH = {"event": "epoch", "epoch": 1, "epochs": 3, "val_acc": 0.75, "val_loss": math.nan}
WARNING = {"event": "warning", "code": "rare.flat", "detail": "recall is 0.1", "decision": "label more"}


class Recorded:
    """A writer that remembers; it fails at the call numbered ``fails``."""

    def __init__(self, *, fails: int = -1) -> None:
        self.calls: list[Any] = []
        self.fails = fails

    def _add(self, *call: Any) -> None:
        if len(self.calls) == self.fails:
            raise ConnectionError("no route to host")
        self.calls.append(call)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        self._add("scalars", dict(values), step)

    def texts(self, values: Mapping[str, str]) -> None:
        self._add("texts", dict(values))

    def close(self, *, failed: bool) -> None:
        self._add("close", failed)


def tracked(events: list[dict[str, Any]], *, fails: int = -1) -> tuple[list[Any], list[Any]]:
    """Return what was written, and what the other watcher was told."""
    writer = Recorded(fails=fails)
    told: list[Any] = []
    with Tracking(lambda _step: writer, {"epochs": 3, "adapt": None}, also=told.append) as watch:
        for event in events:
            watch(event)
        watch.finish({"accuracy": 0.9, "unmeasured": math.nan}, {"verdict": "hold"})
    return writer.calls, told


def test_every_number_reaches_the_tracker_at_its_step() -> None:
    written, told = tracked([{"event": "stage", "stage": "train"}, STEP, EPOCH, WARNING])

    assert written == [
        ("texts", {"epochs": "3", "adapt": "None"}),
        (
            "scalars",
            {
                "train/loss": 0.5,
                "train/clipped": 3.0,
                "train/layers/head/grad": 0.1,
                "train/languages/script_latin": 1.0,
            },
            25,
        ),
        ("scalars", {"epoch/val_acc": 0.75}, 25),
        ("texts", {"warning/rare.flat": "recall is 0.1: label more"}),
        ("scalars", {"test/accuracy": 0.9}, 25),
        ("texts", {"verdict": "hold"}),
        ("close", False),
    ]
    assert [event["event"] for event in told] == ["stage", "step", "epoch", "warning"]


@pytest.mark.parametrize("fails", [0, 1, 2, 5])
def test_a_tracker_that_fails_is_warned_of_once_and_left_alone(fails: int) -> None:
    written, told = tracked([STEP, EPOCH, STEP, EPOCH], fails=fails)

    assert len(written) == fails
    assert [event.get("code") for event in told].count("tracking.failed") == 1
    assert [event["event"] for event in told].count("step") == 2


def test_a_run_that_fails_ends_as_failed() -> None:
    writer = Recorded()
    watch = Tracking(lambda _step: writer, {}, also=lambda _event: None)
    watch(STEP)
    watch.__exit__(ZeroDivisionError, None, None)

    assert writer.calls[-1] == ("close", True)


def test_truth_values_text_and_what_is_not_finite_are_no_numbers() -> None:
    given = {"a": True, "b": "x", "c": math.inf, "d": 2, "e": None, "f": [1]}
    assert list(numbers(given, "p")) == [("p/d", 2.0)]


@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow"])
def test_a_tracker_that_is_not_installed_is_named_before_anything_is_done(
    tracker: str,
    shop: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[..., tuple[int, str, str]],
) -> None:
    monkeypatch.setitem(sys.modules, tracker, None)
    options = ["--data", shop / "rows.jsonl", "-o", tmp_path / "run", "--log-to", tracker]
    code, _, err = command("build", "--contract", shop / "contract.yaml", *options)

    assert code == 2
    assert f"pip install 'interlock[{tracker}]'" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed")
@pytest.mark.filterwarnings("ignore")
def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with tracking("tensorboard", run=tmp_path, about={"epochs": 3}, also=lambda _event: None) as watch:
        watch(STEP)
        watch(EPOCH)
    read = EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()

    assert [(one.step, one.value) for one in read.Scalars("train/loss")] == [(25, 0.5)]
    assert [(one.step, one.value) for one in read.Scalars("epoch/val_acc")] == [(25, 0.75)]


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed")
@pytest.mark.filterwarnings("ignore")
def test_mlflow_reads_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    told: list[Any] = []
    with tracking("mlflow", run=tmp_path / "run7", about={"epochs": 3}, also=told.append) as watch:
        watch(STEP)
        watch.finish({"accuracy": 0.9}, {"verdict": "hold"})
    client = mlflow.MlflowClient()
    found = client.search_runs([client.get_experiment_by_name("interlock").experiment_id])

    assert [event["event"] for event in told] == ["step"]
    assert len(found) == 1
    assert found[0].info.run_name == "run7"
    assert found[0].info.status == "FINISHED"
    assert found[0].data.metrics["train/loss"] == 0.5
    assert found[0].data.metrics["test/accuracy"] == 0.9
    assert found[0].data.tags["verdict"] == "hold"
