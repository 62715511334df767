"""What every scorer is: text in, one row of logits out. Knows no particular model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from interlock.predict.normalise import NormalText

FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text as a model's input."""

    ids: list[int]  # token ids, special ones included, at most the input policy's max_tokens
    tokens: int  # how many there were before any cut
    pieces: tuple[str, ...] = ()  # the tokens as text, for explanations; empty when not asked for

    @property
    def truncated(self) -> bool:
        """Whether tokens were cut off."""
        return self.tokens > len(self.ids)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model said of one text."""

    logits: FloatArray  # (k labels,)
    features: FloatArray | None = None  # (d,) the vector the last layer saw


class Scorer(Protocol):
    """A trained classifier, one message at a time so that a message's scores never depend on its neighbours."""

    def encode(self, text: NormalText, *, with_pieces: bool = False) -> Encoded:
        """Turn a text into the model's input."""
        ...

    def classify(self, encoded: Encoded) -> Scores:
        """Return the scores of one encoded text."""
        ...


def score_all(scorer: Scorer, texts: Iterable[NormalText]) -> tuple[FloatArray, FloatArray | None]:
    """Score messages one by one, exactly as they are served.

    Returns:
        Logits of shape (n messages, k labels) and features of shape (n, d), or ``None`` where the scorer has none.
    """
    rows = [scorer.classify(scorer.encode(text)) for text in texts]
    features = [row.features for row in rows if row.features is not None]
    return np.stack([row.logits for row in rows]), np.stack(features) if len(features) == len(rows) else None
