"""A fine-tuned torch model to one self-contained ONNX graph, and its int8 form. Knows no bundles."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from interlock.core.contract import InputPolicy
from interlock.core.dataset import Dataset
from interlock.predict.encoder import FEATURES, LOGITS
from interlock.train.compact import BLOCK, Reach, compact, writable
from interlock.train.fit import Fitted
from interlock.train.model import features_of, last_linear
from interlock.train.rows import encode_rows

SHOWN = 128  # messages whose activations say how far a layer's inputs reach


class _WithFeatures(torch.nn.Module):
    """The model with what its last layer sees as a second output."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.head = last_linear(model)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with features_of(self.head) as seen:
            logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits, seen[0]


def export(fitted: Fitted, path: Path) -> None:
    """Write the fp32 graph: token ids and attention mask (batch, tokens) to ``logits`` and ``features``."""
    wrapped = _WithFeatures(fitted.model).eval()
    example = (torch.tensor([[1, 2, 3, 4], [1, 2, 3, 4]]), torch.ones(2, 4, dtype=torch.long))
    batch, tokens = torch.export.Dim("batch"), torch.export.Dim("tokens")
    with warnings.catch_warnings(), _quiet("torch.onnx", "onnxscript"):
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            wrapped,
            example,
            path,
            input_names=["input_ids", "attention_mask"],
            output_names=[LOGITS, FEATURES],
            dynamic_shapes=({0: batch, 1: tokens}, {0: batch, 1: tokens}),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    _forget_origins(path)


def _forget_origins(path: Path) -> None:
    """Take out what the exporter notes of the code each operator comes from: it names folders of this machine."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")
    onnx.save(model, path)


def quantize(fitted: Fitted, rows: Dataset, policy: InputPolicy, *, source: Path, target: Path) -> None:
    """Write the int8 form of a model.

    Args:
        fitted: a BERT or a DistilBERT is written anew, with few operators (``compact``); of others, the graph at
            ``source`` keeps its operators, and its products get a scale for every token and block of channels.
        rows: some of them show how far the inputs of each layer reach; the rows the model learnt from.
        policy: how a text is prepared before the tokenizer.
        source: what ``export`` wrote.
        target: the file to write; the same bits from the same weights and rows.
    """
    import onnx

    if writable(fitted.model):
        made = compact(fitted.model, _reach(fitted, rows, policy))
    else:
        made = _by_blocks(onnx.load(source))
    onnx.save(made, target)


def _reach(fitted: Fitted, rows: Dataset, policy: InputPolicy) -> Reach:
    """Return the largest magnitude of every linear layer's inputs over messages spread evenly over ``rows``."""
    some = Dataset(rows.examples[:: max(1, len(rows) // SHOWN)][:SHOWN])
    found: dict[torch.nn.Module, torch.Tensor] = {
        module: torch.zeros(module.in_features)
        for module in fitted.model.modules()
        if isinstance(module, torch.nn.Linear)
    }

    def note(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        found[module] = torch.maximum(found[module], given[0].detach().float().abs().flatten(0, -2).amax(dim=0))

    hooks = [module.register_forward_pre_hook(note) for module in found]
    with torch.inference_mode():
        for ids in encode_rows(some, fitted.tokenizer, fitted.labels, policy).ids:  # one at a time: nothing is padded
            fitted.model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long))
    for hook in hooks:
        hook.remove()
    return found


def _by_blocks(model: Any) -> Any:
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    del model.graph.value_info[:]  # recorded shapes contradict the ones that are inferred
    with _quiet("onnxruntime.quantization.matmul_nbits_quantizer"):
        quantizer = MatMulNBitsQuantizer(model, bits=8, block_size=BLOCK, is_symmetric=True, accuracy_level=4)
        quantizer.process()
    return quantizer.model.model


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Keep the named loggers at errors while the context is open."""
    levels = {logger: logger.level for logger in map(logging.getLogger, names)}
    for logger in levels:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
