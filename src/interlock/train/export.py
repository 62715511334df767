"""A fine-tuned torch model to one self-contained ONNX graph, and its int8 form. Knows no bundles."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from interlock.predict.encoder import FEATURES, LOGITS
from interlock.train.fit import Fitted
from interlock.train.model import features_of, last_linear


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


def quantize(source: Path, target: Path) -> None:
    """Write the dynamic int8 form of a graph: weights per output channel, activations per message."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(source)
    del model.graph.value_info[:]  # recorded shapes contradict the ones the quantizer infers
    with _quiet("root"):
        quantize_dynamic(
            model, target, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gemm"]
        )


class _quiet:  # noqa: N801 - used like a function
    """Keep the named loggers at errors while the context is open."""

    def __init__(self, *names: str) -> None:
        self._loggers = [logging.getLogger(name) for name in names]
        self._levels = [logger.level for logger in self._loggers]

    def __enter__(self) -> None:
        for logger in self._loggers:
            logger.setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        for logger, level in zip(self._loggers, self._levels, strict=True):
            logger.setLevel(level)
