"""Whether a message asks for several things, for how many and for which. Knows how to apply a fit, not how to make it.

The signs are those of a scorer that learnt from messages with several labels: the share of probability each of the
leading labels holds, how far the next one is behind, and how the text is cut into clauses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.errors import RefusedError
from interlock.predict.scorer import FloatArray

Floats = npt.NDArray[np.float64]
LEADING = 4  # labels looked at
FLOOR = -12.0  # log-probability of a label that is not there, and the widest gap that is told from a wider one
SIGNS = 3 * LEADING + 5
MOST_CLAUSES = 6  # of one message, that are decided one by one
LEAST_WORDS = 2  # of a clause in a script that writes spaces
PARTS = ("numbers", "weights", "bias", "mean", "scale", "threshold")
READ = 2000  # characters of a message that are looked at for clauses
_CUT = re.compile(  # one space before a word, never a run of them: trying every start of a run takes its square
    r"[.!?;\n。！？、,؟؛،۔।]+\s*(?:(?:and|also|plus|but|then|oh|next)\b[,:]?\s*)*"
    r"|\s(?:as well as|and|also|plus|but|then)\b[,:]?\s*(?:(?:and|also|then)\b[,:]?\s*)*"
    r"|\s-\s",
    re.IGNORECASE,
)


def clauses(text: str) -> list[str]:
    """Return the parts of a message between sentence ends, commas and words that join requests, the first few."""
    pieces = (piece.strip() for piece in _CUT.split(text[:READ]))
    return [piece for piece in pieces if len(piece.split()) >= LEAST_WORDS or not piece.isascii()][:MOST_CLAUSES]


def signs(logits: FloatArray, *, tokens: int, text: str) -> Floats:
    """Return the (SIGNS,) numbers that tell one request from several.

    Args:
        logits: (k labels,), finite.
        tokens: of the text, special ones included.
        text: as the scorer saw it.
    """
    z = np.asarray(logits, dtype=np.float64)
    leading = -np.sort(-z)[: LEADING + 1]
    whole = leading[0] + math.log(float(np.exp(z - leading[0]).sum()))
    out = np.full(SIGNS, FLOOR)
    shown = np.maximum(leading[:LEADING] - whole, FLOOR)
    gaps = np.minimum(leading[:-1] - leading[1:], -FLOOR)
    out[: len(shown)] = shown
    out[LEADING : 2 * LEADING] = -FLOOR
    out[LEADING : LEADING + len(gaps)] = gaps
    out[2 * LEADING : 3 * LEADING] = np.exp(out[:LEADING])
    out[3 * LEADING :] = (leading[0], leading[1], whole, math.log(max(tokens, 1)), math.log1p(len(clauses(text))))
    return out


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector makes of one message."""

    score: float  # probability of more than one intent; NaN where it cannot be told
    count: int  # the likeliest number of intents, should there be several


@dataclass(frozen=True, slots=True)
class SeveralDetector:
    """A logistic regression whose outcomes are numbers of intents."""

    numbers: Floats  # (n,) the numbers of intents told apart, from 1 up
    weights: Floats  # (n, SIGNS)
    bias: Floats  # (n,)
    mean: Floats  # (SIGNS,), subtracted before
    scale: Floats  # (SIGNS,), divided by
    threshold: float  # a score at or above it means several; above 1 nothing ever does

    def probabilities(self, rows: Floats) -> Floats:
        """Map (..., SIGNS) to the probability of each number of intents, (..., n)."""
        z = ((rows - self.mean) / self.scale) @ self.weights.T + self.bias
        z = np.exp(z - z.max(axis=-1, keepdims=True))
        out: Floats = z / z.sum(axis=-1, keepdims=True)
        return out

    def look(self, logits: FloatArray, *, tokens: int, text: str) -> Found:
        """Return whether (k labels,) logits of a text speak for several intents."""
        p = self.probabilities(signs(logits, tokens=tokens, text=text))
        return Found(float(p[1:].sum()), min(int(self.numbers[1 + int(p[1:].argmax())]), len(logits)))

    def tensors(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the stored form: arrays by name."""
        return {name: np.atleast_1d(np.asarray(getattr(self, name), dtype=np.float64)) for name in PARTS}


def leading_labels(logits: FloatArray, count: int) -> tuple[int, ...]:
    """Return the columns of the ``count`` largest of (k labels,) logits, the first one first."""
    return tuple(int(column) for column in np.argsort(-np.asarray(logits), kind="stable")[:count])


def read_several(tensors: Mapping[str, npt.NDArray[np.generic]]) -> SeveralDetector:
    """Return the detector that ``tensors`` stored.

    Raises:
        RefusedError: parts are missing, of another shape, or not finite.
    """
    rows = tensors["numbers"].size if "numbers" in tensors else 0
    shapes: dict[str, Sequence[int]] = {
        "numbers": (rows,),
        "weights": (rows, SIGNS),
        "bias": (rows,),
        "mean": (SIGNS,),
        "scale": (SIGNS,),
        "threshold": (1,),
    }
    wrong = [
        name
        for name, shape in shapes.items()
        if name not in tensors
        or tensors[name].shape != tuple(shape)
        or not np.issubdtype(tensors[name].dtype, np.floating)
    ]
    if wrong or set(tensors) != set(PARTS) or rows < 2:  # noqa: PLR2004 - one and several
        raise RefusedError(f"the several-intent detector is not whole: {', '.join(wrong) or sorted(tensors)}")
    values = {name: np.asarray(tensors[name], dtype=np.float64) for name in PARTS}
    numbers = values["numbers"]
    counting = bool(np.all(numbers == np.round(numbers)) and numbers[0] == 1 and np.all(np.diff(numbers) > 0))
    if not (all(np.isfinite(part).all() for part in values.values()) and np.all(values["scale"] > 0) and counting):
        raise RefusedError("the several-intent detector holds what is no number, or does not count from one")
    return SeveralDetector(
        numbers, values["weights"], values["bias"], values["mean"], values["scale"], float(values["threshold"][0])
    )
