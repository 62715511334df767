"""What a recipe leaves open, settled by how many rows there are. Knows no torch and no rows' texts.

The figures behind the rules are in ``docs/decisions/0016-r-drop-and-what-rows-decide.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from interlock.train.recipe import Recipe

EPOCHS = 6  # passes over the rows, unless they are many or few
LEAST_EPOCHS, ROWS_SHOWN = 3, 120_000  # with many rows, fewer passes show each label enough
LEAST_STEPS = 250  # with few rows, more passes
FEW = 3  # rows of a usual label below which moving the encoder loses more than it gains


def settle(recipe: Recipe, counts: Mapping[str, int], *, pretrained: bool) -> tuple[Recipe, str]:
    """Return the recipe with its track and its epochs decided, and why, in words; empty when nothing was open.

    Args:
        recipe: what the user chose.
        counts: label -> training rows.
        pretrained: whether the encoder has learnt anything yet; a random one has to be trained whole.
    """
    usual = median(counts.values())
    said = []
    if recipe.track == "auto":
        few = pretrained and usual < FEW
        recipe = replace(recipe, track="head" if few else "full")
        said.append(f"track {recipe.track}: a usual label has {usual:g} rows, full fine-tuning pays from {FEW}")
    if recipe.epochs is None:
        rows = sum(counts.values())
        steps = math.ceil(rows / recipe.batch_size)
        enough = min(EPOCHS, max(LEAST_EPOCHS, ROWS_SHOWN // rows))
        recipe = replace(recipe, epochs=max(enough, math.ceil(LEAST_STEPS / steps)))
        said.append(f"{recipe.epochs} epochs of {steps} steps, by the {rows} rows")
    return recipe, "; ".join(said)
