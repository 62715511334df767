"""Fit the gate for unknown messages. Knows scores of rows, not their texts, and no message that the router will meet.

Detectors rest on references: what the model makes of some training rows. Which detector serves, and how detectors are
combined, is learned from calibration rows: without any unknown message by leaving labels out of everything that is
cheap to fit, so that their rows are unknown to it; and from unknown rows, where there are some. The threshold is read
off calibration rows that nothing else of the gate was fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.calibrate.logistic import fit_logistic
from interlock.core.errors import InputError, did_you_mean
from interlock.measure.unknown import auroc
from interlock.predict.detectors import (
    METHODS,
    Combined,
    Detector,
    Energy,
    Mahalanobis,
    MaxSoftmax,
    Nearest,
    UnknownGate,
    score_each,
)
from interlock.predict.scorer import FloatArray

AUTO = "auto"
LEARNED = ("energy", "relative_mahalanobis", "knn")  # what a combination is made of
TRIED = ("energy", "knn", "relative_mahalanobis", "combined")  # by auto; the first is kept unless another is better
FOLDS = 5  # of the labels, or of the rows where unknown ones are given
LEAST_LABELS, LEAST_ROWS, MOST_ROWS = 4, 200, 4000  # to learn from; with fewer, auto means energy
SHRUNK = 0.3  # of the shared covariance, towards equal spread in all directions
PER_LABEL, IN_ALL = 200, 20_000  # references at most
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scored:
    """What the model made of some rows."""

    logits: FloatArray  # (n, k)
    features: FloatArray | None = None  # (n, d), where the model gives any
    gold: Integers | None = None  # (n,) columns of the labels; -1 where a row has several

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.logits)

    def take(self, rows: Flags | Integers) -> Scored:
        """Return some rows."""
        features, gold = self.features, self.gold
        return Scored(
            self.logits[rows],
            None if features is None else features[rows],
            None if gold is None else gold[rows],
        )

    def without(self, labels: Integers) -> Scored:
        """Return the rows of all other labels, as a model that never heard of ``labels`` would give them."""
        if self.gold is None:
            return Scored(np.delete(self.logits, labels, axis=1), self.features)
        kept = ~np.isin(self.gold, labels) & (self.gold >= 0)
        names = np.delete(np.arange(self.logits.shape[1]), labels)
        left = self.take(kept)
        return Scored(np.delete(left.logits, labels, axis=1), left.features, np.searchsorted(names, self.gold[kept]))


@dataclass(frozen=True)
class Fitted:
    """A gate, and what was found on the way."""

    gate: UnknownGate
    facts: Mapping[str, Any]


def check_method(method: str) -> None:
    """Raise InputError unless ``method`` names a detector, or leaves the choice to ``fit_unknown``."""
    if method not in {AUTO, *METHODS}:
        known = [AUTO, *METHODS]
        raise InputError(
            f"there is no unknown gate {method!r}{did_you_mean(method, known)}", todo=f"Name one of {', '.join(known)}."
        )


def fit_unknown(
    known: Scored,
    *,
    keep_known: float,
    method: str = AUTO,
    references: Scored | None = None,
    unknown: Scored | None = None,
    held: Flags | None = None,
) -> Fitted:
    """Return the gate that a share ``keep_known`` of new known messages is expected to pass.

    Args:
        known: calibration rows.
        keep_known: above 0.5, below 1.
        method: one of ``METHODS``, or ``auto``: the one that tells best what it was not fitted on.
        references: training rows with gold labels, for the detectors that look at features. Without features, and for
            ``combined`` with too few rows or labels to learn from, ``auto`` is ``energy``.
        unknown: rows of no label, to learn the choice and the combination from beside labels left out.
        held: (n,) the calibration rows that the threshold is read from when something is learned on the others; all
            rows without it, and whenever nothing is learned.

    Raises:
        InputError: no such method, or one that needs references or features that are not there.
    """
    check_method(method)
    learns = method in {AUTO, "combined"}
    usable = references is not None and references.features is not None and known.features is not None
    if method not in {AUTO, "energy", "max_softmax"} and not usable:
        raise InputError(f"{method} looks at features, and this model gives none", todo="Use energy, or auto.")
    rows = known.take(~held) if held is not None else known
    rows = rows if rows.gold is None else rows.take(rows.gold >= 0)
    if not usable or references is None or (learns and not _enough(rows)):
        detector: Detector = MaxSoftmax() if method == "max_softmax" else Energy()
        return _gate(detector, known, keep_known, {})
    if not learns:
        return _gate(fit_detectors(references, (method,))[0], known, keep_known, {})
    trials = [*_labels_left_out(rows, references), *_shared_out(rows, unknown, references)]
    if len(trials) < 2:  # noqa: PLR2004 - what one teaches is tried on another
        return _gate(Energy(), known, keep_known, {})
    chosen, worth = _choice(trials) if method == AUTO else (method, {})
    if chosen == "combined":
        detector = _combination(fit_detectors(references, LEARNED), _weights(trials), rows)
    else:
        detector = fit_detectors(references, (chosen,))[0]
    fitted = _gate(detector, known.take(held) if held is not None else known, keep_known, worth)
    taught = len(unknown) if unknown is not None and len(unknown) >= FOLDS else 0
    return replace(fitted, facts={**fitted.facts, "unknown_rows": taught})


def fit_detectors(references: Scored, methods: Sequence[str]) -> tuple[Detector, ...]:
    """Return the named detectors, none of them ``combined``, fitted to references with features and gold labels."""
    return tuple(FITS[method](references) for method in methods)


def conformal_threshold(scores: npt.NDArray[np.float64], *, keep_known: float) -> float:
    """Return the threshold below which the next known message scores with a chance of at least ``keep_known``.

    The split-conformal quantile (Vovk et al. 2005): with n exchangeable known rows, just above the
    ceil((n + 1) keep_known)-th smallest score. With too few rows for that rank it is infinite: every message passes.
    A NaN among the scores counts as the strangest.
    """
    ordered = np.sort(np.where(np.isnan(scores), math.inf, scores))
    rank = math.ceil(round((len(ordered) + 1) * keep_known, 9))  # rounded: 100 * 0.95 is a hair above 95 in some forms
    return math.inf if rank > len(ordered) else float(np.nextafter(ordered[rank - 1], math.inf))


def _gate(detector: Detector, known: Scored, keep_known: float, worth: Mapping[str, float]) -> Fitted:
    threshold = conformal_threshold(score_each(detector, known.logits, known.features), keep_known=keep_known)
    facts: dict[str, Any] = {"method": detector.method, "rows": len(known), "keep_known": keep_known}
    if isinstance(detector, Combined):
        names = (part.method for part in detector.parts)
        facts["weights"] = dict(zip(names, detector.weights[:, 2].tolist(), strict=True))
    return Fitted(UnknownGate(threshold, detector), {**facts, **({"learned_auroc": dict(worth)} if worth else {})})


def _enough(rows: Scored) -> bool:
    return len(rows) >= LEAST_ROWS and rows.logits.shape[1] >= LEAST_LABELS


@dataclass(frozen=True, eq=False)
class _Trial:
    """Scores, centred and scaled on its known rows, of detectors that never met its unknown ones."""

    known: npt.NDArray[np.float64]  # (n, len(LEARNED))
    unknown: npt.NDArray[np.float64]  # (m, len(LEARNED))


def _labels_left_out(rows: Scored, references: Scored) -> Iterator[_Trial]:
    """Yield a trial for each fold of the labels: references, logits and centres know nothing of them."""
    rows = rows.take(np.arange(min(len(rows), MOST_ROWS)))
    order = np.random.default_rng(0).permutation(rows.logits.shape[1])
    for labels in np.array_split(order, min(FOLDS, len(order) // 2)):
        assert rows.gold is not None  # noqa: S101 - calibrate gives it
        strange = Scored(rows.logits, rows.features).without(labels).take(np.isin(rows.gold, labels))
        known = rows.without(labels)
        if len(known) and len(strange):  # where nearly all rows are of one label, some folds have none of others
            yield _trial(known, strange, references.without(labels))


def _shared_out(rows: Scored, unknown: Scored | None, references: Scored) -> Iterator[_Trial]:
    """Yield a trial for each fold of known and unknown rows; none without enough unknown ones."""
    if unknown is None or len(unknown) < FOLDS:
        return
    rows = rows.take(np.arange(min(len(rows), MOST_ROWS)))
    for fold in range(FOLDS):
        known, strange = np.arange(len(rows)) % FOLDS == fold, np.arange(len(unknown)) % FOLDS == fold
        yield _trial(rows.take(known), unknown.take(strange), references)


def _trial(known: Scored, strange: Scored, references: Scored) -> _Trial:
    detectors = fit_detectors(references, LEARNED)
    parts = [
        np.column_stack([score_each(detector, rows.logits, rows.features) for detector in detectors])
        for rows in (known, strange)
    ]
    mean, spread = _moments(parts[0])
    return _Trial(*((part - mean) / spread for part in parts))


def _moments(scores: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return scores.mean(axis=0), np.maximum(scores.std(axis=0), 1e-9)


def _weights(trials: Sequence[_Trial]) -> npt.NDArray[np.float64]:
    """Return the weight of each of ``LEARNED``, at least 0, that tells the unknown rows of ``trials`` best."""
    known = np.concatenate([trial.known for trial in trials])
    strange = np.concatenate([trial.unknown for trial in trials])
    features = np.column_stack([np.concatenate([known, strange]), np.ones(len(known) + len(strange))])
    start = np.append(np.full(len(LEARNED), 1 / len(LEARNED)), 0.0)
    return fit_logistic(features, np.arange(len(features)) >= len(known), start=start)[:-1]


def _choice(trials: Sequence[_Trial]) -> tuple[str, dict[str, float]]:
    """Return the first of ``TRIED`` within one standard error of the best mean AUROC over the trials, and the means.

    The combination of a trial is learned from the other trials. Errors are those of the paired difference to the best
    (the rule of Breiman et al. 1984, section 3.4.3).
    """
    found: dict[str, list[float]] = {method: [] for method in TRIED}
    for trial in trials:
        weights = _weights([other for other in trials if other is not trial])
        for method, values in found.items():
            by = weights if method == "combined" else np.eye(len(LEARNED))[LEARNED.index(method)]
            values.append(auroc(trial.known @ by, trial.unknown @ by).value)
    areas = {method: np.array(one) for method, one in found.items()}
    best = max(areas, key=lambda method: float(areas[method].mean()))
    means = {method: float(one.mean()) for method, one in areas.items()}
    for method, one in areas.items():
        less = areas[best] - one
        if less.mean() <= less.std(ddof=1) / math.sqrt(len(less)):
            return method, means
    return best, means


def _combination(parts: tuple[Detector, ...], weights: npt.NDArray[np.float64], rows: Scored) -> Detector:
    """Return the weighted sum of the parts that weigh anything, scaled on ``rows``."""
    kept = [number for number, weight in enumerate(weights) if weight > 0]
    if not kept:
        return Energy()
    scores = np.column_stack([score_each(parts[number], rows.logits, rows.features) for number in kept])
    return Combined(tuple(parts[number] for number in kept), np.column_stack([*_moments(scores), weights[kept]]))


def _nearest(references: Scored) -> Detector:
    assert references.features is not None  # noqa: S101 - fit_unknown looked
    assert references.gold is not None  # noqa: S101
    order = np.argsort(references.gold, kind="stable")
    features = np.asarray(references.features, dtype=np.float64)[order]
    lengths = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    starts = np.searchsorted(references.gold[order], np.arange(references.logits.shape[1] + 1))
    return Nearest((features / lengths).astype(np.float16).astype(np.float32), starts.astype(np.int64))


def _mahalanobis(references: Scored, *, relative: bool) -> Detector:
    """Return the detector of the references' centres; labels without references share the centre of all."""
    assert references.features is not None  # noqa: S101 - fit_unknown looked
    assert references.gold is not None  # noqa: S101
    features, gold = np.asarray(references.features, dtype=np.float64), references.gold
    everything = features.mean(axis=0)
    centres = np.array(
        [
            features[gold == label].mean(axis=0) if (gold == label).any() else everything
            for label in range(references.logits.shape[1])
        ]
    )
    whitening = _whitening(features - centres[gold])
    around = _whitening(features - everything)
    background = np.column_stack([around, around @ everything]).astype(np.float32) if relative else None
    return Mahalanobis((centres @ whitening.T).astype(np.float32), whitening.astype(np.float32), background)


def _whitening(residuals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (d, d) W with W'W the inverse of the shrunken covariance of (n, d) ``residuals``."""
    covariance = residuals.T @ residuals / len(residuals)
    d, spread = len(covariance), max(float(np.trace(covariance)) / len(covariance), 1e-12)
    shrunken = (1 - SHRUNK) * covariance + SHRUNK * spread * np.eye(d)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(shrunken)))


FITS: dict[str, Callable[[Scored], Detector]] = {
    "energy": lambda _: Energy(),
    "max_softmax": lambda _: MaxSoftmax(),
    "mahalanobis": lambda references: _mahalanobis(references, relative=False),
    "relative_mahalanobis": lambda references: _mahalanobis(references, relative=True),
    "knn": _nearest,
}
