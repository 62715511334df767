"""Weights and settings looked at before anything loads them: only numbers and known operators. Knows no disk.

ONNX is read field by field here (github.com/onnx/onnx, onnx.proto; protobuf.dev, encoding), because the library that
reads it belongs to training, and because ONNX Runtime would follow external data and other formats by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize

from interlock.bundle.layout import WEIGHTS
from interlock.core.canonical import read_json
from interlock.core.errors import InputError, Problem, RefusedError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # protobuf wire types; groups have no place in ONNX
Value = int | memoryview

MODEL_GRAPH, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 20, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 4, 5, 7
ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS = 5, 10
ATTRIBUTE_NESTED = {6: "a graph", 11: "graphs", 22: "a sparse tensor", 23: "sparse tensors"}
TENSOR_TYPE, TENSOR_FLOATS, TENSOR_RAW, TENSOR_DOUBLES, TENSOR_EXTERNAL, TENSOR_LOCATION = 2, 4, 9, 10, 13, 14

FLOAT, FLOAT16, DOUBLE, BFLOAT16 = 1, 10, 11, 16
INTEGERS = {2, 3, 4, 5, 6, 7, 9, 12, 13, 21, 22}  # all widths, and bool
FLOATS = {FLOAT: "<f4", FLOAT16: "<f2", DOUBLE: "<f8"}
SAFE_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
SAFE_INTEGERS = {"I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"}

OWN_DOMAINS = {"", "ai.onnx"}
FUSED = {  # what quantisers and optimisers put in place of standard operators, all inside ONNX Runtime itself
    "Attention",
    "BiasGelu",
    "DequantizeLinear",
    "DynamicQuantizeMatMul",
    "EmbedLayerNormalization",
    "FastGelu",
    "FusedMatMul",
    "Gelu",
    "MatMulIntegerToFloat",
    "MatMulNBits",
    "MultiHeadAttention",
    "QAttention",
    "QEmbedLayerNormalization",
    "QGemm",
    "QuantizeLinear",
    "QuickGelu",
    "SkipLayerNormalization",
}
SETTINGS = "config.json"  # and tokenizer_config.json: what transformers reads before anything else
RUNS = {"auto_map", "chat_template", "custom_generate", "custom_pipelines", "trust_remote_code"}  # keys that name code


def check_weights(files: Mapping[str, bytes]) -> None:
    """Refuse weights and settings that hold anything but finite numbers and operators of ONNX Runtime itself.

    Raises:
        RefusedError: external data, nested graphs, functions, operators of others, another format under the same name,
            a number that is not finite, settings that name code. Names every file.
    """
    problems = [
        Problem(name, "", "finite weights and known operators", why)
        for name, data in files.items()
        if name.endswith(WEIGHTS)
        for why in _unsafe_weights(name, data)
    ]
    problems += [
        Problem(name, "", "settings that name no code", why)
        for name, data in files.items()
        if name.endswith(SETTINGS)
        for why in _unsafe_settings(data)
    ]
    if problems:
        raise RefusedError("the bundle holds what a bundle must not", problems)


def _unsafe_weights(name: str, data: bytes) -> Iterator[str]:
    try:
        yield from sorted(set(_unsafe_graph(data) if name.endswith(".onnx") else _unsafe_tensors(data)))
    except (ValueError, SafetensorError, InputError) as error:
        yield f"what does not read: {error}"


def _unsafe_settings(data: bytes) -> Iterator[str]:
    named: set[str] = set()

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        named.update(key for key, _ in pairs if key in RUNS)  # pairs, so that a key given twice cannot hide one
        return dict(pairs)

    try:
        json.loads(data, object_pairs_hook=look)
    except (ValueError, RecursionError) as error:
        yield f"what is no JSON: {str(error)[:200]}"
    yield from sorted(named)


def _unsafe_tensors(data: bytes) -> Iterator[str]:
    read_json(data[8 : 8 + int.from_bytes(data[:8], "little")], where="header")  # the library takes a tensor twice
    for name, tensor in deserialize(data):  # type: ignore[no-untyped-call]
        kind, raw = tensor["dtype"], tensor["data"]
        if kind == "BF16":
            finite = _finite(_widened(raw), "<f4")
        elif kind in SAFE_FLOATS:
            finite = _finite(raw, SAFE_FLOATS[kind])
        else:
            finite = kind in SAFE_INTEGERS
        if not finite:
            yield f"{name[:100]}: {kind}, not all finite"


def _unsafe_graph(data: bytes) -> Iterator[str]:
    if data[4:8] == b"ORTM":
        yield "ONNX Runtime's own format"  # it would be loaded as such, whatever else the bytes read as
    graphs = 0
    for number, value in _fields(memoryview(data)):
        if number == MODEL_GRAPH:
            graphs += 1
            yield from _graph(_message(value))
        elif number in {MODEL_FUNCTIONS, MODEL_TRAINING}:
            yield "functions or training steps"
    if graphs != 1:
        yield f"{graphs} graphs"


def _graph(data: memoryview) -> Iterator[str]:
    for number, value in _fields(data):
        if number == GRAPH_NODE:
            yield from _node(_message(value))
        elif number == GRAPH_INITIALIZER:
            yield from _tensor(_message(value))
        elif number == GRAPH_SPARSE:
            yield "a sparse tensor"


def _node(data: memoryview) -> Iterator[str]:
    operator, domain = "", ""
    for number, value in _fields(data):
        if number == NODE_OPERATOR:
            operator = bytes(_message(value)).decode()
        elif number == NODE_DOMAIN:
            domain = bytes(_message(value)).decode()
        elif number == NODE_ATTRIBUTE:
            yield from _attribute(_message(value))
    if domain not in OWN_DOMAINS and not (domain == "com.microsoft" and operator in FUSED):
        yield f"the operator {domain[:50]}.{operator[:50]}"


def _attribute(data: memoryview) -> Iterator[str]:
    for number, value in _fields(data):
        if number in {ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS}:
            yield from _tensor(_message(value))
        elif number in ATTRIBUTE_NESTED:
            yield f"an operator that holds {ATTRIBUTE_NESTED[number]}"


def _tensor(data: memoryview) -> Iterator[str]:
    kind, raws = 0, []
    for number, value in _fields(data):
        if number == TENSOR_TYPE:
            kind = value if isinstance(value, int) else 0
        elif number == TENSOR_EXTERNAL or (number == TENSOR_LOCATION and value != 0):
            yield "external data"
        elif number == TENSOR_RAW:
            raws.append(_message(value))
        elif number in {TENSOR_FLOATS, TENSOR_DOUBLES} and not _finite(
            _message(value), "<f4" if number == TENSOR_FLOATS else "<f8"
        ):
            yield "a weight that is not finite"
    if kind in FLOATS or kind == BFLOAT16:
        for raw in raws:
            if not _finite(_widened(raw) if kind == BFLOAT16 else raw, FLOATS.get(kind, "<f4")):
                yield "a weight that is not finite"
    elif kind not in INTEGERS:
        yield f"a tensor of type {kind}"


def _widened(raw: Any) -> memoryview:
    """Return bfloat16 numbers as float32: they are its upper half."""
    return memoryview((np.frombuffer(raw, dtype="<u2").astype("<u4") << np.uint32(16)).tobytes())


def _finite(raw: Any, kind: str) -> bool:
    return bool(np.isfinite(np.frombuffer(raw, dtype=kind)).all())


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")  # noqa: TRY004 - the file's fault, not the caller's
    return value


def _fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield every field of a protobuf message: its number, and its integer or its bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0 or kind not in {VARINT, FIXED64, BYTES, FIXED32}:
            raise ValueError("no protobuf message")
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        size, at = _varint(data, at) if kind == BYTES else (8 if kind == FIXED64 else 4, at)
        if size > len(data) - at:
            raise ValueError("a protobuf message that ends too early")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("a protobuf message that ends too early")
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says more follow
            return value, at
    raise ValueError("a number of more than ten bytes")
