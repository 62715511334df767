"""Several trainings from one start, averaged weight by weight. Knows no texts and no labels.

Fine-tuned from the same weights with other seeds, models lie in one basin of the loss, and the mean of their weights is
about as good as all of them together, at the cost of one (Wortsman et al. 2022, "Model soups", the uniform soup).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from interlock.core.clock import Clock
from interlock.train.checkpoint import Checkpoints
from interlock.train.loop import Loop, Task
from interlock.train.recipe import Recipe
from interlock.train.step_log import StepLog
from interlock.train.steps import SOUP

EVENTS = {"step": "soup", "epoch": "soup_epoch"}  # what the step log calls those of the second model and later ones
SHOWN = ("val_acc", "val_macro_f1", "val_loss")


def cook(
    task: Task,
    recipe: Recipe,
    settled: str,
    *,
    log: StepLog,
    clock: Clock,
    checkpoints: Checkpoints | None,
    train: Callable[[Loop], dict[str, Any]],
) -> dict[str, Any]:
    """Train ``recipe.soup`` models from the weights ``task.model`` has, and leave their mean in it.

    Each has a checkpoint of its own, which holds its last weights once it is done: an interrupted run goes on with the
    model it was at.

    Args:
        task: what is trained on what.
        recipe: the first model has its seed, the next ones the seeds that follow.
        settled: what was decided for the recipe, said first.
        log: where steps are recorded.
        clock: for examples per second.
        checkpoints: of the first model.
        train: runs one loop; returns its facts.

    Returns:
        The facts of the first model, the seconds of all, and in ``soup`` what held rows say of each and of the mean.
    """
    model, start = task.model, _copy(task.model)
    mean = {name: torch.zeros_like(value, dtype=torch.float64) for name, value in start.items()}
    facts: list[dict[str, Any]] = []
    for place in range(recipe.soup):
        model.load_state_dict(start)
        loop = Loop(
            *(task, replace(recipe, seed=recipe.seed + place), "" if place else settled),
            log=log,
            clock=clock,
            checkpoints=checkpoints and _beside(checkpoints, place),
            called=EVENTS if place else None,
        )
        done = train(loop)
        if done["steps_taken"] > done["resumed_at_step"]:
            loop.keep()
        facts.append({**done, "measured": loop.progress.epochs[-1]})
        for name, value in model.state_dict().items():
            mean[name] += value.double() / recipe.soup
    model.load_state_dict({name: value.to(start[name].dtype) for name, value in mean.items()})
    return _facts(facts, loop.measured(), log)


def _facts(of_each: list[dict[str, Any]], mean: dict[str, float], log: StepLog) -> dict[str, Any]:
    each = [one.pop("measured") for one in of_each]
    shown: dict[str, Any] = {}
    for name in (name for name in SHOWN if name in mean):
        models = [one[name] for one in each]
        shown[name] = {"models": models, "mean": mean[name]}
        said = " ".join(f"{value:.4f}" for value in models)
        log.write({"event": "note", "note": f"{name} of the models {said}, of their mean {mean[name]:.4f}"})
    seconds = sum(one["train_seconds"] for one in of_each)
    return {**of_each[0], "train_seconds": round(seconds, 1), "soup": shown}


def _beside(checkpoints: Checkpoints, place: int) -> Checkpoints:
    return replace(checkpoints, path=checkpoints.path.with_name(SOUP[place - 1])) if place else checkpoints


def _copy(model: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}
