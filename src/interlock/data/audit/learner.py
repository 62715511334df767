"""A fast linear model over words and letters, and what it says of rows it never saw. Knows no findings."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.core.errors import require

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FOLDS = 3
FEATURES = 40_000  # words and pairs of words kept, and as many pieces of words
WORD = r"(?u)\w+|[^\w\s]"
FEWEST = 5  # rows a label needs for the model to know it
GREATEST = 12_000_000  # rows times labels beyond which the model would take minutes
COST, TOLERANCE, PASSES = 0.2, 0.1, 30  # of the support vector machine; more passes rank no better
SHARPNESS = np.geomspace(0.5, 30.0, 60)


@dataclass(frozen=True)
class TextSpace:
    """Texts as TF-IDF of words, of pairs of words and of pieces of words."""

    points: Any  # sparse, (n, features)
    words: Any  # the part of it that counts words and their pairs, rows of length 1
    _placed: Any

    @classmethod
    def of(cls, texts: Sequence[str]) -> TextSpace:
        """Learn the space of ``texts`` and place them in it."""
        require("The audit", extra="train", modules=["sklearn"])
        try:
            union = _union(fewest=2)
            points = union.fit_transform(texts)
        except ValueError:  # nothing stands in two texts; what is added keeps even "?" from being nothing
            union = _union(fewest=1)
            points = union.fit_transform([*texts, "a b"])[: len(texts)]
        width = len(union.transformer_list[0][1].vocabulary_)
        return cls(points, points[:, :width], union)

    def place(self, texts: Sequence[str]) -> Any:
        """Return other texts as points of the same space."""
        return self._placed.transform(texts)


@dataclass(frozen=True)
class HeldOut:
    """Probabilities of every row's labels by models that saw neither the row nor a copy of it."""

    labels: tuple[str, ...]  # of the columns: those with enough rows; fewer than two where nothing was learnt
    probabilities: Floats  # (n, k)
    given: Ints  # the row's column; -1 for rows with several labels or a label of too few rows
    claims: Floats  # the greatest score of each row; below 0 no label claims it
    sharpness: float  # scores are multiplied by it before the softmax
    whole: Any  # the model that saw every row; None where nothing was learnt

    @property
    def learnt(self) -> bool:
        """Whether there was a choice to learn."""
        return self.whole is not None

    def probabilities_of(self, points: Any) -> Floats:
        """Return the probabilities of other points by the model that saw every row."""
        return softmax(self.sharpness * _scores(self.whole, points))


def held_out(points: Any, given: Sequence[int], *, keys: Sequence[str], labels: Sequence[str]) -> HeldOut:
    """Fit linear support vector machines without each fold in turn and let them judge that fold.

    Rows of one key share a fold. The scores become probabilities by the factor under which the given labels are most
    likely, which needs no rows of its own because every score is held out.
    """
    raw = np.asarray(given, dtype=np.int64)
    folds = np.array([zlib.crc32(key.encode("utf-8", "surrogatepass")) % FOLDS for key in keys])
    known = _learnable(raw, folds, len(labels))
    if known.size < 2 or known.size * raw.size > GREATEST:  # noqa: PLR2004 - a choice needs two
        return HeldOut((), np.zeros((raw.size, 0)), np.full(raw.size, -1), np.zeros(raw.size), 1.0, None)
    column = np.full(len(labels) + 1, -1, dtype=np.int64)  # the last for rows with several labels
    column[known] = np.arange(known.size)
    own = column[raw]
    scores = np.zeros((raw.size, known.size))
    for fold in range(FOLDS):
        inside = folds == fold
        if inside.any():
            scores[inside] = _scores(_fit(points, own, (own >= 0) & ~inside), points[inside])
    sharpness = _sharpness(scores, own)
    whole = _fit(points, own, own >= 0)
    names = tuple(labels[int(i)] for i in known)
    return HeldOut(names, softmax(sharpness * scores), own, scores.max(axis=1), sharpness, whole)


def softmax(scores: Floats) -> Floats:
    """Return rows that sum to 1."""
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


def _learnable(given: Ints, folds: Ints, k: int) -> Ints:
    """Return the labels with enough rows, and rows outside every fold."""
    counts = np.bincount(given[given >= 0], minlength=k)
    most = np.zeros(k, dtype=np.int64)
    for fold in range(FOLDS):
        inside = given[(folds == fold) & (given >= 0)]
        most = np.maximum(most, np.bincount(inside, minlength=k))
    return np.flatnonzero((counts >= FEWEST) & (most < counts))


def _fit(points: Any, own: Ints, rows: npt.NDArray[np.bool_]) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=COST, tol=TOLERANCE, max_iter=PASSES, dual=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is meant
        return machine.fit(points[rows], own[rows])


def _scores(machine: Any, points: Any) -> Floats:
    found = np.asarray(machine.decision_function(points))
    return found if found.ndim > 1 else np.stack([-found, found], axis=1)


def _sharpness(scores: Floats, own: Ints) -> float:
    rows = np.flatnonzero(own >= 0)
    rows = rows[:: max(1, rows.size // 5000)]
    likelihood = [
        float(np.log(np.maximum(softmax(factor * scores[rows])[np.arange(rows.size), own[rows]], 1e-12)).sum())
        for factor in SHARPNESS
    ]
    return float(SHARPNESS[int(np.argmax(likelihood))])


def _union(*, fewest: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    common = {"min_df": fewest, "sublinear_tf": True, "max_features": FEATURES}
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, **common)
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **common)
    return FeatureUnion([("words", words), ("pieces", pieces)])
