"""What a recipe leaves open, settled by how many rows there are. Knows no torch and no texts.

The figures behind the rules are in ``docs/decisions/0016-r-drop-and-what-rows-decide.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from interlock.train.recipe import Recipe

EPOCHS = 6  # passes over the rows, unless they are many or few
LEAST_EPOCHS, ROWS_SHOWN = 3, 120_000  # with many rows, fewer passes show each label enough
LEAST_STEPS = 250  # with few rows, more passes
LIGHTEST = 5  # a row of the commonest label may count this many times less than the mean row


def settle(recipe: Recipe, counts: Mapping[str, int]) -> tuple[Recipe, str]:
    """Return the recipe with what it leaves open decided by ``counts`` (label -> training rows), and that in words.

    What the user chose stays, and nothing is said of it.
    """
    said: list[str] = []
    rows = sum(counts.values())
    if recipe.class_weights == "auto":
        label, most = max(counts.items(), key=lambda item: item[1])
        swamped = most * len(counts) > LIGHTEST * rows
        recipe = replace(recipe, class_weights="effective" if swamped else "inverse")
        if swamped:
            said.append(f"classes weigh by their effective number of rows, as {most} of {rows} are {label!r}")
    if recipe.epochs is None and recipe.track != "head":  # which takes no steps
        steps = math.ceil(rows / recipe.batch_size)
        enough = min(EPOCHS, max(LEAST_EPOCHS, ROWS_SHOWN // rows))
        recipe = replace(recipe, epochs=max(enough, math.ceil(LEAST_STEPS / steps)))
        said.append(f"{recipe.epochs} epochs of {steps} steps, by the {rows} rows")
    return recipe, "; ".join(said)
