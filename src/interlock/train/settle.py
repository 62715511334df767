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


def settle(recipe: Recipe, counts: Mapping[str, int]) -> tuple[Recipe, str]:
    """Return the recipe with its epochs decided by ``counts`` (label -> training rows), and what was, in words.

    What the user chose stays, and nothing is said of it.
    """
    if recipe.epochs is not None or recipe.track == "head":  # which takes no steps
        return recipe, ""
    rows = sum(counts.values())
    steps = math.ceil(rows / recipe.batch_size)
    enough = min(EPOCHS, max(LEAST_EPOCHS, ROWS_SHOWN // rows))
    epochs = max(enough, math.ceil(LEAST_STEPS / steps))
    return replace(recipe, epochs=epochs), f"{epochs} epochs of {steps} steps, by the {rows} rows"
