"""A whole bundle of a few kilobytes, made without training: its graph is the mean of its words' rows of a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from interlock.bundle import layout
from interlock.bundle.keys import SigningKey, load_key, new_key, private_path
from interlock.bundle.pack import pack
from interlock.bundle.parts import Golden, detector_bytes, golden_bytes, policy_bytes, remembered
from interlock.bundle.read import read_verified
from interlock.bundle.sign import sign_bundle
from interlock.bundle.trust import NOBODY, Trust, read_public
from interlock.core.canonical import canonical, digest
from interlock.core.contract_file import parse_contract
from interlock.core.receipt import Matrix, Receipt, Row
from interlock.predict.calibrators import Temperature
from interlock.predict.detectors import UnknownGate
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.predictor import Predictor
from interlock.testing import FrozenClock

CONTRACT = b"""\
contract: 1
name: tiny
label_version: tiny-v1
labels: {yes: {route: yes}, no: {route: no}}
fallback: {uncertain: unsure, failure: person}
decide: {auto: {confidence: 0.8, margin: 0.2}, guarded: {confidence: 0.55}}
input: {max_tokens: 8, max_chars: 60}
limits: {accuracy: {at_least: 0.5}}
"""
WORDS = ("[UNK]", "yes", "sure", "no", "never", "well")
TABLE = np.array([[0, 0], [3, -3], [2, -2], [-3, 3], [-2, 2], [0.1, 0]], dtype=np.float32)

Files = dict[str, bytes]


def graph(
    table: npt.NDArray[np.floating[Any]] = TABLE, *, change: Callable[[onnx.ModelProto], object] | None = None
) -> bytes:
    """Return a model whose logits are the mean of ``table``'s rows, (words, k labels), after ``change``."""
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("ReduceMean", ["rows", "axes"], ["logits"], keepdims=0),
    ]
    given = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])]
    found = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", table.shape[1]])]
    weights = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1]), "axes")]
    made = helper.make_model(helper.make_graph(nodes, "g", given, found, weights), ir_version=9)
    made.opset_import[0].version = 18
    if change is not None:
        change(made)
    return bytes(made.SerializeToString())


def tokenizer() -> bytes:
    words = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))  # noqa: S106 - no password
    words.pre_tokenizer = Whitespace()
    return words.to_str().encode()


def small_files(**changes: bytes) -> Files:
    """Return the files of a bundle; ``changes`` go in before golden messages are recorded (``model_onnx=...``)."""
    contract = parse_contract(CONTRACT)
    files = {
        layout.CONTRACT: CONTRACT,
        layout.GRAPH: graph(),
        layout.GRAPH_INT8: graph(TABLE * 1.01),
        layout.TOKENIZER: tokenizer(),
        "model/config.json": b'{"architectures": ["Mean"]}',
        "model/model.safetensors": save({"table": TABLE}),
        layout.CALIBRATOR: canonical(Temperature(1.5).to_json()),
        layout.DETECTORS: detector_bytes(UnknownGate(50.0)),
        layout.POLICY: policy_bytes(contract, layout.GRAPH_INT8),
        layout.CARD: b"# tiny\n",
        layout.LABEL_GUIDE: b"# labels\n",
        layout.DATA_CARD: b"# data\n",
    }
    names = {name.replace(".", "_").replace("/", "_"): name for name in files}
    receipt = changes.pop("receipt_json", None)
    files |= {names[key]: data for key, data in changes.items()}
    files[layout.RECEIPT] = receipt or measured(files).to_bytes()
    return {**files, layout.GOLDEN: golden_bytes(recorded(files))}


def measured(files: Mapping[str, bytes], *, wrong: int = 0) -> Receipt:
    """Return evidence about ``files``: 24 rows, ``wrong`` of them called otherwise."""
    contract = parse_contract(files[layout.CONTRACT])
    rows = tuple(Row(id=f"r{i:02d}", labels=("yes" if i % 2 else "no",)) for i in range(24))
    sure = np.array([[3.0, -3.0] if i % 2 else [-3.0, 3.0] for i in range(24)])
    sure[:wrong] *= -1
    parts = {field: digest(files[name]) for field, name in layout.COMPONENTS.items()}
    whole = {"contract_digest": contract.digest, "policy_digest": contract.policy_digest}
    return Receipt(
        receipt=1,
        name="tiny",
        identity={"label_version": "tiny-v1", **parts, **whole},
        contract=contract.to_json(),
        fixtures=tuple(row.id for row in rows),
        rows=rows,
        logits=Matrix.of(sure),
    )


def recorded(files: Mapping[str, bytes]) -> list[Golden]:
    contract = parse_contract(files[layout.CONTRACT])
    scorer = OnnxEncoder(
        graph=files[layout.GRAPH_INT8],
        tokenizer=files[layout.TOKENIZER],
        labels=2,
        max_tokens=contract.input.max_tokens,
    )
    temperature = json.loads(files[layout.CALIBRATOR])["temperature"]
    predictor = Predictor(
        contract=contract,
        scorer=scorer,
        calibrator=Temperature(temperature),
        unknown=UnknownGate(50.0),
        clock=FrozenClock(),
    )
    out = []
    for text in ("yes sure", "no never", "well", " "):
        trace = predictor.trace(text)
        logits = () if trace.logits is None else tuple(float(value) for value in trace.logits)
        out.append(Golden(text, remembered(trace.decision), logits))
    return out


def packed(folder: Path, files: Files, *, name: str = "tiny", created: str = "2026-01-01T00:00:00+00:00") -> Path:
    """Pack ``files``."""
    pack(files, folder, name=name, created=created, identity={"label_version": "tiny-v1"})
    return folder


@pytest.fixture(scope="session")
def tiny_files() -> Files:
    """The files of the small bundle."""
    return small_files()


@pytest.fixture
def tiny(tiny_files: Files, tmp_path: Path) -> Path:
    """The small bundle, unsigned."""
    return packed(tmp_path / "tiny", tiny_files)


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, SigningKey]:
    """Key pairs of four persons by name, in ``tmp_path / "keys"``."""
    found = {}
    for name in ("alice", "bob", "carol", "mallory"):
        new_key(tmp_path / "keys", name)
        found[name] = load_key(private_path(tmp_path / "keys", name), passphrase=str)
    return found


@pytest.fixture
def trust(keys: dict[str, SigningKey], tmp_path: Path) -> Trust:
    """A trust root: alice and carol build, bob approves; nobody knows mallory."""
    root = NOBODY
    for name, role in (("alice", "builder"), ("carol", "builder"), ("bob", "approver")):
        root = root.with_key(read_public(tmp_path / "keys" / f"{name}.key.json"), role)  # type: ignore[arg-type]
    return root


@pytest.fixture(scope="session")
def make_files() -> Callable[..., Files]:
    """Make other small bundles."""
    return small_files


@pytest.fixture(scope="session")
def make_graph() -> Callable[..., bytes]:
    """Make other graphs."""
    return graph


@pytest.fixture(scope="session")
def pack_files() -> Callable[..., Path]:
    """Pack files into a folder."""
    return packed


@pytest.fixture
def signed(tiny: Path, keys: dict[str, SigningKey]) -> Path:
    """The small bundle, signed by its builder and its approver."""
    for name in ("alice", "bob"):
        sign_bundle(tiny, read_verified(tiny), keys[name])
    return tiny


@pytest.fixture
def trust_file(trust: Trust, tmp_path: Path) -> Path:
    """The trust root as a file."""
    (tmp_path / "trust.json").write_bytes(trust.to_bytes())
    return tmp_path / "trust.json"
