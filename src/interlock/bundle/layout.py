"""Which files a bundle has, and the version of that layout. Knows no contents."""

from __future__ import annotations

FORMAT = 1
"""Version of the bundle layout.

How to raise it stands in ``docs/decisions/0030-raising-the-bundle-format.md``; ``tests/golden/bundles`` has a bundle of
every format. A bundle of a newer format than this is refused with a message that says to upgrade.
"""

MANIFEST = "manifest.json"
SIGNATURE = "signature.json"  # over the manifest, so it cannot be listed in it
CONTRACT = "contract.yaml"
GRAPH = "model.onnx"
GRAPH_INT8 = "model.int8.onnx"
TOKENIZER = "model/tokenizer.json"
CALIBRATOR = "calibrator.json"
DETECTORS = "detectors.safetensors"
NEIGHBOURS = "neighbours.safetensors"  # training rows to compare messages with; a bundle may do without
POLICY = "policy.json"
RECEIPT = "receipt.json"
GOLDEN = "golden.jsonl"
CARD = "card.md"
LABEL_GUIDE = "label_guide.md"
DATA_CARD = "data_card.md"

REQUIRED = (
    CONTRACT,
    GRAPH,
    GRAPH_INT8,
    TOKENIZER,
    CALIBRATOR,
    DETECTORS,
    POLICY,
    RECEIPT,
    GOLDEN,
    CARD,
    LABEL_GUIDE,
    DATA_CARD,
)
MODEL_FILES = (  # what a Hugging Face directory may hold here: weights and text, nothing that runs
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
)
ALLOWED = frozenset((*REQUIRED, NEIGHBOURS, *(f"model/{name}" for name in MODEL_FILES)))

COMPONENTS = {  # what a receipt's identity calls the digest of a file
    "graph_digest": GRAPH,
    "graph_int8_digest": GRAPH_INT8,
    "tokenizer_digest": TOKENIZER,
    "calibrator_digest": CALIBRATOR,
    "detectors_digest": DETECTORS,
}

MAX_MANIFEST_BYTES = 1_000_000
MAX_SIGNATURE_BYTES = 2_000_000  # the manifest in base64, and a hundred signatures
WEIGHTS = (".onnx", ".safetensors")
MAX_WEIGHT_BYTES = 2**31 - 1  # what one protobuf message can hold
MAX_TEXT_BYTES = 256_000_000  # a receipt of a million rows
MAX_BUNDLE_BYTES = 6_000_000_000  # all of it is in memory once


def most_bytes(name: str) -> int:
    """Return how large a listed file may be."""
    return MAX_WEIGHT_BYTES if name.endswith(WEIGHTS) else MAX_TEXT_BYTES
