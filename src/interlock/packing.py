"""The files of a bundle, from what the rooms made: golden messages, neighbours, cards. Decides nothing itself."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

from interlock.assemble import Exported
from interlock.bundle import layout
from interlock.bundle.card import model_card
from interlock.bundle.keys import SigningKey
from interlock.bundle.open import Bundle
from interlock.bundle.parts import Golden, detector_bytes, golden_bytes, neighbour_bytes, policy_bytes, remembered
from interlock.bundle.sign import sign_bundle
from interlock.calibrate.fit import Calibration
from interlock.core.canonical import canonical, digest
from interlock.core.contract import Contract
from interlock.core.dataset import Dataset, Example, Split
from interlock.core.decision import Reason
from interlock.core.receipt import Receipt
from interlock.core.verdict import Judgement
from interlock.data.cards import cards
from interlock.gate.record import Record
from interlock.predict.context import row_text
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.neighbours import Neighbours
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import score_all

MOST_GOLDEN = 32
MOST_NEIGHBOURS = 1000
UNMET = "\N{RUNIC LETTER FEHU FEOH FE F}"  # of a script that hardly a training message has
GOLDEN_CANDIDATES = 5  # rows of a label that may become its golden message


def golden_messages(predictor: Predictor, rows: Dataset) -> list[Golden]:
    """Record a message of each label, and the edges of the input policy.

    Of a label's first few rows the one the router is surest of stands for it: another processor rounds otherwise, and a
    message near a bound would be decided otherwise there.
    """
    first: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        first.setdefault(row.label, []).append(row.text)
    surest = [
        max(texts[:GOLDEN_CANDIDATES], key=lambda text: predictor.decide(text).confidence or 0.0)
        for texts in list(first.values())[:MOST_GOLDEN]
    ]
    out = []
    told = (*_doubted(predictor, surest), *_asking_twice(predictor, surest))
    for text in (*surest, *told, " ", "\u3164", "a" * (predictor.contract.input.max_chars + 1)):
        trace = predictor.trace(text)
        logits = () if trace.logits is None else tuple(float(value) for value in trace.logits)
        out.append(Golden(text, remembered(trace.decision), logits))
    return out


def _doubted(predictor: Predictor, texts: list[str]) -> list[str]:
    """Return one of the texts with a letter nobody met, that is not routed for it, if any is.

    Whoever replays it without looking at words decides it otherwise.
    """
    strange = (f"{text} {UNMET}" for text in texts)
    found = (text for text in strange if predictor.decide(text).reason is Reason.UNKNOWN_WORDS)
    return list(islice(found, 1))


def _asking_twice(predictor: Predictor, texts: list[str]) -> list[str]:
    """Return two of the texts in one, of those that ask for several things the surest, if any does.

    Whoever replays it with another detector decides it otherwise.
    """
    both = [f"{one} and {other}" for one, other in pairwise(texts)]
    found = {text: decision for text in both if (decision := predictor.decide(text)).reason is Reason.SEVERAL}
    return [max(found, key=lambda text: found[text].several_score or 0.0)] if found else []


def neighbour_files(scorer: OnnxEncoder, rows: Dataset, contract: Contract, *, texts: bool) -> dict[str, bytes]:
    """Return the file of training rows to compare messages with, as many of each label; none without features.

    Rows are taken by the digests of their ids, so that they stay the same however the file is sorted.
    """
    by_label: dict[str, list[Example]] = {label: [] for label in contract.label_names}
    for row in sorted(rows, key=lambda row: digest(row.id.encode())):
        if len(row.labels) == 1:
            by_label[row.label].append(row)
    most = max(1, MOST_NEIGHBOURS // len(by_label))
    chosen = [row for some in by_label.values() for row in some[:most]]
    _, features = score_all(scorer, [row_text(row, contract.input, scorer) for row in chosen])
    if features is None:
        return {}
    columns, ids = [contract.index[row.label] for row in chosen], [row.id for row in chosen]
    near = Neighbours.of(features, columns, ids, [row.text for row in chosen] if texts else ())
    return {layout.NEIGHBOURS: neighbour_bytes(near)}


def bundle_files(
    source: bytes,
    split: Split,
    exported: Exported,
    calibration: Calibration,
    receipt: Receipt,
    judgement: Judgement,
    predictor: Predictor,
    engine: str,
) -> dict[str, bytes]:
    """Return every file of the bundle but its manifest."""
    contract = predictor.contract
    return {
        layout.CONTRACT: source,
        layout.GRAPH: exported.graph,
        layout.GRAPH_INT8: exported.graph_int8,
        **{f"model/{name}": data for name, data in exported.model.items()},
        layout.CALIBRATOR: canonical(calibration.calibrator.to_json()),
        layout.DETECTORS: detector_bytes(calibration.unknown, calibration.several, calibration.words),
        layout.POLICY: policy_bytes(contract, engine),
        layout.RECEIPT: receipt.to_bytes(),
        layout.GOLDEN: golden_bytes(golden_messages(predictor, split.test)),
        layout.CARD: model_card(contract, judgement, receipt.identity).encode(),
        **{name: text.encode() for name, text in cards(contract, split).items()},
    }


def vouch(bundle: Bundle, folder: Path, receipt: Receipt, *, key: SigningKey | None, record: Record | None) -> None:
    """Sign an opened bundle and enter it in the ledger, as far as there are a key and a record."""
    if key is not None:
        sign_bundle(folder, bundle.verified, key)
    if record is not None:
        record.packed(bundle.digest, receipt)
