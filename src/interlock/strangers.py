"""What the model makes of rows that the unknown gate is fitted on and reported on. Decides nothing itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from interlock.calibrate.fit import Calibration, in_second_half
from interlock.calibrate.unknown import AUTO, IN_ALL, PER_LABEL, Scored
from interlock.core.canonical import digest
from interlock.core.contract import Bands, Contract
from interlock.core.dataset import Example, Split, TrainSet
from interlock.core.errors import InputError, Problem
from interlock.core.measurement import Measurement
from interlock.core.progress import Watch
from interlock.core.receipt import Receipt
from interlock.data.read import read_texts
from interlock.measure.unknown import unknown
from interlock.predict.context import row_text
from interlock.predict.detectors import score_each
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import allowed_start, same_text_key
from interlock.predict.scorer import score_all

SHOWN = 10  # messages named in an error
MOST = float(np.finfo(np.float64).max)  # the score of what cannot be scored: such a message is refused


def seen(scorer: OnnxEncoder, texts: Sequence[str], contract: Contract) -> Scored:
    """Return logits and features of texts, each as far as the input policy allows it."""
    return Scored(*score_all(scorer, [allowed_start(text, contract.input) for text in texts]))


def notes(calibrated: Calibration, contract: Contract, *, given: bool) -> Iterator[str]:
    """Yield what a contract that wants the unknown gate did not get of it.

    Args:
        calibrated: what calibration rows taught.
        contract: says which gate is wanted.
        given: whether there were unknown messages to learn from.
    """
    gate, facts = calibrated.unknown, calibrated.facts["unknown"] or {}
    wanted = contract.decide.unknown if isinstance(contract.decide, Bands) else None
    if given and not facts.get("unknown_rows"):
        yield "the unknown gate learned nothing from the unknown messages: its method cannot, or rows are too few"
    if gate is None or wanted is None:
        return
    if wanted.method not in {AUTO, facts["method"]}:
        yield f"{facts['method']} stands in for {wanted.method}: there are too few rows or labels to learn from"
    if not math.isfinite(gate.threshold):
        need = math.ceil(round(wanted.keep_known / (1 - wanted.keep_known), 6))
        share = f"a share {wanted.keep_known:g} of known ones"
        yield f"the unknown gate lets every message pass: to keep {share} takes {need} rows, it had {facts['rows']}"


def rows_seen(scorer: OnnxEncoder, rows: Iterable[Example], contract: Contract) -> Scored:
    """Return logits and features of labelled rows, each with the turns before it that the contract looks at."""
    return Scored(*score_all(scorer, [row_text(row, contract.input, scorer) for row in rows]))


def references(scorer: OnnxEncoder, rows: TrainSet, contract: Contract, watch: Watch) -> Scored | None:
    """Return what the scorer makes of some training rows of each label, where the contract wants the unknown gate.

    Rows are taken by the digests of their ids, so that they stay the same whatever is added or how the file is sorted.
    """
    if not isinstance(contract.decide, Bands) or contract.decide.unknown is None:
        return None
    most = max(1, min(PER_LABEL, IN_ALL // len(contract.labels)))
    by_label: dict[str, list[Example]] = {}
    for row in sorted(rows, key=lambda row: digest(row.id.encode())):
        if len(row.labels) == 1:
            by_label.setdefault(row.label, []).append(row)
    chosen = [row for label in contract.label_names for row in by_label.get(label, [])[:most]]
    watch({"event": "stage", "stage": "references", "detail": f"{len(chosen)} training rows for the unknown gate"})
    found = rows_seen(scorer, chosen, contract)
    return Scored(found.logits, found.features, np.array([contract.index[row.label] for row in chosen]))


@dataclass(frozen=True)
class Strange:
    """Messages that the router should not know, in two halves by their digests: one teaches, one is reported on."""

    fitted: Scored
    reported: Scored


def unknown_texts(path: str | Path | None) -> list[str]:
    """Read messages that need no label, each text once, in an order that is not the file's.

    Raises:
        InputError: rows that do not read.
    """
    texts = {same_text_key(text): text for text in read_texts(path)} if path is not None else {}
    return [texts[key] for key in sorted(texts)]


def check_strange(texts: Sequence[str], split: Split, *, where: str | Path | None) -> None:
    """Refuse messages that are said to be unknown and have a label in the data.

    Raises:
        InputError: with the first of them.
    """
    known = {same_text_key(row.text): row for part in (split.train, split.calibration, split.test) for row in part}
    both = [row for row in (known.get(same_text_key(text)) for text in texts) if row is not None]
    if both:
        problems = [
            Problem(str(where), repr(row.text[:60]), "a message without a label in the data", f"row {row.id}")
            for row in both[:SHOWN]
        ]
        raise InputError(
            f"{len(both)} messages of {where} have a label in the data: they cannot be unknown too",
            problems,
            todo="Take them out of the one file or of the other.",
        )


def strange(scorer: OnnxEncoder, texts: Sequence[str], contract: Contract) -> Strange | None:
    """Score what ``unknown_texts`` read, in its two halves; nothing of no texts."""
    if not texts:
        return None
    found, second = seen(scorer, texts, contract), in_second_half([same_text_key(text) for text in texts])
    return Strange(found.take(~second), found.take(second))


def report(calibration: Calibration, receipt: Receipt, strange: Strange | None) -> dict[str, Measurement]:
    """Return how well the gate tells the half of the unknown messages it never saw from the test rows."""
    gate = calibration.unknown
    if strange is None or gate is None or not math.isfinite(gate.threshold):
        return {}
    other = score_each(gate.detector, strange.reported.logits, strange.reported.features)
    known = np.array([MOST if score is None else score for score in receipt.unknown_scores])
    return unknown(known, np.nan_to_num(other, nan=MOST), threshold=gate.threshold)
