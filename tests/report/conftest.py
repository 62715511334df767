"""Receipts whose every row is written down, so that expected values are arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from interlock.core.contract import Contract
from interlock.core.contract_file import parse_contract
from interlock.core.dataset import Dataset, Example
from interlock.core.receipt import Matrix, Receipt, Row
from interlock.gate.derive import Derived, measurements
from interlock.report.evaluation import Evaluation
from interlock.report.view import View

CONTRACT = """\
contract: 1
name: shop
label_version: shop-v1
labels: {order: {route: tracking}, refund: {route: returns, critical: true}, hello: {route: smalltalk}}
fallback: {uncertain: assistant, failure: person}
decide: {auto: {confidence: 0.8, margin: 0.2}, guarded: {confidence: 0.55}}
costs: {levels: {low: 1, medium: 3, high: 7}, default: medium, pairs: [[refund, hello, high]]}
money: {misroute_usd: 0.3, review_usd: 0.25, monthly_messages: 1000}
slices: {critical_min_recall: {refund: 0.9}}
"""
LABELS = ("order", "refund", "hello")
Seen = tuple[str, str, float]  # gold, decided, confidence


def shop() -> Contract:
    """Return three labels with routes of their own; taking a refund for a hello costs 7, other errors 3."""
    return parse_contract(CONTRACT.encode())


def receipt_of(seen: Sequence[Seen], rows: Dataset, *, contract: Contract) -> Receipt:
    """Return the receipt of rows decided as written, the rest of the probability shared by the other labels."""
    k = len(contract.labels)
    p = np.array([[c if name == said else (1 - c) / (k - 1) for name in contract.labels] for _, said, c in seen])
    made = Receipt(
        receipt=1,
        name="shop",
        identity={"label_version": contract.label_version},
        contract=contract.to_json(),
        rows=tuple(Row(id=row.id, labels=row.labels) for row in rows),
        logits=Matrix.of(np.log(p.reshape(-1, k))),
        latency_ms=tuple([1.0] * len(rows)),
    )
    found = measurements(Derived(made))
    return made.model_copy(update={"measurements": {name: one.to_json() for name, one in found.items()}})


def rows_of(seen: Sequence[Seen], fields: Sequence[Mapping[str, Any]] = ()) -> Dataset:
    """Return the rows, with ids r0, r1, ... and texts that name them unless ``fields`` say otherwise."""
    more = [*fields, *({} for _ in range(len(seen) - len(fields)))]
    plain = [{"id": f"r{n}", "text": f"message {n}", "labels": (gold,)} for n, (gold, _, _) in enumerate(seen)]
    return Dataset(tuple(Example(**{**one, **field}) for one, field in zip(plain, more, strict=True)))


@pytest.fixture
def view_of() -> Callable[..., View]:
    """View rows as written."""

    def make(seen: Sequence[Seen], *, contract: Contract | None = None) -> View:
        rows = rows_of(seen)
        return View(Derived(receipt_of(seen, rows, contract=contract or shop())), rows.examples)

    return make


@pytest.fixture
def evaluation() -> Callable[..., Evaluation]:
    """Evaluate rows as written."""

    def make(
        seen: Sequence[Seen], fields: Sequence[Mapping[str, Any]] = (), *, contract: Contract | None = None
    ) -> Evaluation:
        rows = rows_of(seen, fields)
        derived = Derived(receipt_of(seen, rows, contract=contract or shop()))
        return Evaluation.of(derived, rows, measurements(derived))

    return make
