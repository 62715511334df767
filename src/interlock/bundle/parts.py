"""What the files of a bundle say, as objects. Knows no disk; takes and gives bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from interlock.bundle import layout
from interlock.core.canonical import canonical, read_json
from interlock.core.contract import Contract
from interlock.core.contract_file import parse_contract
from interlock.core.decision import Decision
from interlock.core.errors import InputError, Problem, RefusedError
from interlock.predict.calibrators import Calibrator, calibrator_from_json
from interlock.predict.detectors import UnknownGate, read_detector
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.neighbours import Neighbours
from interlock.predict.neighbours import read_neighbours as neighbours_from
from interlock.predict.several import SeveralDetector
from interlock.predict.several import read_several as several_from
from interlock.predict.words import Words
from interlock.predict.words import read_words as words_from

UNKNOWN, THRESHOLD = "unknown.", ".threshold"  # unknown.METHOD.threshold, and the method's arrays beside it
SEVERAL = "several."  # before the names of that detector's arrays
WORDS = "words."  # before the names of what is known of words
GOLDEN_TOLERANCE = 1e-4  # how far a replayed logit may be from the recorded one


@dataclass(frozen=True)
class Golden:
    """One recorded message and what the packed router decided."""

    text: str
    decision: dict[str, Any]  # outcome, route, reason, label
    logits: tuple[float, ...] = ()  # empty when the input policy refused the text

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"text": self.text, "decision": self.decision, "logits": list(self.logits)}


def remembered(decision: Decision) -> dict[str, Any]:
    """Return the part of a decision that a replay must repeat."""
    whole = decision.to_json()
    return {key: whole[key] for key in ("outcome", "route", "reason", "label")}


def policy_bytes(contract: Contract, engine: str) -> bytes:
    """Return ``policy.json``: how scores become routes, and on which graph."""
    decide = contract.decide.model_dump(mode="json")
    fallback = contract.fallback.model_dump(mode="json")
    return canonical(
        {"policy": 1, "engine": engine, "decide": decide, "fallback": fallback, "consumer": contract.consumer}
    )


def detector_bytes(
    unknown: UnknownGate | None, several: SeveralDetector | None = None, words: Words | None = None
) -> bytes:
    """Return ``detectors.safetensors``: fitted thresholds and arrays by name; nothing of a gate that all may pass."""
    tensors: dict[str, Any] = {}
    if unknown is not None and math.isfinite(unknown.threshold):
        name = f"{UNKNOWN}{unknown.detector.method}"
        tensors[f"{name}{THRESHOLD}"] = np.array([unknown.threshold])
        tensors |= {f"{name}.{part}": data for part, data in unknown.detector.tensors().items()}
    if several is not None:
        tensors |= {f"{SEVERAL}{name}": data for name, data in several.tensors().items()}
    if words is not None:
        tensors |= {f"{WORDS}{name}": data for name, data in words.tensors().items()}
    return _stored(tensors)


def _stored(tensors: Mapping[str, Any]) -> bytes:
    """Return arrays as safetensors, which takes memory as it lies: one with its columns first would come back mixed."""
    return bytes(save_tensors({name: np.ascontiguousarray(data) for name, data in tensors.items()}))


def golden_bytes(golden: list[Golden]) -> bytes:
    """Return ``golden.jsonl``."""
    return b"".join(json.dumps(item.to_json(), ensure_ascii=False).encode() + b"\n" for item in golden)


def read_contract(files: Mapping[str, bytes]) -> Contract:
    """Return the bundle's contract under the policy it was packed with."""
    try:
        contract = parse_contract(files[layout.CONTRACT], where=layout.CONTRACT)
        policy = read_json(files[layout.POLICY], where=layout.POLICY)
        return Contract.model_validate(
            {
                **contract.model_dump(by_alias=True),
                "decide": policy["decide"],
                "fallback": policy["fallback"],
            }
        )
    except (InputError, ValidationError, KeyError, TypeError) as error:
        raise RefusedError(f"the bundle's contract or policy does not read: {error}") from error


def read_engine(files: Mapping[str, bytes], contract: Contract) -> OnnxEncoder:
    """Return the scorer the policy names."""
    engine = read_json(files[layout.POLICY], where=layout.POLICY).get("engine")
    if engine not in (layout.GRAPH, layout.GRAPH_INT8):
        raise RefusedError(
            "the policy names no graph",
            [Problem(layout.POLICY, "engine", f"{layout.GRAPH} or {layout.GRAPH_INT8}", repr(engine))],
        )
    return OnnxEncoder(
        graph=files[engine],
        tokenizer=files[layout.TOKENIZER],
        labels=len(contract.labels),
        max_tokens=contract.input.max_tokens,
    )


def read_calibrator(files: Mapping[str, bytes]) -> Calibrator:
    """Return the calibrator."""
    try:
        return calibrator_from_json(read_json(files[layout.CALIBRATOR], where=layout.CALIBRATOR))
    except (InputError, AttributeError) as error:
        raise RefusedError(f"{layout.CALIBRATOR} does not read: {error}") from error


def read_unknown(files: Mapping[str, bytes], contract: Contract) -> UnknownGate | None:
    """Return the unknown gate, when one was fitted."""
    stored = {name: data for name, data in _detectors(files).items() if name.startswith(UNKNOWN)}
    if not stored:
        return None
    thresholds = [name for name in stored if name.endswith(THRESHOLD)]
    prefix = thresholds[0].removesuffix("threshold") if thresholds else ""
    if len(thresholds) != 1 or not all(name.startswith(prefix) for name in stored):
        raise RefusedError(
            "the unknown gate must be one method with one threshold",
            [Problem(layout.DETECTORS, UNKNOWN, "one threshold, and arrays of its method", str(sorted(stored))[:200])],
        )
    threshold = stored.pop(thresholds[0])
    if threshold.shape != (1,) or not np.isfinite(threshold[0]):
        raise RefusedError(
            "the unknown threshold must be one finite number",
            [Problem(layout.DETECTORS, thresholds[0], "finite", str(threshold))],
        )
    method = prefix.removeprefix(UNKNOWN).removesuffix(".")
    arrays = {name.removeprefix(prefix): data for name, data in stored.items()}
    return UnknownGate(float(threshold[0]), read_detector(method, arrays, labels=len(contract.labels)))


def read_several(files: Mapping[str, bytes]) -> SeveralDetector | None:
    """Return the detector of several intents, when one was fitted."""
    stored = {name.removeprefix(SEVERAL): data for name, data in _detectors(files).items() if name.startswith(SEVERAL)}
    return several_from(stored) if stored else None


def read_words(files: Mapping[str, bytes], scorer: OnnxEncoder) -> Words | None:
    """Return the words the router knows, where the bundle says."""
    stored = {name.removeprefix(WORDS): data for name, data in _detectors(files).items() if name.startswith(WORDS)}
    return words_from(stored, scorer.whole_words()) if stored else None


def _detectors(files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        return dict(load_tensors(files[layout.DETECTORS]))
    except Exception as error:
        raise RefusedError(f"{layout.DETECTORS} does not read: {error}") from error


def neighbour_bytes(neighbours: Neighbours) -> bytes:
    """Return ``neighbours.safetensors``."""
    return _stored(neighbours.tensors())


def read_neighbours(files: Mapping[str, bytes], contract: Contract) -> Neighbours | None:
    """Return the training rows to compare messages with, where the bundle has any."""
    if layout.NEIGHBOURS not in files:
        return None
    try:
        stored = load_tensors(files[layout.NEIGHBOURS])
    except Exception as error:
        raise RefusedError(f"{layout.NEIGHBOURS} does not read: {error}") from error
    return neighbours_from(stored, labels=len(contract.labels))


def read_golden(files: Mapping[str, bytes]) -> list[Golden]:
    """Return the golden messages; a bundle without any cannot prove itself and is refused."""
    out = []
    try:
        for number, line in enumerate(files[layout.GOLDEN].splitlines(), start=1):
            body = read_json(line, where=f"{layout.GOLDEN}:{number}")
            out.append(Golden(body["text"], body["decision"], tuple(body["logits"])))
    except (InputError, KeyError, TypeError) as error:
        raise RefusedError(f"{layout.GOLDEN} does not read: {error}") from error
    if not out:
        raise RefusedError("the bundle has no golden messages", [Problem(layout.GOLDEN, "", "at least one", "none")])
    return out
