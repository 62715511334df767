"""Many trainings: what is compared, what is remembered, and what an interruption costs."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.clock import SystemClock
from interlock.core.contract_file import parse_contract
from interlock.core.dataset import CalibrationSet, Example, TestSet, TrainSet
from interlock.core.errors import InputError
from interlock.core.progress import unwatched
from interlock.testing import FrozenClock
from interlock.train.experiments import run as run_module
from interlock.train.experiments.cache import CACHE, SCORES, folder_of, key_of, open_folder, recall, store
from interlock.train.experiments.grid import (
    grid_arms,
    layers_of,
    loss_arms,
    model_arms,
    parse_grid,
    parse_seeds,
    track_arms,
)
from interlock.train.experiments.run import Failed, run_trials
from interlock.train.experiments.trial import Material, Outcome, Trial
from interlock.train.recipe import Recipe

RECIPE = Recipe(epochs=2, batch_size=8)
CONTRACT = parse_contract(
    b"contract: 1\nname: t\nlabel_version: v1\nlabels: {a: {route: a, keywords: [apple]}, b: {route: b}}\n"
    b"input: {max_tokens: 16}\n"
)


def examples(part: str, count: int) -> tuple[Example, ...]:
    words = {"a": "apple", "b": "boat"}
    return tuple(Example(f"{part}{i}", f"{words['ab'[i % 2]]} {part} number {i}", ("ab"[i % 2],)) for i in range(count))


MATERIAL = Material(
    TrainSet(examples("train", 40)),
    CalibrationSet(examples("cal", 12)),
    TestSet(examples("test", 14)),
    CONTRACT,
    "fp32",
)


class KilledError(Exception):
    """What a test throws into a training."""


def test_a_grid_has_values_of_the_fields_own_types() -> None:
    found = parse_grid(
        "gamma=0,1.5; epochs=3 ;stop_early=true,FALSE;learning_rate=none,1e-4;"
        "loss=focal,cross_entropy;adapt=none,a.jsonl"
    )

    assert found == {
        "gamma": [0.0, 1.5],
        "epochs": [3],
        "stop_early": [True, False],
        "learning_rate": [None, 1e-4],
        "loss": ["focal", "cross_entropy"],
        "adapt": [None, "a.jsonl"],
    }


def test_every_part_of_a_grid_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_grid("gama=1;epochs=1.5;loss=focul;gamma=1;gamma=2;decay")
    said = str(caught.value)

    assert "did you mean 'gamma'" in said
    assert "expected int or none, got '1.5'" in said
    assert "one of focal, cross_entropy" in said
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize("name", [one.name for one in fields(Recipe)])
def test_a_grid_takes_whatever_a_recipe_field_may_be(name: str) -> None:
    kind = get_type_hints(Recipe)[name]
    values = [*get_args(kind), getattr(Recipe(), name)] if get_origin(kind) is Literal else [getattr(Recipe(), name)]
    for value in values:
        assert parse_grid(f"{name}={value}") == {name: [value]}


@pytest.mark.parametrize("text", ["", " ; ", "gamma=", "=1"])
def test_an_empty_grid_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no grid"):
        parse_grid(text)


@pytest.mark.parametrize("grid", [{"gamma": [1.0]}, {"gamma": [1.0, 1.0]}, {"seed": list(range(201))}])
def test_a_grid_that_compares_nothing_or_too_much_is_refused(grid: dict[str, list[Any]]) -> None:
    with pytest.raises(InputError, match="compares nothing"):
        grid_arms(grid, encoder="tiny", recipe=RECIPE)


def test_the_first_arm_has_the_first_value_of_every_field() -> None:
    arms = grid_arms({"gamma": [0.0, 2.0], "keep": ["last", "best"]}, encoder="tiny", recipe=RECIPE)

    assert [arm.name for arm in arms] == [f"gamma={g} keep={k}" for g in (0.0, 2.0) for k in ("last", "best")]
    assert arms[0].recipe == replace(RECIPE, gamma=0.0, keep="last")


def test_a_value_out_of_range_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(InputError, match="does not make sense"):
        grid_arms(parse_grid("label_smoothing=0,2"), encoder="tiny", recipe=RECIPE)


def test_the_prepared_grids_differ_in_what_they_say_they_do() -> None:
    losses = loss_arms(encoder="tiny", recipe=RECIPE)
    tracks = track_arms(encoder="tiny", recipe=RECIPE, layers=layers_of("tiny"))

    assert len({arm.recipe for arm in losses}) == len(losses) == 6
    assert [(arm.recipe.track, arm.recipe.frozen_layers) for arm in tracks[:2]] == [("full", 0), ("partial", 1)]
    assert [arm.name for arm in track_arms(encoder="x", recipe=RECIPE, layers=1)] == ["full", "lora", "head"]
    assert [arm.baseline for arm in model_arms(["tiny"], ["keywords"], recipe=RECIPE)] == [False, True]


@pytest.mark.parametrize("text", ["1", "1,1", "1,x", "1,-2", "1.5,2", "99999999999,1", ""])
def test_seeds_are_different_whole_numbers(text: str) -> None:
    with pytest.raises(InputError, match="no seeds"):
        parse_seeds(text, least=2)


@given(st.integers(1, 3), st.sampled_from([0.0, 1.0]), st.integers(41, 43))
def test_another_recipe_has_another_key(epochs: int, gamma: float, seed: int) -> None:
    one = Trial("x", "tiny", RECIPE)
    other = replace(one, recipe=replace(RECIPE, epochs=epochs, gamma=gamma, seed=seed))

    assert (key_of(one, MATERIAL) == key_of(other, MATERIAL)) == (one.recipe == other.recipe)


def test_a_key_tells_rows_contracts_and_models_apart_and_names_alone_not() -> None:
    one = Trial("x", "tiny", RECIPE)
    fewer = replace(MATERIAL, train=TrainSet(MATERIAL.train.examples[1:]))
    other = parse_contract(b"contract: 1\nname: t\nlabel_version: v2\nlabels: {a: {route: a}, b: {route: b}}\n")
    keys = [
        key_of(one, MATERIAL),
        key_of(one, fewer),
        key_of(one, replace(MATERIAL, contract=other)),
        key_of(one, replace(MATERIAL, engine="int8")),
        key_of(replace(one, encoder="minilm"), MATERIAL),
        key_of(Trial("keywords", "keywords", RECIPE, baseline=True), MATERIAL),
    ]

    assert len(set(keys)) == len(keys)
    assert key_of(replace(one, train=fewer.train), MATERIAL) == keys[1]
    assert key_of(replace(one, name="y"), MATERIAL) == keys[0]


def test_an_encoder_folder_with_other_weights_has_another_key(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"one")
    before = key_of(Trial("x", str(tmp_path), RECIPE), MATERIAL)
    (tmp_path / "model.safetensors").write_bytes(b"two")

    assert key_of(Trial("x", str(tmp_path), RECIPE), MATERIAL) != before


def outcome() -> Outcome:
    rng = np.random.default_rng(0)
    return Outcome(rng.normal(size=(4, 2)), rng.normal(size=(3, 2)), np.ones(4), {"train_minutes": 0.1})


def test_an_outcome_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    one = outcome()
    store(one, tmp_path, key="k")
    found = recall(tmp_path, key="k")

    assert found is not None
    assert found.cached
    assert np.array_equal(found.calibration, one.calibration)
    assert np.array_equal(found.test, one.test)
    assert found.facts == one.facts
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "other key", "no facts"])
def test_an_outcome_that_is_not_whole_is_no_outcome(tmp_path: Path, damage: str) -> None:
    store(outcome(), tmp_path, key="k")
    path = tmp_path / SCORES
    data = path.read_bytes()
    if damage == "flipped":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "cut":
        path.write_bytes(data[:-5])
    elif damage == "gone":
        path.unlink()
    elif damage == "no facts":
        (tmp_path / "outcome.json").write_text("[]")

    assert recall(tmp_path, key="another" if damage == "other key" else "k") is None


def test_two_experiments_do_not_work_in_one_folder_nor_in_somebody_elses(tmp_path: Path) -> None:
    with open_folder(tmp_path / "one"), pytest.raises(InputError, match="another experiment"):
        open_folder(tmp_path / "one")
    open_folder(tmp_path / "one").close()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="holds no experiment"):
        open_folder(tmp_path / "mine")
    with pytest.raises(InputError, match="is a file"):
        open_folder(tmp_path / "mine" / "thesis.txt")


def trained(out: Path, *, watch: Any = unwatched, recipe: Recipe = RECIPE) -> Outcome | Failed:
    """Train the tiny encoder; by this clock every look takes ten seconds, so that checkpoints are due."""
    clock = FrozenClock(tick_ms=10_000)
    trial = Trial("x", "tiny", recipe)
    return run_trials([trial], MATERIAL, out=out, parallel=1, watch=watch, clock=clock)[0]


def test_a_killed_training_goes_on_and_a_finished_one_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(line: Any) -> None:
        if line["event"] == "epoch":
            raise KilledError

    whole = trained(tmp_path / "whole")
    with pytest.raises(KilledError):
        trained(tmp_path / "cut", watch=kill)
    resumed = trained(tmp_path / "cut")
    monkeypatch.setattr(run_module, "run_trial", None)  # calling it would raise
    again = trained(tmp_path / "cut")

    assert isinstance(whole, Outcome)
    assert isinstance(resumed, Outcome)
    assert isinstance(again, Outcome)
    assert resumed.facts["resumed_at_step"] > 0
    assert np.array_equal(resumed.calibration, whole.calibration)
    assert np.array_equal(again.test, resumed.test)
    assert again.cached
    assert not resumed.cached
    key = key_of(Trial("x", "tiny", RECIPE), MATERIAL)
    names = {path.name for path in folder_of(tmp_path / "cut" / CACHE, key).iterdir()}
    assert names == {"outcome.json", "outcome.safetensors", "train.jsonl"}  # no weights stay


def test_a_training_that_cannot_be_done_fails_alone_and_is_tried_again(tmp_path: Path) -> None:
    bad = Trial("bad", "tiny", replace(RECIPE, track="partial", frozen_layers=7))
    good = Trial("keywords", "keywords", RECIPE, baseline=True)
    for _ in range(2):
        found = run_trials([bad, good], MATERIAL, out=tmp_path, parallel=1, watch=unwatched, clock=SystemClock())
        assert isinstance(found[0], Failed)
        assert "frozen_layers" in found[0].why
        assert isinstance(found[1], Outcome)


def test_processes_side_by_side_find_what_one_finds(tmp_path: Path) -> None:
    trials = [Trial(name, name, RECIPE, baseline=True) for name in ("keywords", "tfidf_logistic")]
    one = run_trials(trials, MATERIAL, out=tmp_path / "1", parallel=1, watch=unwatched, clock=SystemClock())
    seen: list[Any] = []
    two = run_trials(trials, MATERIAL, out=tmp_path / "2", parallel=2, watch=seen.append, clock=SystemClock())

    for left, right in zip(one, two, strict=True):
        assert isinstance(left, Outcome)
        assert isinstance(right, Outcome)
        assert np.array_equal(left.calibration, right.calibration)
        assert not left.states_confidence
    assert seen[-1] == {"event": "progress", "stage": "experiment", "done": 2, "total": 2}
    with pytest.raises(InputError, match="--parallel"):
        run_trials(trials, MATERIAL, out=tmp_path, parallel=0, watch=unwatched, clock=SystemClock())
