"""Logits to probabilities, as fitted elsewhere. Knows how to apply and store a calibrator, not how to fit one."""

from __future__ import annotations

import math
from dataclasses import dataclass
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

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"calibrator": "temperature", "temperature": self.temperature}


def calibrator_from_json(body: dict[str, Any]) -> Calibrator:
    """Read what ``to_json`` wrote.

    Raises:
        RefusedError: an unknown kind, or parameters that are not what the kind needs.
    """
    kind, temperature = body.get("calibrator"), body.get("temperature")
    if kind != "temperature" or set(body) != {"calibrator", "temperature"}:
        raise RefusedError(f"expected a temperature calibrator, got {str(body)[:200]}")
    if isinstance(temperature, bool) or not isinstance(temperature, int | float):
        raise RefusedError(f"a temperature must be a positive number, got {temperature!r}")
    return Temperature(float(temperature))
