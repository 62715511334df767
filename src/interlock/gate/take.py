"""Run a predictor over labelled rows exactly as it serves, and freeze what it said. Knows no limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from interlock.core.clock import Clock
from interlock.core.dataset import Dataset, Example
from interlock.core.errors import InputError
from interlock.core.receipt import Intents, Matrix, Receipt, Row
from interlock.gate.derive import Derived, measurements
from interlock.predict.context import row_text
from interlock.predict.predictor import Predictor, Trace
from interlock.predict.scorer import Scores

WARM_UP = 20  # messages decided before any is timed
Progress = Callable[[int, int], None]  # rows done, rows in all


@dataclass(frozen=True)
class Subject:
    """What a receipt is about, beside the rows and the scores."""

    name: str
    identity: Mapping[str, str]  # versions and digests of everything that is measured
    fixtures: Sequence[str] = ()  # the registered row ids
    crossings: Mapping[str, int] = field(default_factory=dict)  # the split's leakage proof
    predicted: Mapping[str, Sequence[str]] = field(
        default_factory=dict
    )  # labels that others gave the same rows, in order
    copies: Mapping[str, str] = field(default_factory=dict)  # row id -> an earlier row of the same text
    near: Mapping[str, str] = field(default_factory=dict)  # row id -> an earlier row of nearly the same text
    facts: Mapping[str, Any] = field(default_factory=dict)  # recipe and machine


def take(
    predictor: Predictor, rows: Dataset, subject: Subject, *, clock: Clock, progress: Progress | None = None
) -> Receipt:
    """Return the receipt of ``rows``.

    Args:
        predictor: what is measured, on the path that serves: one message at a time, normalised, encoded, timed.
        rows: labelled messages.
        subject: what the receipt is about.
        clock: stamps the receipt.
        progress: told how far it is.

    Raises:
        InputError: there are no rows.
    """
    if not len(rows):
        raise InputError("there are no rows to measure")
    for example in rows.examples[:WARM_UP]:
        predictor.decide(example.text, example.conversation)
    scored, latencies, kept = [], [], []
    for done, example in enumerate(rows, start=1):
        trace = predictor.trace(example.text, example.conversation)
        latencies.append(trace.decision.stage_ms["total"])
        logits = trace.logits
        whole = Scores(logits, trace.features) if logits is not None else None
        scored.append(whole or _of_the_start(predictor, example))
        kept.append(_row(example, trace, predictor, subject))
        if progress is not None:
            progress(done, len(rows))
    receipt = Receipt(
        receipt=1,
        name=subject.name,
        created=clock.now().isoformat(timespec="seconds"),
        identity=dict(subject.identity),
        contract=predictor.contract.to_json(),
        fixtures=tuple(sorted(subject.fixtures)),
        crossings=dict(subject.crossings),
        calibrator=predictor.calibrator.to_json(),
        unknown_threshold=_finite(predictor),
        several_threshold=predictor.several.threshold if predictor.several is not None else None,
        unknown_scores=_unknown_scores(predictor, scored),
        rows=tuple(kept),
        logits=Matrix.of(np.stack([scores.logits for scores in scored])),
        predicted={name: tuple(labels) for name, labels in subject.predicted.items()},
        latency_ms=tuple(round(ms, 4) for ms in latencies),
        facts=dict(subject.facts),
    )
    printed = {key: found.to_json() for key, found in measurements(Derived(receipt)).items()}
    return receipt.model_copy(update={"measurements": printed})


def _row(example: Example, trace: Trace, predictor: Predictor, subject: Subject) -> Row:
    return Row(
        id=example.id,
        labels=example.labels,
        slice=example.slice,
        lang=example.lang,
        disguised=trace.disguised,
        doubted=trace.doubted,
        truncated=trace.decision.truncated or trace.logits is None,
        copy_of=subject.copies.get(example.id),
        near=subject.near.get(example.id),
        several=_several(predictor, trace),
    )


def _finite(predictor: Predictor) -> float | None:
    if predictor.unknown is None or not np.isfinite(predictor.unknown.threshold):
        return None  # a gate that lets everything pass is no gate
    return predictor.unknown.threshold


def _several(predictor: Predictor, trace: Trace) -> Intents | None:
    found = trace.several
    if found is None or not math.isfinite(found.score + found.confidence):
        return None
    names = predictor.contract.label_names
    return Intents(
        score=found.score, labels=tuple(names[column] for column in found.columns), confidence=found.confidence
    )


def _unknown_scores(predictor: Predictor, scored: Sequence[Scores]) -> tuple[float | None, ...]:
    if predictor.unknown is None or _finite(predictor) is None:
        return ()
    found = (predictor.unknown.score(scores) for scores in scored)
    return tuple(score if math.isfinite(score) else None for score in found)


def _of_the_start(predictor: Predictor, row: Example) -> Scores:
    """Score what the input policy allows of a refused text: the row must count, and it counts as refused."""
    start = row_text(row, predictor.contract.input, predictor.scorer)
    return predictor.scorer.classify(predictor.scorer.encode(start))
