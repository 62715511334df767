"""Which trainings an experiment compares: grids of recipe fields, and the prepared ones. Knows no data."""

from __future__ import annotations

import itertools
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from interlock.core.errors import InputError, Problem, did_you_mean
from interlock.train.encoders import check_available, resolve
from interlock.train.recipe import Recipe

MOST_ARMS = 200
TINY_LAYERS = 2  # of the tiny encoder
WORDS: dict[str, bool | None] = {"none": None, "true": True, "false": False}
LOSSES: dict[str, dict[str, Any]] = {  # name -> recipe fields; the first is the baseline
    "cross_entropy": {"loss": "cross_entropy", "class_weights": "none"},
    "weighted": {"loss": "cross_entropy", "class_weights": "inverse"},
    "focal": {"loss": "focal", "gamma": 2.0, "class_weights": "none"},
    "focal+weighted": {"loss": "focal", "gamma": 2.0, "class_weights": "inverse"},
    "label_smoothing": {"loss": "cross_entropy", "class_weights": "none", "label_smoothing": 0.1},
    "oversampling": {"loss": "cross_entropy", "class_weights": "none", "oversample": 0.5},
}


@dataclass(frozen=True)
class Arm:
    """One row of an experiment's table: what it is called, and how it is trained."""

    name: str
    encoder: str  # as ``resolve`` knows it, or the name of a baseline
    recipe: Recipe
    settings: Mapping[str, Any] = field(default_factory=dict)  # what sets it apart
    baseline: bool = False  # fitted by ``baselines``, not fine-tuned


def parse_grid(text: str) -> dict[str, list[Any]]:
    """Return field -> values of ``gamma=0,1,2;label_smoothing=0,0.1``, each of the field's own type.

    Raises:
        InputError: naming every field that does not exist and every value that does not fit.
    """
    grid: dict[str, list[Any]] = {}
    problems: list[Problem] = []
    types_of = typing.get_type_hints(Recipe)
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, given, values = (side.strip() for side in part.partition("="))
        if name not in types_of or not given or not values or name in grid:
            expected = f"one recipe field once, with values{did_you_mean(name, list(types_of))}"
            problems.append(Problem("--grid", "", expected, repr(part)))
        else:
            found = [_value(one.strip(), types_of[name]) for one in values.split(",")]
            grid[name] = found
            problems += [_misfit(name, one, types_of[name]) for one in found if isinstance(one, _Unfit)]
    if not problems and not grid:
        problems.append(Problem("--grid", "", "fields and values like gamma=0,1,2;label_smoothing=0,0.1", repr(text)))
    if problems:
        raise InputError("this is no grid", problems)
    return grid


def grid_arms(grid: Mapping[str, Sequence[Any]], *, encoder: str, recipe: Recipe) -> list[Arm]:
    """Return an arm for every combination; the first value of every field makes the first arm, the baseline.

    Raises:
        InputError: a combination that is no recipe, the same value twice, or more than 200 combinations.
    """
    combined = list(itertools.product(*grid.values()))
    if len(set(combined)) != len(combined) or not 1 < len(combined) <= MOST_ARMS:
        raise InputError(
            "this grid compares nothing",
            [Problem("--grid", "", f"2 to {MOST_ARMS} different combinations", f"{len(combined)}")],
        )
    arms = []
    for values in combined:
        settings = dict(zip(grid, values, strict=True))
        name = " ".join(f"{key}={_shown(value)}" for key, value in settings.items())
        arms.append(Arm(name, encoder, replace(recipe, **settings), settings))
    return arms


def loss_arms(*, encoder: str, recipe: Recipe) -> list[Arm]:
    """Return an arm for every way to weigh errors in training; plain cross-entropy is the baseline."""
    return [Arm(name, encoder, replace(recipe, **fields), fields) for name, fields in LOSSES.items()]


def track_arms(*, encoder: str, recipe: Recipe, layers: int) -> list[Arm]:
    """Return an arm for every part of an encoder of ``layers`` layers that may learn; all of it is the baseline.

    What else the recipe names is compared with that baseline too: teachers, unlabelled messages, words to add.
    """
    extras: dict[str, tuple[str, Any]] = {
        "distilled": ("teacher", None),
        "adapted": ("adapt", None),
        "extended": ("extend_vocabulary", 0),
    }
    plain = replace(recipe, **dict(extras.values()))
    tracks: dict[str, dict[str, Any]] = {
        "full": {"track": "full"},
        "partial": {"track": "partial", "frozen_layers": layers // 2},
        "lora": {"track": "lora"},
        "head": {"track": "head"},
    }
    if layers < 2:  # noqa: PLR2004 - some layers stay, some learn
        del tracks["partial"]
    for name, (key, without) in extras.items():
        if (wanted := getattr(recipe, key)) != without:
            tracks[name] = {"track": "full", key: wanted}
    return [Arm(name, encoder, replace(plain, **fields), fields) for name, fields in tracks.items()]


def layers_of(encoder: str) -> int:
    """Return how many layers an encoder has.

    Raises:
        InputError: it cannot be had.
    """
    chosen = resolve(encoder)
    check_available(chosen)
    if not chosen.source:
        return TINY_LAYERS
    import transformers

    return int(transformers.AutoConfig.from_pretrained(chosen.source).num_hidden_layers)


def model_arms(candidates: Sequence[str], baselines: Sequence[str], *, recipe: Recipe) -> list[Arm]:
    """Return an arm for every encoder and baseline; the first encoder is the one the others are compared with."""
    if not candidates or len(set(candidates)) != len(candidates):
        raise InputError(
            "these are no candidates",
            [Problem("--candidates", "", "encoders, each once", ",".join(candidates) or "none")],
        )
    encoders = [Arm(name, name, recipe, {"encoder": name}) for name in candidates]
    return [*encoders, *(Arm(name, name, recipe, {"encoder": name}, baseline=True) for name in baselines)]


def seed_arms(seeds: Sequence[int], *, encoder: str, recipe: Recipe) -> list[Arm]:
    """Return an arm for every seed of the same recipe."""
    return [Arm(f"seed {seed}", encoder, replace(recipe, seed=seed), {"seed": seed}) for seed in seeds]


def parse_seeds(text: str, *, least: int = 1) -> list[int]:
    """Return the seeds written as ``42,123,2024``.

    Raises:
        InputError: not whole numbers, one twice, or fewer than ``least``.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    seeds = [int(part) for part in parts if part.isdecimal() and int(part) < 2**31]
    if len(set(seeds)) != len(parts) or len(seeds) < least:
        expected = f"at least {least} different whole numbers from 0, like 42,123,2024"
        raise InputError("these are no seeds", [Problem("--seeds", "", expected, repr(text)[:80])])
    return seeds


@dataclass(frozen=True)
class _Unfit:
    text: str


def _value(text: str, wanted: Any) -> Any:
    """Return ``text`` as the type a recipe field has, or what does not fit."""
    options = list(typing.get_args(wanted)) if isinstance(wanted, types.UnionType) else [wanted]
    for option in sorted(options, key=lambda one: one is str):  # which takes everything, "none" too
        if typing.get_origin(option) is typing.Literal:
            if text in typing.get_args(option):
                return text
        elif text.casefold() in WORDS and isinstance(WORDS[text.casefold()], option):
            return WORDS[text.casefold()]
        if option is str:
            return text
        if option in {int, float}:
            try:
                return option(text)
            except ValueError:
                continue
    return _Unfit(text)


def _misfit(name: str, found: _Unfit, wanted: Any) -> Problem:
    options = typing.get_args(wanted)
    if typing.get_origin(wanted) is typing.Literal:
        said = f"one of {', '.join(options)}"
    else:
        said = " or ".join("none" if one is types.NoneType else one.__name__ for one in options or (wanted,))
    return Problem("--grid", name, said, repr(found.text))


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else f"{value}"
