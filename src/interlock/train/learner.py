"""A model that learns, and what every stage of its training is told. Knows no rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from interlock.core.contract import InputPolicy
from interlock.train.encoders import Encoder
from interlock.train.journal import Journal
from interlock.train.recipe import Recipe


@dataclass(frozen=True)
class Learner:
    """A torch model, trained in place, and its tokenizer."""

    model: Any
    tokenizer: Any
    encoder: Encoder  # where its weights came from
    recipe: Recipe
    policy: InputPolicy
    journal: Journal
