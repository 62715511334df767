"""A bundle measured on any labelled file, exactly as it serves. The offline walk without the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from interlock.bundle.open import Bundle
from interlock.core.clock import Clock, SystemClock
from interlock.core.progress import Watch, every, unwatched
from interlock.data.read import read, read_texts
from interlock.gate.derive import Derived, measurements
from interlock.gate.take import Subject, take
from interlock.measure.unknown import unknown as measure_unknown
from interlock.predict.detectors import UnknownGate, score_each
from interlock.predict.normalise import allowed_start
from interlock.predict.scorer import score_all
from interlock.report.evaluation import Evaluation

MOST = float(np.finfo(np.float64).max)  # the score of what cannot be scored: such a message is refused


def evaluate(
    bundle: Bundle,
    data: str | Path,
    *,
    unknown: str | Path | None = None,
    watch: Watch = unwatched,
    clock: Clock | None = None,
) -> Evaluation:
    """Measure ``bundle`` on ``data``.

    Args:
        bundle: an opened bundle.
        data: labelled messages whose labels the contract knows.
        unknown: messages the router should not know; adds ``unknown_auroc``, ``unknown_fpr95``, ``unknown_recall`` and
            ``unknown_precision``.
        watch: told how far it is.
        clock: stamps nothing that is kept.

    Raises:
        InputError: rows that do not read, or labels the contract does not know.
    """
    rows = read(data, labels=bundle.contract.label_names, turns=bundle.contract.input.turns)
    strange = read_texts(unknown) if unknown is not None else []
    subject = Subject(name=bundle.manifest.name, identity=bundle.manifest.identity)
    receipt = take(bundle.predictor, rows, subject, clock=clock or SystemClock(), progress=every(watch, "measure"))
    derived = Derived(receipt)
    found = measurements(derived)
    if strange and receipt.logits is not None:
        gate = bundle.predictor.unknown or UnknownGate(MOST)
        texts = [allowed_start(text, bundle.contract.input) for text in strange]
        other = score_each(gate.detector, *score_all(bundle.predictor.scorer, texts))
        known = receipt.unknown_scores or score_each(gate.detector, receipt.logits.array, None).tolist()
        scores = (np.array([MOST if score is None else score for score in known]), np.nan_to_num(other, nan=MOST))
        found |= measure_unknown(*scores, threshold=gate.threshold)
    return Evaluation.of(derived, rows, found)
