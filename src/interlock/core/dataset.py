"""Labelled messages, and the three sets that are never mixed. Knows no files and no splitting rule."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from interlock.core.canonical import canonical, digest_of

Source = Literal["production", "synthetic"]
Part = Literal["train", "calibration", "test"]
PARTS: tuple[Part, ...] = ("train", "calibration", "test")


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled message."""

    id: str
    text: str
    labels: tuple[str, ...]  # at least one, in the row's order; more than one when the message has several intents
    group: str | None = None  # rows of one group (customer, conversation, template) never straddle a split
    timestamp: str | None = None  # ISO 8601
    slice: str | None = None
    lang: str | None = None
    source: Source = "production"
    weight: float = 1.0
    conversation: tuple[str, ...] = ()  # the turns before it, the oldest first; only those the contract looks at
    annotations: tuple[tuple[str, str], ...] = ()  # (annotator, label) for everyone who labelled it, by annotator

    @property
    def label(self) -> str:
        """The first label: the only one, for most rows."""
        return self.labels[0]

    def to_json(self) -> dict[str, Any]:
        """Return the row as a data file holds it; fields at their default are left out."""
        out: dict[str, Any] = {"id": self.id, "text": self.text}
        out |= {"label": self.labels[0]} if len(self.labels) == 1 else {"labels": list(self.labels)}
        for name in ("group", "timestamp", "slice", "lang"):
            value = getattr(self, name)
            if value is not None:
                out[name] = value
        if self.source != "production":
            out["source"] = self.source
        if self.weight != 1.0:
            out["weight"] = self.weight
        if self.conversation:
            out["conversation"] = list(self.conversation)
        if self.annotations:
            out["annotations"] = dict(self.annotations)
        return out


@dataclass(frozen=True)
class Dataset:
    """Examples in file order, every id once."""

    examples: tuple[Example, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        """Iterate over the rows in file order."""
        return iter(self.examples)

    @property
    def texts(self) -> list[str]:
        """The messages in row order."""
        return [example.text for example in self.examples]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every row's canonical bytes in id order: the same rows in another order are the same data."""
        total = hashlib.sha256()
        for example in sorted(self.examples, key=lambda example: example.id):
            total.update(canonical(example.to_json()))
            total.update(b"\n")
        return f"sha256:{total.hexdigest()}"

    def counts(self) -> Counter[str]:
        """Return how many rows carry each label."""
        return Counter(label for example in self.examples for label in example.labels)


class TrainSet(Dataset):
    """The rows a scorer may learn from, and nothing else may be measured on."""


class CalibrationSet(Dataset):
    """The rows calibrators, thresholds and detectors are fitted on."""


class TestSet(Dataset):
    """The frozen rows a receipt is made of. Nothing is ever fitted on them."""

    __test__ = False  # the name is the field's; it is not a pytest class


@dataclass(frozen=True)
class SplitManifest:
    """Which example is where, why, and the proof that nothing leaks."""

    rule: str  # "stratified" or "time", with "grouped, " before it when rows have groups; "given" for official files
    seed: int
    shares: dict[str, float]  # part -> share of rows asked for; empty when the files were given
    parts: dict[Part, tuple[str, ...]]  # part -> example ids, sorted
    fingerprints: dict[Part, str]  # part -> dataset fingerprint
    crossings: dict[str, int] = field(default_factory=dict)  # kind -> rows of a later part found in an earlier one
    removed: tuple[str, ...] = ()  # ids in no part: a later part holds their text, or a cut in time parts their unit
    near: str = ""  # which near duplicates stay together, and are counted in crossings
    apart: int = 0  # pairs of near duplicates, by the house's definition, that stand in two parts all the same
    why: tuple[str, ...] = ()  # what a reader should know about how this split was chosen
    version: str | None = None  # a name people gave this split

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as ``split.json`` holds it, digest included."""
        return {**self._body(), "digest": self.digest}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical manifest."""
        return digest_of(self._body())

    def _body(self) -> dict[str, Any]:
        return {
            "split": 1,
            "rule": self.rule,
            "seed": self.seed,
            "shares": dict(self.shares),
            "parts": {part: list(ids) for part, ids in self.parts.items()},
            "fingerprints": dict(self.fingerprints),
            "crossings": dict(self.crossings),
            "removed": list(self.removed),
            "near": self.near,
            "apart": self.apart,
            "why": list(self.why),
            "version": self.version,
        }


@dataclass(frozen=True)
class Split:
    """The three sets and the manifest that says how they came to be."""

    train: TrainSet
    calibration: CalibrationSet
    test: TestSet
    manifest: SplitManifest
