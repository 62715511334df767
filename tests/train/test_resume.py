"""Training that is interrupted goes on to the very bits it would have reached, and nothing half-written is trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Example, TrainSet
from interlock.core.errors import InputError
from interlock.train.checkpoint import Checkpoints
from interlock.train.encoders import resolve
from interlock.train.fit import Fitted, fit
from interlock.train.recipe import Recipe
from interlock.train.step_log import StepLog

ROWS = TrainSet(
    tuple(
        Example(f"{label}{i}", f"{word} number {i} of many", (label,))
        for label, word in (("a", "apple"), ("b", "boat"), ("c", "cloud"))
        for i in range(14 if label != "c" else 5)
    )
)
RECIPE = Recipe(epochs=3, track="full", batch_size=4, learning_rate=1e-3, oversample=0.5, keep="best", stop_early=False)


class KilledError(Exception):
    """What a test throws into the loop."""


def trained(folder: Path, *, recipe: Recipe = RECIPE, every: float = 0.0, die_after: int | None = None) -> Fitted:
    """Train the tiny encoder; raise after ``die_after`` lines of the log."""
    seen = 0

    def watch(_line: dict[str, Any]) -> None:
        nonlocal seen
        seen += 1
        if die_after is not None and seen > die_after:
            raise KilledError

    folder.mkdir(exist_ok=True)
    with StepLog(folder / "train.jsonl", watch) as log:
        return fit(
            ROWS,
            CalibrationSet(ROWS.examples[::3]),
            labels=["a", "b", "c"],
            encoder=resolve("tiny"),
            recipe=recipe,
            policy=InputPolicy(),
            log=log,
            clock=SystemClock(),
            checkpoints=Checkpoints(folder / "checkpoint.safetensors", key="k", every=every, share=1e9),
        )


def weights(fitted: Fitted) -> dict[str, torch.Tensor]:
    return dict(fitted.model.state_dict())


@pytest.mark.parametrize("die_after", [0, 1, 2, 3])
def test_an_interrupted_training_ends_in_the_same_bits(tmp_path: Path, die_after: int) -> None:
    whole = trained(tmp_path / "whole")
    with pytest.raises(KilledError):
        trained(tmp_path / "cut", die_after=die_after)
    resumed = trained(tmp_path / "cut")

    assert resumed.facts["resumed_at_step"] > 0
    assert weights(resumed).keys() == weights(whole).keys()
    assert all(torch.equal(value, weights(resumed)[name]) for name, value in weights(whole).items())


def test_a_checkpoint_of_another_run_is_not_continued(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        trained(tmp_path, die_after=2)
    other = Checkpoints(tmp_path / "checkpoint.safetensors", key="another")

    assert other.load(torch.nn.Linear(2, 2), torch.optim.AdamW(torch.nn.Linear(2, 2).parameters())) is None


@pytest.mark.parametrize("damage", ["cut short", "flipped"])
def test_a_damaged_checkpoint_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    with pytest.raises(KilledError):
        trained(tmp_path, die_after=2)
    path = tmp_path / "checkpoint.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] if damage == "cut short" else b"\xff" * 8 + data[8:])

    with pytest.raises(InputError, match="is not a checkpoint"):
        trained(tmp_path)


def test_a_disk_that_cannot_take_a_checkpoint_does_not_stop_training(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.safetensors").mkdir()  # nothing can be renamed over a directory
    fitted = trained(tmp_path)

    assert fitted.facts["steps_taken"] == fitted.facts["steps"]
    assert "checkpoint.failed" in (tmp_path / "train.jsonl").read_text()
    assert not list(tmp_path.glob("*.part"))


def test_the_step_log_of_a_resumed_run_tells_every_step_once(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        trained(tmp_path, die_after=2)
    trained(tmp_path)
    lines = (tmp_path / "train.jsonl").read_text().splitlines()

    assert sum('"event": "epoch"' in line for line in lines) == RECIPE.epochs
    assert sum("training goes on after step" in line for line in lines) == 1


def test_another_recipe_gives_other_bits(tmp_path: Path) -> None:
    one, other = trained(tmp_path / "one"), trained(tmp_path / "other", recipe=replace(RECIPE, seed=7))

    assert not all(torch.equal(value, weights(other)[name]) for name, value in weights(one).items())


def test_checkpoints_take_the_room_of_one(tmp_path: Path) -> None:
    trained(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.safetensors", "train.jsonl"]


@pytest.mark.parametrize("die_after", [1, 4, 5, 7])
def test_an_interrupted_soup_goes_on_with_the_model_it_was_at(tmp_path: Path, die_after: int) -> None:
    recipe = replace(RECIPE, soup=3)
    whole = trained(tmp_path / "whole", recipe=recipe)
    with pytest.raises(KilledError):
        trained(tmp_path / "cut", recipe=recipe, die_after=die_after)
    resumed = trained(tmp_path / "cut", recipe=recipe)

    assert all(torch.equal(value, weights(resumed)[name]) for name, value in weights(whole).items())
    assert resumed.facts["soup"] == whole.facts["soup"]
    logs = [(tmp_path / name / "train.jsonl").read_text() for name in ("whole", "cut")]
    for event in ("epoch", "soup_epoch"):
        assert len({log.count(f'"event": "{event}"') for log in logs}) == 1


def test_a_soup_is_the_mean_of_models_from_one_start(tmp_path: Path) -> None:
    recipe = replace(RECIPE, soup=2)
    soup = trained(tmp_path / "soup", recipe=recipe)
    one = trained(tmp_path / "one")  # the first model: the start and the seed are those of a plain training
    halves = {
        name: 2 * value - weights(one)[name] for name, value in weights(soup).items() if value.is_floating_point()
    }

    assert any(not torch.equal(other, weights(one)[name]) for name, other in halves.items())
    kept = Checkpoints(tmp_path / "soup" / "soup-2.safetensors", key="k")
    second = one.model
    kept.load(second, torch.optim.AdamW(second.parameters()))
    for name, value in second.state_dict().items():
        torch.testing.assert_close(halves[name], value, atol=1e-6, rtol=1e-5)
