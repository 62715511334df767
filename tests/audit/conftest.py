"""Rows without a defect, and the audit of whatever a test plants in them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.core.contract import Contract
from interlock.core.dataset import Example
from interlock.data.audit.run import Audit, examine

SUBJECTS = {
    "billing": ("invoice", "charge", "bill", "payment", "fee", "statement", "balance", "amount", "tax", "receipt"),
    "cooking": ("recipe", "oven", "butter", "sugar", "flour", "boil", "bake", "salt", "kitchen", "dinner"),
    "music": ("song", "guitar", "band", "album", "concert", "melody", "singer", "piano", "drum", "chorus"),
    "travel": ("flight", "hotel", "train", "ticket", "airport", "seat", "luggage", "boarding", "trip", "visa"),
}
FILLER = ("please", "can", "you", "tell", "me", "about", "the", "my", "for", "this", "now", "again", "soon", "maybe")

Look = Callable[..., Audit]
Make = Callable[..., list[Example]]


@pytest.fixture(scope="session")
def make() -> Make:
    """Rows of four plain subjects, none near another."""

    def call(count: int = 400, *, seed: int = 3) -> list[Example]:
        chance = random.Random(seed)
        rows = []
        for number in range(count):
            label = sorted(SUBJECTS)[number % len(SUBJECTS)]
            words = [*chance.sample(SUBJECTS[label], 5), *chance.sample(FILLER, 5)]
            chance.shuffle(words)
            rows.append(Example(f"r{number:04d}", " ".join(words), (label,)))
        return rows

    return call


@pytest.fixture(scope="session")
def terms() -> Callable[..., Contract]:
    """A contract of any labels, each defined."""

    def call(*labels: str, critical: tuple[str, ...] = (), **more: object) -> Contract:
        names = labels or tuple(SUBJECTS)
        specs = {name: {"route": "there", "means": "so", "critical": name in critical} for name in names}
        return Contract.model_validate({"contract": 1, "name": "c", "label_version": "v1", "labels": specs, **more})

    return call


@pytest.fixture(scope="session")
def look(terms: Callable[..., Contract]) -> Look:
    """Audit rows; by part when parts are named."""

    def call(train: list[Example], *, contract: Contract | None = None, **later: list[Example]) -> Audit:
        return examine({"train": train, **later}, contract=contract or terms())  # type: ignore[dict-item]

    return call


@pytest.fixture(scope="session")
def clean(look: Look, make: Make) -> Audit:
    """The audit of rows without a defect."""
    return look(make())


@pytest.fixture(scope="session")
def public() -> Path:
    """The folder of the public datasets; the longer proofs that need it are skipped without."""
    folder = Path(os.environ.get("INTERLOCK_DATA", ""))
    if not all((folder / name / "train.jsonl").is_file() for name in ("clinc150", "banking77")):
        pytest.skip("set INTERLOCK_DATA to the folder of the public datasets")
    return folder
