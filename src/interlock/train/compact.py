"""A fine-tuned BERT or DistilBERT as a graph of few large operators, for messages without padding. Knows no files.

The exporter's graph spends as long on small operators (shapes, transposes, masks) as on its matrix products. Here a
layer is some fifteen operators, and there is no attention mask: all rows of a batch have equally many tokens.

With int8 weights, most products take activations in 8 bits with one scale for the message; before that, inputs are
brought to like reach channel by channel, which the weights undo (Xiao et al. 2023, SmoothQuant). The last product of a
layer, whose weights bear that badly, has a scale for each token and each block of channels instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from interlock.predict.encoder import FEATURES, LOGITS
from interlock.train.mean_pooling import EPSILON, SCALE, WEIGHT, MeanPooled

OPSET, IR, FUSED = 18, 9, "com.microsoft"  # the domain of ONNX Runtime's own operators
FAMILIES = ("BertForSequenceClassification", "DistilBertForSequenceClassification")
STRENGTH = 0.6  # exponent of a channel's reach in its scale: 0 leaves inputs as they are, 1 makes all reach alike
BLOCK = 128  # channels with one scale in a layer's last product

Array = npt.NDArray[Any]
Reach = Mapping[torch.nn.Module, torch.Tensor]  # linear layer -> (d,) the largest magnitude of each of its inputs


def writable(model: Any) -> bool:
    """Whether ``model`` is of a family that is written here."""
    inner = model.base if isinstance(model, MeanPooled) else model
    config = inner.config.to_dict()
    plain = config.get("position_embedding_type") in {None, "absolute"} and not config.get("is_decoder")
    activation = config.get("activation") or config.get("hidden_act")
    return type(inner).__name__ in FAMILIES and activation == "gelu" and plain


def compact(model: Any, reach: Reach | None = None) -> onnx.ModelProto:
    """Return the graph of ``model``: token ids (batch, tokens) to ``logits`` (batch, k) and ``features`` (batch, d).

    Args:
        model: one that is ``writable``.
        reach: how far the inputs of every linear layer reach; the weights are int8 then, without it fp32.
    """
    inner = model.base if isinstance(model, MeanPooled) else model
    graph = _Graph(reach)
    bert = hasattr(inner, "bert")
    body = inner.bert if bert else inner.distilbert
    hidden = _embedded(graph, body.embeddings)
    layers = list(body.encoder.layer if bert else body.transformer.layer)
    for layer in layers:
        parts = _bert_parts(layer) if bert else _distilbert_parts(layer)
        alone = layer is layers[-1] and not isinstance(model, MeanPooled)  # then nothing reads the other tokens
        hidden = _layer(graph, hidden, parts, heads=inner.config.num_attention_heads, first_alone=alone)
    if isinstance(model, MeanPooled):
        features = _mean_pooled(graph, hidden, inner.config)
    else:
        features = _first(graph, hidden, inner)
    graph.node("Identity", [features], name=FEATURES)
    graph.linear(features, inner.classifier, name=LOGITS)
    return graph.model(labels=inner.config.num_labels, features=inner.classifier.in_features)


class _Graph:
    """Operators and weights as they are collected."""

    def __init__(self, reach: Reach | None) -> None:
        self.reach = reach
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        *,
        name: str = "",
        domain: str = "",
        outs: int = 1,
        **attributes: Any,
    ) -> str:
        """Add an operator; return the name of its first output, the others have ``.1``, ``.2`` behind it."""
        name = name or f"n{len(self._nodes)}"
        names = [name, *(f"{name}.{number}" for number in range(1, outs))]
        self._nodes.append(helper.make_node(operator, inputs, names, name=name, domain=domain, **attributes))
        return name

    def weight(self, value: torch.Tensor | Array) -> str:
        array = value.detach().float().contiguous().numpy() if isinstance(value, torch.Tensor) else value
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def linear(self, given: str, linear: torch.nn.Linear, *, name: str = "") -> str:
        """Apply a linear layer to (batch, d), in fp32."""
        return self.node("Gemm", [given, self.weight(linear.weight), self.weight(linear.bias)], name=name, transB=1)

    def products(self, given: str, weights: Sequence[Array], biases: Sequence[Array]) -> list[str]:
        """Multiply (batch, tokens, d) by each of ``weights``, (d, wide), and add its bias."""
        if self.reach is None:
            found = [self.node("MatMul", [given, self.weight(one)]) for one in weights]
            return [self.node("Add", [one, self.weight(bias)]) for one, bias in zip(found, biases, strict=True)]
        small = self.node("DynamicQuantizeLinear", [given], outs=3)
        out = []
        for one, bias in zip(weights, biases, strict=True):
            scale = _scale(one, axis=0)
            whole = self.weight(np.rint(one / scale).astype(np.int8))
            inputs = [small, whole, f"{small}.1", self.weight(scale), f"{small}.2", "", self.weight(bias)]
            out.append(self.node("MatMulIntegerToFloat", inputs, domain=FUSED))
        return out

    def blockwise(self, given: str, linear: torch.nn.Linear) -> str:
        """Apply a linear layer to (batch, tokens, d), with a scale for every token and block of channels."""
        if self.reach is None:
            return self.products(given, [_array(linear.weight.T)], [_array(linear.bias)])[0]
        weight = _array(linear.weight)
        wide, deep = weight.shape
        blocks = np.pad(weight, ((0, 0), (0, -deep % BLOCK))).reshape(wide, -1, BLOCK)
        scale = _scale(blocks, axis=2)
        whole = self.weight((np.rint(blocks / scale[..., None]) + 128).astype(np.uint8))  # 128 stands for 0
        inputs = [given, whole, self.weight(scale), "", "", self.weight(linear.bias)]
        sizes = {"K": deep, "N": wide, "bits": 8, "block_size": BLOCK, "accuracy_level": 4}  # 4: int8 activations
        return self.node("MatMulNBits", inputs, domain=FUSED, **sizes)

    def model(self, *, labels: int, features: int) -> onnx.ModelProto:
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
            for name, size in ((LOGITS, labels), (FEATURES, features))
        ]
        made = helper.make_graph(self._nodes, "router", [ids], outputs, self._weights)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
        return helper.make_model(made, opset_imports=opsets, ir_version=IR, producer_name="interlock")


def _array(tensor: torch.Tensor) -> Array:
    return tensor.detach().float().contiguous().numpy()


def _scale(weight: Array, *, axis: int) -> Array:
    """Return what one step of an 8-bit weight means, over ``axis``; 1 where all are zero."""
    most = np.abs(weight).max(axis=axis)
    return np.where(most > 0, most / 127, 1).astype(np.float32)


def _spread(graph: _Graph, linear: torch.nn.Linear) -> Array:
    """Return what to divide each input of ``linear`` by, (d,): a power of two, so that dividing is exact."""
    if graph.reach is None:
        return np.ones(linear.in_features, dtype=np.float32)
    reach = graph.reach[linear].clamp_min(1e-3).log2()
    return _array(torch.exp2(torch.round(STRENGTH * (reach - reach.mean()))))


def _embedded(graph: _Graph, embeddings: Any) -> str:
    words = embeddings.word_embeddings.weight
    if hasattr(embeddings, "token_type_embeddings"):
        words = words + embeddings.token_type_embeddings.weight[0]
    tokens = graph.node("Gather", [graph.weight(words), "input_ids"])
    count = graph.node("Shape", ["input_ids"], start=1, end=2)
    begin = graph.weight(np.zeros(1, dtype=np.int64))
    positions = graph.node("Slice", [graph.weight(embeddings.position_embeddings.weight), begin, count])
    return _normal(graph, tokens, positions, embeddings.LayerNorm)


def _normal(graph: _Graph, given: str, skip: str, norm: Any) -> str:
    added = graph.node("Sum", [given, skip])  # not Add, which ONNX Runtime would join to the norm, at half the speed
    inputs = [added, graph.weight(norm.weight), graph.weight(norm.bias)]
    return graph.node("LayerNormalization", inputs, epsilon=norm.eps)


def _bert_parts(layer: Any) -> tuple[Any, ...]:
    own, out = layer.attention.self, layer.attention.output
    first = (own.query, own.key, own.value, out.dense, out.LayerNorm)
    return (*first, layer.intermediate.dense, layer.output.dense, layer.output.LayerNorm)


def _distilbert_parts(layer: Any) -> tuple[Any, ...]:
    own, wide = layer.attention, layer.ffn
    first = (own.q_lin, own.k_lin, own.v_lin, own.out_lin, layer.sa_layer_norm)
    return (*first, wide.lin1, wide.lin2, layer.output_layer_norm)


def _layer(graph: _Graph, hidden: str, parts: tuple[Any, ...], *, heads: int, first_alone: bool) -> str:
    """Return a layer's output; with ``first_alone`` only that of the first token, (batch, 1, d)."""
    query, key, value, out, norm, up, down, last_norm = parts
    mixed = _spread(graph, out)  # undone by the weights that make the values, so that nothing is left to do here
    if first_alone:
        products = _spreading(graph, hidden, (key, value), divide=mixed)
        hidden = _token(graph, hidden, kept=True)
        products = [*_spreading(graph, hidden, (query,)), *products]
    else:
        products = _spreading(graph, hidden, (query, key, value), divide=mixed)
    attended = graph.node("MultiHeadAttention", products, domain=FUSED, num_heads=heads)
    out_weight = _array(out.weight.T) * mixed[:, None]
    hidden = _normal(graph, graph.products(attended, [out_weight], [_array(out.bias)])[0], hidden, norm)
    wide = graph.node("Gelu", _spreading(graph, hidden, (up,)), domain=FUSED)
    return _normal(graph, graph.blockwise(wide, down), hidden, last_norm)


def _spreading(graph: _Graph, given: str, linears: Sequence[torch.nn.Linear], divide: Array | None = None) -> list[str]:
    """Apply linear layers to inputs brought to like reach; the last one's outputs are divided by ``divide``."""
    spread = _spread(graph, linears[0])
    if graph.reach is not None:
        given = graph.node("Mul", [given, graph.weight(1 / spread)])
    weights = [_array(one.weight.T) * spread[:, None] for one in linears]
    biases = [_array(one.bias) for one in linears]
    if divide is not None:
        weights[-1], biases[-1] = weights[-1] / divide, biases[-1] / divide
    return graph.products(given, weights, biases)


def _first(graph: _Graph, hidden: str, model: Any) -> str:
    """Return what the standard heads make of the first token."""
    token = _token(graph, hidden)
    if hasattr(model, "bert"):
        return graph.node("Tanh", [graph.linear(token, model.bert.pooler.dense)])
    return graph.node("Relu", [graph.linear(token, model.pre_classifier)])


def _token(graph: _Graph, hidden: str, *, kept: bool = False) -> str:
    """Return the first token's vector, (batch, d), or (batch, 1, d) where its axis is to be ``kept``."""
    return graph.node("Gather", [hidden, graph.weight(np.array([0] if kept else 0, dtype=np.int64))], axis=1)


def _mean_pooled(graph: _Graph, hidden: str, config: Any) -> str:
    """Return what ``MeanPooled`` makes of all tokens."""
    mean = graph.node("ReduceMean", [hidden, graph.weight(np.array([1], dtype=np.int64))], keepdims=0)
    heavy = graph.node("Mul", [mean, graph.weight(np.array(WEIGHT, np.float32))])
    summed = graph.node("Add", [_token(graph, hidden), heavy])
    size = config.hidden_size
    inputs = [summed, graph.weight(np.ones(size, np.float32)), graph.weight(np.zeros(size, np.float32))]
    normal = graph.node("LayerNormalization", inputs, epsilon=EPSILON)
    return graph.node("Tanh", [graph.node("Mul", [normal, graph.weight(np.array(SCALE, np.float32))])])
