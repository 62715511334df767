"""Logits or confidences to probabilities. Knows how to apply and store a calibrator, not how to fit one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from interlock.core.errors import RefusedError
from interlock.predict.scorer import FloatArray


class Calibrator(Protocol):
    """Any map from logits to probabilities whose rows sum to 1."""

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Map logits of shape (..., k labels) to probabilities of the same shape."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the stored form, with the key ``calibrator`` naming the kind."""
        ...


def softmax(logits: FloatArray) -> FloatArray:
    """Return exp(z) normalised over the last axis, computed from z - max(z) in double precision."""
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    out: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return out


@dataclass(frozen=True, slots=True)
class Temperature:
    """softmax(z / T) (Guo et al. 2017): one number, never changes which label is first."""

    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a temperature that is not a positive number."""
        if not 0 < self.temperature < math.inf:
            raise RefusedError(f"a temperature must be a positive number, got {self.temperature}")

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Map logits of shape (..., k labels) to probabilities of the same shape."""
        return softmax(np.asarray(logits, dtype=np.float64) / self.temperature)

    def confidence(self, stated: FloatArray) -> FloatArray:
        """Map confidences in 0-1, of any shape, as the first of two labels: sigmoid(logit(p) / T)."""
        return sigmoid(logit(stated) / self.temperature)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"calibrator": "temperature", "temperature": self.temperature}


# Confidences are clipped this far from 0 and 1 before their logit is taken: the resolution of float32, in which most
# confidences come. A stated 1.0 is then a large number and not an infinite one.
CLIP = 2.0**-24
LEAD = 1e-9  # how far, relatively, a first label is kept ahead of the second


def logit(confidence: FloatArray) -> FloatArray:
    """Return ln(p / (1 - p)) of confidences in 0-1, clipped ``CLIP`` away from both ends; NaN stays NaN."""
    p = np.clip(np.asarray(confidence, dtype=np.float64), CLIP, 1 - CLIP)
    out: FloatArray = np.log(p) - np.log1p(-p)
    return out


def sigmoid(values: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-v)) without overflow; NaN stays NaN."""
    shrunk = np.exp(-np.abs(values))
    out: FloatArray = np.where(np.asarray(values) >= 0, 1.0, shrunk) / (1 + shrunk)
    return out


def restate(logits: FloatArray, restated: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return probabilities whose first label has its confidence ``restated`` and whose others share the rest.

    The others keep their proportions. The first label stays first: where its new confidence would fall below the second
    label's, it is held just above it. With two labels that means that it is never stated below one half.

    Args:
        logits: (..., k labels).
        restated: maps confidences in 0-1 to confidences in 0-1, of any shape.
    """
    z = np.asarray(logits, dtype=np.float64)
    if z.shape[-1] == 1:
        return softmax(z)
    p = softmax(z)
    top = z.argmax(axis=-1)[..., None]
    others = z.copy()
    np.put_along_axis(others, top, -np.inf, axis=-1)
    shares = softmax(others)
    nearest = shares.max(axis=-1, keepdims=True)
    least = nearest / (1 + nearest) * (1 + LEAD)
    said = np.minimum(np.maximum(restated(np.take_along_axis(p, top, axis=-1)), least), 1.0)
    out: FloatArray = shares * (1 - said)
    np.put_along_axis(out, top, said, axis=-1)
    return out


class ConfidenceCalibrator(Calibrator, Protocol):
    """A calibrator that is one map of confidences; with logits it restates the first label's (see ``restate``)."""

    def confidence(self, stated: FloatArray) -> FloatArray:
        """Map confidences in 0-1, of any shape, to confidences in 0-1."""
        ...


class _TopLabel(ABC):
    """What calibrators of a confidence share: how they treat logits."""

    __slots__ = ()

    @abstractmethod
    def confidence(self, stated: FloatArray) -> FloatArray:
        """Map confidences in 0-1, of any shape, to confidences in 0-1."""

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Map logits of shape (..., k labels) to probabilities of the same shape; the first label stays first."""
        return restate(logits, self.confidence)


@dataclass(frozen=True, slots=True)
class Platt(_TopLabel):
    """sigmoid(slope logit(p) + intercept) (Platt 1999): monotone, two numbers."""

    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that are not finite, and a slope that would turn confidence round."""
        _check_numbers("platt", (self.slope, self.intercept))
        _check_numbers("platt slope", (self.slope,), low=0.0)

    def confidence(self, stated: FloatArray) -> FloatArray:
        """Map confidences in 0-1, of any shape, to confidences in 0-1."""
        return sigmoid(self.slope * logit(stated) + self.intercept)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"calibrator": "platt", "slope": self.slope, "intercept": self.intercept}


@dataclass(frozen=True, slots=True)
class Beta(_TopLabel):
    """sigmoid(a ln p - b ln(1 - p) + c) (Kull et al. 2017): monotone, can be the identity, each end bends apart."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that are not finite, and slopes that would turn confidence round."""
        _check_numbers("beta", (self.a, self.b, self.c))
        _check_numbers("beta a, b", (self.a, self.b), low=0.0)

    def confidence(self, stated: FloatArray) -> FloatArray:
        """Map confidences in 0-1, of any shape, to confidences in 0-1."""
        p = np.clip(np.asarray(stated, dtype=np.float64), CLIP, 1 - CLIP)
        return sigmoid(self.a * np.log(p) - self.b * np.log1p(-p) + self.c)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"calibrator": "beta", "a": self.a, "b": self.b, "c": self.c}


@dataclass(frozen=True, slots=True)
class Isotonic(_TopLabel):
    """A never falling line through knots, flat beyond them (Zadrozny and Elkan 2002): monotone, not strictly."""

    x: tuple[float, ...]  # stated confidences, strictly rising
    y: tuple[float, ...]  # what they mean, never falling

    def __post_init__(self) -> None:
        """Refuse knots outside 0-1, unequal counts, and knots that fall."""
        _check_numbers("isotonic x", self.x, low=0.0, high=1.0)
        _check_numbers("isotonic y", self.y, low=0.0, high=1.0)
        if not self.x or len(self.x) != len(self.y):
            raise RefusedError(f"isotonic: expected as many x as y, at least one, got {len(self.x)} and {len(self.y)}")
        if any(after <= before for before, after in pairwise(self.x)):
            raise RefusedError("isotonic: expected strictly rising x, got one that does not rise")
        if any(after < before for before, after in pairwise(self.y)):
            raise RefusedError("isotonic: expected y that never fall, got one that falls")

    def confidence(self, stated: FloatArray) -> FloatArray:
        """Map confidences in 0-1, of any shape, to confidences in 0-1."""
        return np.interp(np.asarray(stated, dtype=np.float64), self.x, self.y)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"calibrator": "isotonic", "x": list(self.x), "y": list(self.y)}


@dataclass(frozen=True, slots=True)
class Histogram(_TopLabel):
    """One value for each bin of confidence (Zadrozny and Elkan 2001); values may fall from one bin to the next."""

    edges: tuple[float, ...]  # between bins, strictly rising; an edge belongs to the bin above it
    values: tuple[float, ...]  # one more than edges

    def __post_init__(self) -> None:
        """Refuse edges and values outside 0-1, edges that do not rise, and wrong counts."""
        _check_numbers("histogram edges", self.edges, low=0.0, high=1.0)
        _check_numbers("histogram values", self.values, low=0.0, high=1.0)
        if len(self.values) != len(self.edges) + 1:
            raise RefusedError(f"histogram: expected {len(self.edges) + 1} values, got {len(self.values)}")
        if any(after <= before for before, after in pairwise(self.edges)):
            raise RefusedError("histogram: expected strictly rising edges, got one that does not rise")

    def confidence(self, stated: FloatArray) -> FloatArray:
        """Map confidences in 0-1, of any shape, to confidences in 0-1."""
        p = np.asarray(stated, dtype=np.float64)
        found = np.asarray(self.values)[np.searchsorted(np.asarray(self.edges), p, side="right")]
        out: FloatArray = np.where(np.isnan(p), np.nan, found)  # a search puts NaN in the last bin
        return out

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"calibrator": "histogram", "edges": list(self.edges), "values": list(self.values)}


@dataclass(frozen=True, slots=True)
class VectorScaling:
    """softmax(scale * z + bias), per label (Guo et al. 2017): may change which label is first."""

    scale: tuple[float, ...]
    bias: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse numbers that are not finite and unequal counts."""
        _check_numbers("vector scale", self.scale)
        _check_numbers("vector bias", self.bias)
        if not self.scale or len(self.scale) != len(self.bias):
            raise RefusedError(f"vector: expected a scale and a bias a label, got {len(self.scale)}, {len(self.bias)}")

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Map logits of shape (..., k labels) to probabilities of the same shape.

        Raises:
            ValueError: the logits have another number of labels.
        """
        z = np.asarray(logits, dtype=np.float64)
        if z.shape[-1] != len(self.scale):
            raise ValueError(f"logits: expected {len(self.scale)} labels, got {z.shape[-1]}")
        return softmax(z * np.asarray(self.scale) + np.asarray(self.bias))

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"calibrator": "vector", "scale": list(self.scale), "bias": list(self.bias)}


KINDS: dict[str, tuple[Callable[..., Calibrator], tuple[str, ...], tuple[str, ...]]] = {  # numbers, lists of numbers
    "temperature": (Temperature, ("temperature",), ()),
    "platt": (Platt, ("slope", "intercept"), ()),
    "beta": (Beta, ("a", "b", "c"), ()),
    "isotonic": (Isotonic, (), ("x", "y")),
    "histogram": (Histogram, (), ("edges", "values")),
    "vector": (VectorScaling, (), ("scale", "bias")),
}


def calibrator_from_json(body: dict[str, Any]) -> Calibrator:
    """Read what ``to_json`` wrote.

    Raises:
        RefusedError: an unknown kind, or parameters that are not exactly what the kind needs.
    """
    kind = body.get("calibrator")
    if not isinstance(kind, str) or kind not in KINDS:
        raise RefusedError(f"expected a calibrator of kind {', '.join(KINDS)}, got {str(body)[:200]}")
    make, numbers, lists = KINDS[kind]
    if set(body) != {"calibrator", *numbers, *lists}:
        raise RefusedError(f"expected {kind} with {', '.join(numbers + lists)}, got {str(sorted(body))[:200]}")
    found: dict[str, Any] = {name: _number(kind, name, body[name]) for name in numbers}
    for name in lists:
        if not isinstance(body[name], list):
            raise RefusedError(f"{kind}: expected a list of numbers for {name}, got {str(body[name])[:100]}")
        found[name] = tuple(_number(kind, name, value) for value in body[name])
    return make(**found)


def _number(kind: str, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise RefusedError(f"{kind}: expected finite numbers for {name}, got {str(value)[:100]}")
    try:
        return float(value)
    except OverflowError as error:
        raise RefusedError(f"{kind}: expected finite numbers for {name}, got a larger one") from error


def _check_numbers(what: str, values: tuple[float, ...], *, low: float = -math.inf, high: float = math.inf) -> None:
    for value in values:
        if not (math.isfinite(value) and low <= value <= high):
            raise RefusedError(f"{what}: expected finite numbers in {low} to {high}, got {value}")
