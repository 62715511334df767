"""A bundle with a model of DistilBERT's size and random weights, to time what a larger encoder costs.

python bench/larger.py BUNDLE FOLDER    # everything but the model, its detector and its golden messages is BUNDLE's
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from interlock.bundle import layout
from interlock.bundle.open import open_bundle
from interlock.bundle.pack import pack
from interlock.bundle.parts import Golden, detector_bytes, golden_bytes, remembered
from interlock.core.canonical import digest
from interlock.core.receipt import Receipt
from interlock.predict.detectors import UnknownGate
from interlock.predict.encoder import OnnxEncoder
from interlock.train.compact import compact

TEXTS = ("where is my order", "set an alarm for six", " ")


def larger_bundle(like: Path, folder: Path) -> Path:
    """Write the bundle at ``folder`` and return it."""
    bundle = open_bundle(like)
    files = {name: data for name, data in bundle.verified.files.items() if name != layout.NEIGHBOURS}
    files.pop(layout.SIGNATURE, None)
    files.pop(layout.MANIFEST, None)
    graph = _graph(labels=len(bundle.contract.labels), words=_words(files[layout.TOKENIZER]))
    unknown = UnknownGate(1e9)  # nothing is unknown
    files |= {layout.GRAPH: graph, layout.GRAPH_INT8: graph, layout.DETECTORS: detector_bytes(unknown)}
    parts = {field: digest(files[name]) for field, name in layout.COMPONENTS.items()}
    receipt, _ = Receipt.from_bytes(files[layout.RECEIPT], where=str(like))
    files[layout.RECEIPT] = receipt.model_copy(update={"identity": {**receipt.identity, **parts}}).to_bytes()
    scorer = OnnxEncoder(
        graph=graph,
        tokenizer=files[layout.TOKENIZER],
        labels=len(bundle.contract.labels),
        max_tokens=bundle.contract.input.max_tokens,
    )
    predictor = replace(bundle.predictor, scorer=scorer, unknown=unknown, several=None, bundle_digest=None)
    traces = [(text, predictor.trace(text)) for text in TEXTS]
    golden = [
        Golden(text, remembered(trace.decision), () if trace.logits is None else tuple(map(float, trace.logits)))
        for text, trace in traces
    ]
    files[layout.GOLDEN] = golden_bytes(golden)
    pack(files, folder, name="larger", created="2026-01-01T00:00:00Z", identity={})
    open_bundle(folder)
    return folder


def _words(tokenizer: bytes) -> int:
    return int(Tokenizer.from_buffer(tokenizer).get_vocab_size())


def _graph(*, labels: int, words: int) -> bytes:
    torch.manual_seed(1)
    config = DistilBertConfig(vocab_size=words, num_labels=labels)
    model = DistilBertForSequenceClassification(config).eval()
    linears = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    made = compact(model, {one: torch.ones(one.in_features) for one in linears})
    return bytes(made.SerializeToString())


if __name__ == "__main__":
    print(larger_bundle(Path(sys.argv[1]), Path(sys.argv[2])))
