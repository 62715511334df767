"""What two bundles do not have in common, part by part. Knows no verdicts: which is better is for ``compare``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from interlock.bundle.layout import CALIBRATOR, CARD, COMPONENTS, DATA_CARD, LABEL_GUIDE, POLICY
from interlock.bundle.open import Bundle
from interlock.bundle.parts import read_golden, remembered
from interlock.core.canonical import read_json

NOTHING = "(none)"
WEIGHTS = (*COMPONENTS.values(), "model/model.safetensors", "model/config.json")
PAGES = (CARD, LABEL_GUIDE, DATA_CARD)
Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same."""

    part: str  # contract, policy, calibrator, thresholds, weights, evidence, measurements, golden, pages
    name: str
    a: Any  # ``(none)`` where only the other has it
    b: Any

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"part": self.part, "name": self.name, "a": self.a, "b": self.b}


def differences(a: Bundle, b: Bundle) -> list[Difference]:
    """Return everything that differs between two opened bundles, part by part."""
    return [
        *_trees("contract", a.contract.to_json() | _labels(a), b.contract.to_json() | _labels(b)),
        *_trees("policy", _json(a, POLICY), _json(b, POLICY)),
        *_trees("calibrator", _json(a, CALIBRATOR), _json(b, CALIBRATOR)),
        *_trees("thresholds", _thresholds(a), _thresholds(b)),
        *_trees("weights", _digests(a, WEIGHTS), _digests(b, WEIGHTS)),
        *_trees("evidence", dict(a.receipt().identity), dict(b.receipt().identity)),
        *_trees("measurements", _measured(a), _measured(b), deep=False),
        *_golden(a, b),
        *_trees("pages", _digests(a, PAGES), _digests(b, PAGES)),
    ]


def _labels(bundle: Bundle) -> dict[str, Any]:
    labels = {name: one.model_dump(mode="json", by_alias=True) for name, one in bundle.contract.labels.items()}
    return {"labels": labels, "columns": list(bundle.contract.label_names)}


def _json(bundle: Bundle, name: str) -> Any:
    return read_json(bundle.verified.files[name], where=name)


def _thresholds(bundle: Bundle) -> dict[str, Any]:
    gate = bundle.predictor.unknown
    return {"unknown": gate.threshold if gate is not None else NOTHING}


def _digests(bundle: Bundle, names: tuple[str, ...]) -> dict[str, str]:
    return {name: bundle.manifest.files[name].sha256 for name in names if name in bundle.manifest.files}


def _measured(bundle: Bundle) -> dict[str, Any]:
    """Return the printed measurements but for what only says how they were made."""
    kept = ("value", "low", "high", "n")
    found = bundle.receipt().measurements
    return {name: {key: one[key] for key in kept if key in one} for name, one in found.items()}


def _trees(part: str, a: Tree, b: Tree, *, deep: bool = True, path: str = "") -> Iterator[Difference]:
    """Yield every leaf that differs; with ``deep`` off, only whole values of the first level."""
    for key in dict.fromkeys((*a, *b)):
        name = f"{path}.{key}" if path else str(key)
        mine, theirs = a.get(key, NOTHING), b.get(key, NOTHING)
        if deep and isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            yield from _trees(part, mine, theirs, path=name)
        elif mine != theirs:
            yield Difference(part, name, mine, theirs)


def _golden(a: Bundle, b: Bundle) -> Iterator[Difference]:
    """Let each bundle decide the other's golden messages; their text stays out, it may be a customer's."""
    for whose, bundle, other in (("a", a, b), ("b", b, a)):
        for number, golden in enumerate(read_golden(bundle.verified.files), start=1):
            now = remembered(other.decide(golden.text))
            if now != golden.decision:
                own, new = (golden.decision, now) if whose == "a" else (now, golden.decision)
                yield Difference("golden", f"{whose}:{number}", own, new)
