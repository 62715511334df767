"""Weights and settings: finite numbers, known operators, one self-contained graph, nothing that names code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save

from interlock.bundle import layout
from interlock.bundle.open import open_bundle
from interlock.bundle.weights import _fields, check_weights
from interlock.core.errors import RefusedError

Files = dict[str, bytes]
MakeGraph = Callable[..., bytes]


def nested() -> onnx.GraphProto:
    return helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "inner", [], [])


def add(model: onnx.ModelProto, operator: str, **attributes: object) -> None:
    model.graph.node.append(helper.make_node(operator, ["table"], ["spare"], **attributes))


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    tensor.ClearField("raw_data")


def external_by_name_only(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="weights.bin")


def external_constant(model: onnx.ModelProto) -> None:
    tensor = numpy_helper.from_array(np.ones(2, np.float32))
    tensor.data_location = TensorProto.EXTERNAL
    add(model, "Constant", value=tensor)


def put(model: onnx.ModelProto, value: float, *, kind: str = "raw") -> None:
    table = np.array([[1, value]], dtype=np.float32)
    if kind == "raw":
        made = numpy_helper.from_array(table, "bad")
    elif kind == "double":
        made = numpy_helper.from_array(table.astype(np.float64), "bad")
    elif kind == "half":
        made = numpy_helper.from_array(table.astype(np.float16), "bad")
    elif kind == "bfloat":
        raw = (table.view("<u4") >> np.uint32(16)).astype("<u2").tobytes()
        made = TensorProto(name="bad", data_type=TensorProto.BFLOAT16, dims=[1, 2], raw_data=raw)
    elif kind == "doubles":
        made = TensorProto(name="bad", data_type=TensorProto.DOUBLE, dims=[2], double_data=[1, value])
    else:
        made = TensorProto(name="bad", data_type=TensorProto.FLOAT, dims=[2], float_data=[1, value])
    model.graph.initializer.append(made)


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.append(onnx.SparseTensorProto(dims=[1]))


BAD: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "external data": (external, "external data"),
    "external data without a location": (external_by_name_only, "external data"),
    "external data in a constant": (external_constant, "external data"),
    "an operator of a stranger": (lambda m: add(m, "Run", domain="evil.ops"), r"evil\.ops\.Run"),
    "an operator that loads a file": (lambda m: add(m, "EPContext", domain="com.microsoft"), "EPContext"),
    "an operator of training": (lambda m: add(m, "Adam", domain="ai.onnx.preview.training"), "Adam"),
    "a loop": (lambda m: add(m, "Loop", body=nested()), "holds a graph"),
    "a branch": (lambda m: add(m, "If", then_branch=nested(), else_branch=nested()), "holds a graph"),
    "several graphs in one operator": (lambda m: add(m, "Many", graphs=[nested(), nested()]), "holds graphs"),
    "a function": (
        lambda m: m.functions.append(helper.make_function("x", "F", [], [], [], [])),
        "functions",
    ),
    "training steps": (lambda m: m.training_info.add(), "training steps"),
    "a sparse tensor": (sparse, "a sparse tensor"),
    "a tensor of text": (
        lambda m: m.graph.initializer.append(helper.make_tensor("s", TensorProto.STRING, [1], [b"x"])),
        "type 8",
    ),
    "a tensor of complex numbers": (
        lambda m: m.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.complex64), "c")),
        "type 14",
    ),
}
for value in (np.nan, np.inf, -np.inf):
    for kind in ("raw", "double", "half", "bfloat", "doubles", "floats"):
        BAD[f"{value} as {kind}"] = (lambda m, v=value, k=kind: put(m, v, kind=k), "not finite")  # type: ignore[misc]


@pytest.mark.parametrize(("change", "named"), BAD.values(), ids=BAD)
def test_a_graph_is_refused_with(
    change: Callable[[onnx.ModelProto], object], named: str, make_graph: MakeGraph
) -> None:
    with pytest.raises(RefusedError, match=named):
        check_weights({layout.GRAPH: make_graph(change=change)})


def test_a_good_graph_and_the_fused_operators_of_the_runtime_are_let_through(make_graph: MakeGraph) -> None:
    check_weights({layout.GRAPH: make_graph()})
    check_weights({layout.GRAPH: make_graph(change=lambda m: add(m, "FastGelu", domain="com.microsoft"))})
    check_weights({layout.GRAPH: make_graph(change=lambda m: put(m, 1e38, kind="floats"))})
    check_weights({layout.GRAPH: make_graph(change=lambda m: put(m, 1e38, kind="bfloat"))})


def test_external_data_is_refused_before_the_runtime_could_follow_it(
    make_graph: MakeGraph,
    make_files: Callable[..., Files],
    pack_files: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import onnxruntime

    files = {**make_files(), layout.GRAPH_INT8: make_graph(change=external)}
    loaded: list[object] = []
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *given, **options: loaded.append(given))

    with pytest.raises(RefusedError, match="external data"):
        open_bundle(pack_files(tmp_path / "b", files))
    assert loaded == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\xff" * 20,
        b"\x3a\x7f",
        b"\x3b\x3c",
        b"nothing of a graph",
        b"\x3a\x00\x3a\x00",
        b"\x38\x01",
        b"\x0a\x06\x00\x00ORTM\x3a\x00",  # reads as protobuf and as the runtime's own format
    ],
)
def test_what_is_no_graph_or_several_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError):
        check_weights({layout.GRAPH: data})


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xa0\x01\x87\x01", 135),  # a number
        (b"\xa1\x01" + bytes(8), bytes(8)),
        (b"\xa2\x01\x04" + bytes(4), bytes(4)),  # bytes that say how many they are
        (b"\xa2\x01\x00", b""),
        (b"\xa5\x01" + bytes(4), bytes(4)),
    ],
)
def test_fields_of_each_kind_are_read_and_end_where_they_end(data: bytes, value: int | bytes) -> None:
    assert list(_fields(memoryview(data + data))) == [(20, value), (20, value)]
    for size in range(1, len(data)):
        with pytest.raises(ValueError, match="too early"):
            list(_fields(memoryview(data[:size])))


@pytest.mark.parametrize("key", [b"\xa3\x01", b"\xa4\x01", b"\xa6\x01", b"\xa7\x01", b"\x02", b"\x00", b"\x05"])
def test_groups_kinds_nobody_knows_and_number_0_are_no_fields(key: bytes) -> None:
    with pytest.raises(ValueError, match="no protobuf message"):
        list(_fields(memoryview(key + bytes(8))))


def test_a_tensor_whose_kind_is_no_number_is_of_no_kind_that_can_be_looked_at() -> None:
    tensor = b"\x12\x01\x01"  # field 2, the kind, as one byte of text where the number 1 would be float32
    graph = b"\x2a" + bytes([len(tensor)]) + tensor

    with pytest.raises(RefusedError, match="a tensor of type 0"):
        check_weights({layout.GRAPH: b"\x3a" + bytes([len(graph)]) + graph})


def test_a_graph_cut_anywhere_is_refused_or_reads(make_graph: MakeGraph) -> None:
    whole = make_graph()
    for size in range(len(whole)):
        try:
            check_weights({layout.GRAPH: whole[:size]})
        except RefusedError:
            continue


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    for name in (layout.GRAPH, layout.DETECTORS, "model/config.json"):
        try:
            check_weights({name: data})
        except RefusedError:
            continue


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_tensors_that_are_not_finite_are_refused(value: float, kind: type[np.floating[np._typing.NBitBase]]) -> None:
    with pytest.raises(RefusedError, match="not all finite"):
        check_weights({layout.DETECTORS: save({"good": np.ones(3), "bad": np.array([1, value], dtype=kind)})})


def tensors(header: bytes, data: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + data


HEADERS = {
    "bfloat16 that is not finite": tensors(b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}', b"\x80\x7f"),
    "eight bit floats": tensors(b'{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', b"\x00"),
    "a tensor twice": tensors(
        b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        b"x",
    ),
    "a header that is a list": tensors(b"[]"),
    "overlapping tensors": tensors(
        b'{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        b"xyz",
    ),
    "bytes beyond the tensors": tensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"xy"),
    "a shape beyond any memory": tensors(
        b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}', b"0000"
    ),
    "a header of eight exabytes": b"\xff" * 8,
    "nesting": tensors(b'{"a":' * 10**5),
    "a pickle": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00.",
    "nothing": b"",
}


@pytest.mark.parametrize("data", HEADERS.values(), ids=HEADERS)
def test_tensors_are_refused_with(data: bytes) -> None:
    with pytest.raises(RefusedError):
        check_weights({"model/model.safetensors": data})


@pytest.mark.parametrize("kind", range(28))
def test_tensors_of_numbers_that_can_be_looked_at_are_let_through_and_no_others(
    kind: int, make_graph: MakeGraph
) -> None:
    looked_at = {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16, 21, 22}  # of onnx.TensorProto.DataType
    more = onnx.TensorProto(name="more", data_type=kind, dims=[2], raw_data=bytes(16))
    made = make_graph(change=lambda model: model.graph.initializer.append(more))

    if kind in looked_at:
        check_weights({layout.GRAPH: made})
        return
    with pytest.raises(RefusedError):
        check_weights({layout.GRAPH: made})


def test_finite_tensors_are_let_through() -> None:
    check_weights({layout.DETECTORS: save({"a": np.ones(2, np.float16), "b": np.arange(3), "c": np.zeros(0)})})
    check_weights({layout.DETECTORS: tensors(b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}', b"\x80\x3f")})


SETTINGS = {
    "code to import": b'{"auto_map": {"AutoModel": "modeling_evil.Evil"}}',
    "code to import, hidden by a second key": b'{"auto_map": {"AutoModel": "evil.E"}, "auto_map": null}',
    "code to import, further down": b'{"text_config": {"auto_map": {}}}',
    "code to import, escaped": b'{"\\u0061uto_map": {}}',
    "a chat template": b'{"chat_template": "{{ cycler.__init__ }}"}',
    "trust": b'{"trust_remote_code": true}',
    "a pipeline": b'{"custom_pipelines": {}}',
    "no JSON": b"!!python/object/apply:os.system ['id']",
    "nesting": b"[" * 10**5,
}


@pytest.mark.parametrize("data", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("name", ["model/config.json", "model/tokenizer_config.json"])
def test_settings_are_refused_with(name: str, data: bytes) -> None:
    with pytest.raises(RefusedError, match=name):
        check_weights({name: data})


def test_usual_settings_are_let_through() -> None:
    usual = {"model_max_length": 10**30, "architectures": ["BertModel"], "id2label": {"0": "auto_map"}}
    check_weights({"model/config.json": json.dumps(usual).encode()})


PERMUTED = {
    "a head of zeros": np.zeros((6, 2), np.float32),
    "a head with its labels exchanged": np.array([[0, 0], [-3, 3], [-2, 2], [3, -3], [2, -2], [0, 0.1]], np.float32),
    "one weight a little off": np.array([[0, 0], [3.001, -3], [2, -2], [-3, 3], [-2, 2], [0.1, 0]], np.float32),
    "one weight enormous": np.array([[0, 0], [1e38, -3], [2, -2], [-3, 3], [-2, 2], [0.1, 0]], np.float32),
}


@pytest.mark.parametrize("table", PERMUTED.values(), ids=PERMUTED)
def test_other_weights_under_a_right_manifest_do_not_repeat_the_golden_messages(
    table: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    make_graph: MakeGraph,
    tiny_files: Files,
    pack_files: Callable[..., Path],
    tmp_path: Path,
) -> None:
    changed = {**tiny_files, layout.GRAPH_INT8: make_graph(table * np.float32(1.01))}

    with pytest.raises(RefusedError, match="golden"):
        open_bundle(pack_files(tmp_path / "b", changed))
