"""What is decided for a recipe that leaves its epochs open."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.train.recipe import Recipe
from interlock.train.settle import EPOCHS, LEAST_EPOCHS, LEAST_STEPS, LIGHTEST, settle
from interlock.train.weights import class_weights

COUNTS = st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 400), min_size=2, max_size=30)


@given(COUNTS, st.integers(1, 128))
def test_a_settled_recipe_leaves_nothing_open_and_trains_long_enough(counts: dict[str, int], batch_size: int) -> None:
    recipe, said = settle(Recipe(batch_size=batch_size), counts)
    steps = math.ceil(sum(counts.values()) / batch_size)

    assert recipe.epochs is not None
    assert recipe.epochs >= LEAST_EPOCHS
    assert recipe.epochs * steps >= LEAST_STEPS
    assert recipe.epochs <= EPOCHS or (recipe.epochs - 1) * steps < LEAST_STEPS  # and no longer than that
    assert str(recipe.epochs) in said
    assert settle(recipe, counts) == (recipe, "")


@pytest.mark.parametrize(("rows", "epochs"), [(10_000, 6), (20_000, 6), (25_000, 4), (40_000, 3), (1_000_000, 3)])
def test_many_rows_are_shown_less_often(rows: int, epochs: int) -> None:
    assert settle(Recipe(), {"a": rows // 2, "b": rows // 2})[0].epochs == epochs


@given(COUNTS)
def test_what_the_user_chose_stays(counts: dict[str, int]) -> None:
    chosen = Recipe(track="partial", epochs=1, class_weights="none")

    assert settle(chosen, counts) == (chosen, "")


@given(COUNTS)
def test_no_row_of_a_common_label_counts_for_next_to_nothing(counts: dict[str, int]) -> None:
    recipe, said = settle(Recipe(epochs=1), counts)
    most = max(counts, key=lambda label: counts[label])
    swamped = class_weights(counts, list(counts))[list(counts).index(most)] < 1 / LIGHTEST

    assert recipe.class_weights == ("effective" if swamped else "inverse")
    assert bool(said) == swamped


def test_a_label_with_most_of_the_rows_is_named() -> None:
    rare = {f"rare{number}": 5 for number in range(25)}
    recipe, said = settle(Recipe(epochs=1), {"general": 5000, **rare})

    assert recipe.class_weights == "effective"
    assert said == "classes weigh by their effective number of rows, as 5000 of 5125 are 'general'"
