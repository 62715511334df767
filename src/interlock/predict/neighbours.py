"""Training rows by what the model made of them, to show which ones a message is like. Knows ids, not texts.

The vectors are features of unit length in steps of 1/127, a byte a number: their cosines are right to about 0.01.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.canonical import canonical, read_json
from interlock.core.errors import InputError, RefusedError
from interlock.predict.scorer import FloatArray

STEPS = 127.0
PARTS = {"vectors", "labels", "ids"}  # and "texts", where the build was told to keep them


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One training row near a message."""

    id: str
    label: str
    similarity: float  # cosine of the features, -1 to 1
    text: str | None = None

    def to_json(self) -> dict[str, str | float]:
        """Return it by field name; no text where none was kept."""
        out: dict[str, str | float] = {"id": self.id, "label": self.label, "similarity": round(self.similarity, 4)}
        return out if self.text is None else {**out, "text": self.text}


@dataclass(frozen=True)
class Neighbours:
    """Some training rows."""

    vectors: npt.NDArray[np.int8]  # (n rows, d)
    labels: npt.NDArray[np.int16]  # (n,) columns of their labels
    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()  # empty unless the build was told to keep them

    @classmethod
    def of(
        cls, features: FloatArray, columns: Sequence[int], ids: Sequence[str], texts: Sequence[str] = ()
    ) -> Neighbours:
        """Keep (n, d) features of rows, their columns and ids, and their texts if any are given."""
        vectors = np.round(_unit(features) * STEPS).astype(np.int8)
        return cls(vectors, np.array(columns, dtype=np.int16), tuple(ids), tuple(texts))

    def nearest(self, features: FloatArray, names: Sequence[str], *, count: int = 5) -> list[Neighbour]:
        """Return the rows most like (d,) ``features``, the nearest first; ``names`` are the labels in column order."""
        if features.shape != self.vectors.shape[1:] or not np.isfinite(features).all():
            return []
        cosines = (self.vectors.astype(np.float32) / STEPS) @ _unit(features).astype(np.float32)
        found = np.argsort(-cosines, kind="stable")[:count]
        return [
            Neighbour(
                self.ids[row],
                names[self.labels[row]],
                float(np.clip(cosines[row], -1, 1)),
                self.texts[row] if self.texts else None,
            )
            for row in found
        ]

    def tensors(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the stored form: arrays by name, ids and texts as the bytes of a JSON list."""
        out: dict[str, npt.NDArray[np.generic]] = {"vectors": self.vectors, "labels": self.labels}
        out["ids"] = np.frombuffer(canonical(list(self.ids)), dtype=np.uint8)
        if self.texts:
            out["texts"] = np.frombuffer(canonical(list(self.texts)), dtype=np.uint8)
        return out


def read_neighbours(tensors: Mapping[str, npt.NDArray[np.generic]], *, labels: int) -> Neighbours:
    """Return what ``tensors`` stored, for a contract of so many labels.

    Raises:
        RefusedError: parts are missing or do not fit each other.
    """
    if not PARTS <= tensors.keys() <= PARTS | {"texts"}:
        raise RefusedError(f"the training rows to compare with have the parts {sorted(tensors)}")
    vectors, columns = tensors["vectors"], tensors["labels"]
    try:
        ids, texts = (_texts(tensors[name]) if name in tensors else () for name in ("ids", "texts"))
    except InputError as error:
        raise RefusedError(f"the training rows to compare with do not read: {error}") from error
    rows = len(ids)
    fits = vectors.dtype == np.int8 and vectors.ndim == 2 and len(vectors) == rows  # noqa: PLR2004 - a matrix
    fits = fits and columns.dtype == np.int16 and columns.shape == (rows,) and len(texts) in {0, rows}
    found = Neighbours(vectors.astype(np.int8), columns.astype(np.int16), ids, texts)
    if not fits or not np.all((found.labels >= 0) & (found.labels < labels)):
        raise RefusedError("the training rows to compare with do not fit each other or the contract")
    return found


def _texts(data: npt.NDArray[np.generic]) -> tuple[str, ...]:
    found = read_json(data.tobytes(), where="neighbours")
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InputError("expected a list of texts")
    return tuple(found)


def _unit(features: FloatArray) -> FloatArray:
    length = np.linalg.norm(features, axis=-1, keepdims=True)
    return np.asarray(features, dtype=np.float64) / np.where(length > 0, length, 1.0)
