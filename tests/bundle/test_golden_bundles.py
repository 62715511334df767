"""A bundle of every format there was still opens, with its signatures, and decides as it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.build import Built
from interlock.bundle.layout import FORMAT
from interlock.bundle.open import open_bundle
from interlock.bundle.read import read_verified
from interlock.gate.judge import judge

FOLDER = Path(__file__).parents[1] / "golden" / "bundles"
DIGESTS = {1: "sha256:6fce1cea5d6c073769f10cef9f79ad999fa13d96fe2f725c2df66668d33be6bd"}


def test_there_is_one_of_every_format() -> None:
    assert sorted(int(path.name) for path in FOLDER.iterdir() if path.is_dir()) == list(range(1, FORMAT + 1))
    assert set(DIGESTS) == set(range(1, FORMAT + 1))


@pytest.mark.parametrize("version", DIGESTS)
def test_it_opens_and_decides_as_it_did(version: int) -> None:
    folder = FOLDER / str(version)
    assert read_verified(folder).digest == DIGESTS[version]
    bundle = open_bundle(folder, FOLDER / f"{version}.trust.json")

    assert bundle.signed == "approver approver, builder builder"
    assert [bundle.decide(text).label for text in ("yes sure", "no never")] == ["yes", "no"]
    assert bundle.decide(" ").outcome == "blocked"
    receipt, claimed = bundle.evidence()
    assert judge(receipt, claimed_digest=claimed).eligible  # no digest of what it holds has changed its meaning
    assert bundle.components().items() <= receipt.identity.items()


def test_a_receipt_names_every_part_that_serves_and_where_it_was_made(built: Built) -> None:
    identity = built.receipt.identity

    assert built.bundle.components().items() <= identity.items()
    for field in (
        "dataset_digest",
        "split_manifest_digest",
        "model_digest",
        "input_policy_digest",
        "environment_digest",
    ):
        assert identity[field].startswith("sha256:")
    for field in ("label_version", "input_policy_version", "code_version", "seed"):
        assert identity[field]
    environment = built.receipt.facts["environment"]
    assert {"python", "machine", "processor", "cores", "libraries", "determinism"} <= set(environment)
    assert {"numpy", "onnxruntime", "torch", "tokenizers"} <= set(environment["libraries"])
