"""Several trainings from one start, averaged weight by weight. Knows no texts and no labels.

Fine-tuned from the same weights with other seeds, models lie in one basin of the loss, and the mean of their weights is
about as good as all of them together, at the cost of one (Wortsman et al. 2022, "Model soups", the uniform soup).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from interlock.train.journal import Journal
from interlock.train.loop import Loop, Task
from interlock.train.recipe import Recipe
from interlock.train.training import SOUP

SHOWN = ("val_acc", "val_macro_f1", "val_loss")


def cook(
    task: Task, recipe: Recipe, settled: str, *, journal: Journal, train: Callable[[Loop], dict[str, Any]]
) -> dict[str, Any]:
    """Train ``recipe.soup`` models from the weights ``task.model`` has, and leave their mean in it.

    One is a plain training. Of several, each has a checkpoint of its own, which holds its last weights once it is done:
    an interrupted run goes on with the model it was at.

    Args:
        task: what is trained on what.
        recipe: the first model has its seed, the next ones the seeds that follow.
        settled: what was decided for the recipe, said first.
        journal: of the first model; what it calls ``soup`` are the others.
        train: runs one loop; returns its facts.

    Returns:
        The facts of the first model; of several, the seconds of all, and in ``soup`` what held rows say of each and of
        the mean.
    """
    if recipe.soup == 1:
        return train(Loop(task, recipe, settled, journal=journal))
    model, start = task.model, _copy(task.model)
    mean = {name: torch.zeros_like(value, dtype=torch.float64) for name, value in start.items()}
    facts: list[dict[str, Any]] = []
    for place in range(recipe.soup):
        model.load_state_dict(start)
        own = journal.part("soup", kept=SOUP[place - 1]) if place else journal
        loop = Loop(task, replace(recipe, seed=recipe.seed + place), "" if place else settled, journal=own)
        done = train(loop)
        if done["steps_taken"] > done["resumed_at_step"]:
            loop.keep()
        facts.append({**done, "measured": loop.progress.epochs[-1]})
        for name, value in model.state_dict().items():
            mean[name] += value.double() / recipe.soup
    model.load_state_dict({name: value.to(start[name].dtype) for name, value in mean.items()})
    return _facts(facts, loop.measured(), journal)


def _facts(of_each: list[dict[str, Any]], mean: dict[str, float], journal: Journal) -> dict[str, Any]:
    each = [one.pop("measured") for one in of_each]
    shown: dict[str, Any] = {}
    for name in (name for name in SHOWN if name in mean):
        models = [one[name] for one in each]
        shown[name] = {"models": models, "mean": mean[name]}
        said = " ".join(f"{value:.4f}" for value in models)
        journal.write({"event": "note", "note": f"{name} of the models {said}, of their mean {mean[name]:.4f}"})
    seconds = sum(one["train_seconds"] for one in of_each)
    return {**of_each[0], "train_seconds": round(seconds, 1), "soup": shown}


def _copy(model: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}
