"""Frozen evaluation evidence: what was measured, on which rows, with which scores. Knows storing, not judging."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from interlock.core.canonical import canonical, digest, read_json
from interlock.core.contract import Contract
from interlock.core.contract_terms import disagreements
from interlock.core.errors import InputError, Problem
from interlock.core.strict import Strict

# Fields younger than the format: left out where they say nothing, so that older receipts keep their digests.
LATER = {"unknown_scores", "disguised", "doubted"}

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Id = Annotated[str, Field(min_length=1, max_length=500, strict=True)]


class Intents(Strict):
    """What a detector of several intents found in one message."""

    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]  # probability of more than one
    labels: Annotated[tuple[Id, ...], Field(min_length=1)]  # what they would be, the surest first
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]


class Row(Strict):
    """One evaluated message: never its text, only its id and what was said about it."""

    id: Id
    labels: Annotated[tuple[Id, ...], Field(min_length=1)]
    slice: Id | None = None
    lang: Id | None = None
    truncated: bool = False
    disguised: bool = False
    doubted: bool = False  # unknown words carry the decision
    copy_of: Id | None = None  # an earlier row whose text differs at most in case, spacing or what cannot be seen
    near: Id | None = None  # an earlier row whose text is nearly the same; both count as one in intervals
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] | None = None  # of the positive label
    several: Intents | None = None  # when the predictor has a detector of several intents


class Matrix(Strict):
    """A float32 array as base64 of its little-endian bytes: exact, compact, and read without parsing numbers."""

    shape: tuple[Annotated[int, Field(ge=0, strict=True)], Annotated[int, Field(ge=0, strict=True)]]
    base64: str

    @classmethod
    def of(cls, values: npt.NDArray[np.floating[Any]]) -> Self:
        """Store an array of shape (n, k)."""
        data = np.ascontiguousarray(values, dtype="<f4")
        return cls(shape=(data.shape[0], data.shape[1]), base64=base64.b64encode(data.tobytes()).decode("ascii"))

    @cached_property
    def array(self) -> npt.NDArray[np.float32]:
        """The array of shape (n, k)."""
        return np.frombuffer(base64.b64decode(self.base64, validate=True), dtype="<f4").reshape(self.shape)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        size = len(base64.b64decode(self.base64, validate=True))
        if size != 4 * math.prod(self.shape):
            raise ValueError(f"{self.shape} float32 values take {4 * math.prod(self.shape)} bytes, got {size}")
        if not np.all(np.isfinite(self.array)):
            raise ValueError("every logit must be finite")
        return self


class Receipt(Strict):
    """Everything a verdict rests on. Two receipts with one digest are the same evidence, byte for byte."""

    receipt: Literal[1]
    name: Id
    created: str | None = None  # ISO 8601, UTC
    identity: dict[Id, str]  # what was measured: versions and digests by name
    contract: dict[str, Any]
    fixtures: tuple[Id, ...] = ()  # the registered rows, from the split manifest; the contract's pins come first
    crossings: dict[Id, Annotated[int, Field(ge=0, strict=True)]] = Field(
        default_factory=dict
    )  # the split's leakage proof
    calibrator: dict[str, Any] | None = None  # as stored in a bundle; absent when probabilities are the plain softmax
    unknown_threshold: Finite | None = None
    several_threshold: Finite | None = None
    # The unknown score of each row, none where it could not be computed; without them it is the energy of the logits.
    unknown_scores: tuple[Finite | None, ...] = ()
    rows: tuple[Row, ...]
    logits: Matrix | None = None  # one row per row above; absent when the rows carry scores
    # What else was run on these rows (baselines, the fp32 model): name -> a label per row.
    predicted: dict[Id, tuple[Id, ...]] = Field(default_factory=dict)
    latency_ms: tuple[Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)], ...] = ()
    measurements: dict[Id, dict[str, Any]] = Field(
        default_factory=dict
    )  # as printed; recomputed from the rows at every judgement
    facts: dict[str, Any] = Field(default_factory=dict)  # recipe, machine, library versions

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.logits is not None and self.logits.shape[0] != len(self.rows):
            raise ValueError(f"{len(self.rows)} rows need as many rows of logits, got {self.logits.shape[0]}")
        if self.logits is None and any(row.score is None for row in self.rows):
            raise ValueError("rows without logits must each carry a score")
        if len(self.unknown_scores) not in {0, len(self.rows)}:
            raise ValueError(f"{len(self.rows)} rows need as many unknown scores, got {len(self.unknown_scores)}")
        for name, labels in self.predicted.items():
            if len(labels) != len(self.rows):
                raise ValueError(f"predicted.{name} must have {len(self.rows)} labels, got {len(labels)}")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values; digests and what else was computed of the old ones are not kept."""
        made = super().model_copy(update=update, deep=deep)
        for name in made.__dict__.keys() - type(self).model_fields.keys():
            del made.__dict__[name]
        return made

    def only(self, kept: Sequence[int]) -> Self:
        """Return the receipt with the rows at these places alone."""
        changed: dict[str, Any] = {
            "rows": tuple(self.rows[i] for i in kept),
            "predicted": {name: tuple(labels[i] for i in kept) for name, labels in self.predicted.items()},
        }
        if self.logits is not None:
            changed["logits"] = Matrix.of(self.logits.array[list(kept)])
        if self.unknown_scores:
            changed["unknown_scores"] = tuple(self.unknown_scores[i] for i in kept)
        if len(self.latency_ms) == len(self.rows):
            changed["latency_ms"] = tuple(self.latency_ms[i] for i in kept)
        return self.model_copy(update=changed)

    @cached_property
    def parsed_contract(self) -> Contract:
        """The contract inside.

        Raises:
            InputError: it is none.
        """
        try:
            contract = Contract.from_json(self.contract)
        except (ValidationError, TypeError, ValueError, KeyError) as error:
            problem = Problem("receipt", "contract", "a contract", str(error)[:300])
            raise InputError("the receipt's contract does not read", [problem]) from error
        problems = [
            Problem("receipt", ".".join(map(str, ("contract", *path))), *said) for path, said in disagreements(contract)
        ]
        if problems:
            raise InputError("the receipt's contract contradicts itself", problems)
        return contract

    def to_bytes(self) -> bytes:
        """Return canonical JSON with the digest of everything else under ``digest``."""
        body = self._body()
        return canonical({**body, "digest": digest(canonical(body))})

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical receipt."""
        return digest(canonical(self._body()))

    @cached_property
    def evaluation_set(self) -> str:
        """Digest of the rows it was measured on: which they are, their right labels and slices, in any order."""
        return digest(canonical(sorted([row.id, list(row.labels), row.slice or ""] for row in self.rows)))

    @cached_property
    def row_ids(self) -> str:
        """Digest of which rows of which router it was measured on, whatever is said about them."""
        return digest(canonical([self.parsed_contract.name, sorted(row.id for row in self.rows)]))

    def _body(self) -> dict[str, Any]:
        """Return the stored form; a field from after the first receipts is left out where it says nothing."""
        body = _told(self.model_dump(mode="json", exclude_none=True))
        return {**body, "rows": [_told(row) for row in body["rows"]]}

    @classmethod
    def from_bytes(cls, data: bytes, *, where: str) -> tuple[Self, str | None]:
        """Read a receipt.

        Returns:
            The receipt, and the digest its file claims; the caller compares it with ``digest``.

        Raises:
            InputError: the bytes are no receipt of this version, with every problem.
        """
        body = read_json(data, where=where)
        if not isinstance(body, dict) or "receipt" not in body:
            raise InputError(f"{where} is not a receipt", [Problem(where, "receipt", "1", "nothing")])
        if body["receipt"] != 1 or body["receipt"] is True:
            raise InputError(
                f"{where} is a receipt of another version", [Problem(where, "receipt", "1", repr(body["receipt"]))]
            )
        claimed = body.pop("digest", None)
        try:
            return cls.model_validate(body), claimed if isinstance(claimed, str) else None
        except ValidationError as error:
            problems = [
                Problem(where, ".".join(map(str, item["loc"])), item["msg"], repr(item["input"])[:80])
                for item in error.errors(include_url=False)
            ]
            raise InputError(f"{where} is not a receipt", problems) from error


def _told(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in LATER or value}
