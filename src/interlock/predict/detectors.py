"""Gates beside the classifier. Knows how to apply a fitted detector, not how to fit one.

Every score grows with strangeness and is NaN where it cannot be computed, which refuses the message.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from interlock.core.errors import RefusedError
from interlock.predict.calibrators import softmax
from interlock.predict.scorer import FloatArray, Scores

Tensors = dict[str, npt.NDArray[Any]]
Stored = Mapping[str, npt.NDArray[Any]]
F32 = npt.NDArray[np.float32]
NEAR_LABELS = 3  # most probable labels among whose references a message's nearest is looked for


class Detector(Protocol):
    """How strange one message is to the model."""

    @property
    def method(self) -> str:
        """Return the name: a key of ``DETECTORS``."""

    def score(self, scores: Scores) -> float:
        """Return the strangeness of what the model said of one message; NaN where it cannot be computed."""
        ...

    def tensors(self) -> Tensors:
        """Return the stored form: arrays by name."""
        ...


@dataclass(frozen=True, slots=True)
class Energy:
    """-logsumexp(z) of the logits (Liu et al. 2020)."""

    method: str = field(default="energy", init=False)

    def score(self, scores: Scores) -> float:
        """Return the energy."""
        top = float(scores.logits.max())
        if not math.isfinite(top):
            return math.nan
        return -(top + math.log(float(np.exp(np.asarray(scores.logits, dtype=np.float64) - top).sum())))

    def tensors(self) -> Tensors:
        """Return nothing: there is nothing to store."""
        return {}


@dataclass(frozen=True, slots=True)
class MaxSoftmax:
    """Minus the highest probability, uncalibrated (Hendrycks and Gimpel 2017): plain top-1 thresholding."""

    method: str = field(default="max_softmax", init=False)

    def score(self, scores: Scores) -> float:
        """Return a number in -1-0."""
        return -float(softmax(scores.logits).max()) if np.isfinite(scores.logits).all() else math.nan

    def tensors(self) -> Tensors:
        """Return nothing: there is nothing to store."""
        return {}


@dataclass(frozen=True, slots=True, eq=False)
class Mahalanobis:
    """Squared distance of the features to the nearest label's centre in units of the shared spread (Lee et al. 2018).

    With a ``background`` the squared distance to the centre of all rows, in units of their spread, is taken off:
    what is far from every message alike says little of being unknown (Ren et al. 2021).
    """

    centres: F32  # (k labels, d), whitened
    whitening: F32  # (d, d)
    background: F32 | None = None  # (d, d + 1): whitening of all rows, and their whitened centre as the last column

    @property
    def method(self) -> str:
        """The name."""
        return "mahalanobis" if self.background is None else "relative_mahalanobis"

    def score(self, scores: Scores) -> float:
        """Return the squared distance, or the difference of two."""
        if not _fits(scores, self.whitening.shape[1]):
            return math.nan
        features = np.asarray(scores.features, dtype=np.float32)
        nearest = float(((self.centres - self.whitening @ features) ** 2).sum(axis=1).min())
        if self.background is None:
            return nearest
        off = self.background[:, :-1] @ features - self.background[:, -1]
        return nearest - float(off @ off)

    def tensors(self) -> Tensors:
        """Return the stored form."""
        out: Tensors = {"centres": self.centres, "whitening": self.whitening}
        return out if self.background is None else {**out, "background": self.background}


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Minus the cosine to the nearest training message of the most probable labels (k-NN; Sun et al. 2022, k = 1)."""

    references: F32  # (r, d), of length 1, label after label
    starts: npt.NDArray[np.int64]  # (k labels + 1,) where each label's references begin
    method: str = field(default="knn", init=False)

    def score(self, scores: Scores) -> float:
        """Return a number in -1-1; NaN where the features have no direction."""
        if not _fits(scores, self.references.shape[1]) or scores.logits.shape[-1] != len(self.starts) - 1:
            return math.nan
        features = np.asarray(scores.features, dtype=np.float32)
        length = float(np.sqrt(features @ features))
        if not length > 0:
            return math.nan
        nearest = -math.inf
        for label in (-scores.logits).argsort(kind="stable")[:NEAR_LABELS].tolist():
            rows = self.references[self.starts[label] : self.starts[label + 1]]
            nearest = max(nearest, float((rows @ features).max(initial=-math.inf)))
        return -nearest / length if math.isfinite(nearest) else math.nan

    def tensors(self) -> Tensors:
        """Return the stored form; references at half precision, as fitting rounds them."""
        return {"references": self.references.astype(np.float16), "starts": self.starts}


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Weighted sum of other detectors' scores, each centred and scaled as on known messages."""

    parts: tuple[Detector, ...]
    weights: npt.NDArray[np.float64]  # (p, 3): mean and spread on known messages, weight
    method: str = field(default="combined", init=False)

    def score(self, scores: Scores) -> float:
        """Return the sum."""
        found = np.array([part.score(scores) for part in self.parts])
        return float(((found - self.weights[:, 0]) / self.weights[:, 1]) @ self.weights[:, 2])

    def tensors(self) -> Tensors:
        """Return the stored form: each part's arrays under its name."""
        own: Tensors = {f"weights.{part.method}": row for part, row in zip(self.parts, self.weights, strict=True)}
        return own | {f"{part.method}.{name}": data for part in self.parts for name, data in part.tensors().items()}


@dataclass(frozen=True, slots=True)
class UnknownGate:
    """A message whose score is at or above ``threshold`` counts as unknown; NaN on either side refuses it."""

    threshold: float
    detector: Detector = field(default_factory=Energy)

    def score(self, scores: Scores) -> float:
        """Return the strangeness of one message."""
        return self.detector.score(scores)


METHODS = ("max_softmax", "energy", "mahalanobis", "relative_mahalanobis", "knn", "combined")


def read_detector(method: str, stored: Stored, *, labels: int) -> Detector:
    """Read what ``tensors`` returned.

    Args:
        method: one of ``METHODS``.
        stored: arrays by name.
        labels: how many the contract has.

    Raises:
        RefusedError: another method, missing or further arrays, wrong shapes, numbers that are not finite.
    """
    if method == "combined":
        return _combined(stored, labels)
    wanted = {
        "mahalanobis": {"centres", "whitening"},
        "relative_mahalanobis": {"centres", "whitening", "background"},
        "knn": {"references", "starts"},
    }.get(method, set())
    if method not in METHODS or set(stored) != wanted:
        raise RefusedError(f"unknown.{method}: expected {sorted(wanted)} of {METHODS}, got {sorted(stored)[:20]}")
    if not all(np.isfinite(data).all() for data in stored.values()):
        raise RefusedError(f"unknown.{method}: expected finite numbers")
    if method == "knn":
        return _nearest(stored["references"], stored["starts"], labels)
    if not wanted:
        return Energy() if method == "energy" else MaxSoftmax()
    arrays = {name: np.ascontiguousarray(data, dtype=np.float32) for name, data in stored.items()}
    d = arrays["whitening"].shape[-1]
    shapes = {"centres": (labels, d), "whitening": (d, d), "background": (d, d + 1)}
    if any(data.shape != shapes[name] for name, data in arrays.items()):
        raise RefusedError(f"unknown.{method}: expected {shapes}, got other shapes")
    return Mahalanobis(**arrays)


def _nearest(references: npt.NDArray[Any], starts: npt.NDArray[Any], labels: int) -> Nearest:
    whole = starts.dtype == np.int64 and starts.shape == (labels + 1,) and references.ndim == 2  # noqa: PLR2004
    if not whole or starts[0] != 0 or starts[-1] != len(references) or (np.diff(starts) < 0).any():
        raise RefusedError(f"unknown.knn: expected (r, d) references and {labels + 1} rising starts from 0 to r")
    return Nearest(references.astype(np.float32), starts)


def _combined(stored: Stored, labels: int) -> Combined:
    names = [name.removeprefix("weights.") for name in stored if name.startswith("weights.")]
    inner: dict[str, dict[str, npt.NDArray[Any]]] = {name: {} for name in sorted(names, key=_place)}
    weights = [np.asarray(stored[f"weights.{name}"], dtype=np.float64) for name in inner]
    for name, data in stored.items():
        part, _, rest = name.partition(".")
        if part != "weights":
            inner.setdefault(part, {})[rest] = data
    whole = bool(inner) and len(weights) == len(inner) and all(row.shape == (3,) for row in weights)
    if not whole or "combined" in inner or not all(np.isfinite(row).all() and row[1] > 0 for row in weights):
        raise RefusedError("unknown.combined: expected a finite mean, a spread above 0 and a weight for every part")
    parts = tuple(read_detector(name, found, labels=labels) for name, found in inner.items())
    return Combined(parts, np.stack(weights))


def _place(method: str) -> int:
    return METHODS.index(method) if method in METHODS else len(METHODS)


def _fits(scores: Scores, d: int) -> bool:
    return scores.features is not None and scores.features.shape == (d,) and bool(np.isfinite(scores.features).all())


def score_each(detector: Detector, logits: FloatArray, features: FloatArray | None) -> npt.NDArray[np.float64]:
    """Return the (n,) scores of messages with (n, k) logits and (n, d) features, one by one as they are served."""
    seen = [None] * len(logits) if features is None else features
    return np.array([detector.score(Scores(z, f)) for z, f in zip(logits, seen, strict=True)], dtype=np.float64)
