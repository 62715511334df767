"""Bundles for other tools, and what two of them do not have in common."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from interlock.bundle import layout
from interlock.bundle.diff import differences
from interlock.bundle.export import export
from interlock.bundle.interop import load_ec_key
from interlock.bundle.open import open_bundle
from interlock.bundle.publish import publish
from interlock.bundle.pyfunc import _load_pyfunc
from interlock.bundle.read import read_verified
from interlock.bundle.sign import pae
from interlock.core.canonical import canonical
from interlock.core.errors import InputError, MissingExtraError
from interlock.predict.calibrators import Temperature

Files = dict[str, bytes]
Command = Callable[..., tuple[int, str, str]]


def ec_key(path: Path, *, curve: EllipticCurve | None = None) -> Path:
    key = generate_private_key(curve or SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return path


def test_a_bundle_does_not_differ_from_itself_signed_or_not(tiny: Path, signed: Path) -> None:
    assert differences(open_bundle(tiny), open_bundle(signed)) == []


def test_every_part_that_differs_is_named(
    tiny: Path, make_files: Callable[..., Files], make_graph: Callable[..., bytes], pack_files: Callable[..., Path],
    tmp_path: Path
) -> None:  # fmt: skip
    import numpy as np

    changed = np.array([[0, 0], [3, -3], [-9, 9], [-3, 3], [-2, 2], [0.1, 0]], dtype=np.float32)
    contract = make_files()[layout.CONTRACT].replace(b"no: {route: no}", b"no: {route: nowhere}")
    files = make_files(
        contract_yaml=contract.replace(b"at_least: 0.5", b"at_least: 0.6"),
        calibrator_json=canonical(Temperature(2.0).to_json()),
        model_int8_onnx=make_graph(changed),
        card_md=b"# another\n",
    )
    found = differences(open_bundle(tiny), open_bundle(pack_files(tmp_path / "other", files)))
    named = {(one.part, one.name) for one in found}

    assert ("contract", "labels.no.route") in named
    assert ("contract", "limits.accuracy.at_least") in named
    assert ("calibrator", "temperature") in named
    assert ("weights", "model.int8.onnx") in named
    assert ("weights", "model.onnx") not in named
    assert ("evidence", "graph_int8_digest") in named
    assert ("pages", "card.md") in named
    assert any(part == "golden" for part, _ in named)
    assert next(one for one in found if one.name == "calibrator.temperature" or one.part == "calibrator").b == 2.0


def test_the_diff_command_says_so_by_its_exit_code(
    tiny: Path, make_files: Callable[..., Files], pack_files: Callable[..., Path], tmp_path: Path, command: Command
) -> None:
    other = pack_files(tmp_path / "other", make_files(calibrator_json=canonical(Temperature(2.0).to_json())))

    assert command("bundle", "diff", tiny, tiny)[0] == 0
    code, out, _ = command("bundle", "diff", tiny, other, "--json")
    body = json.loads(out)
    assert (code, body["same"]) == (1, False)
    assert {"part": "calibrator", "name": "temperature", "a": 1.5, "b": 2.0} in body["differences"]


def test_a_hugging_face_folder_has_the_model_in_front_and_the_rest_beside(tiny: Path, tmp_path: Path) -> None:
    export(open_bundle(tiny), tmp_path / "hf", to="huggingface")

    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (tmp_path / "hf" / name).read_bytes() == (tiny / "model" / name).read_bytes()
    assert (tmp_path / "hf" / "interlock" / "calibrator.json").exists()
    head = yaml.safe_load((tmp_path / "hf" / "README.md").read_text().split("---")[1])
    assert head["pipeline_tag"] == "text-classification"


def test_an_mlflow_folder_answers_as_the_bundle_does(tiny: Path, tmp_path: Path) -> None:
    export(open_bundle(tiny), tmp_path / "ml", to="mlflow")
    model = yaml.safe_load((tmp_path / "ml" / "MLmodel").read_text())
    flavor = model["flavors"]["python_function"]

    assert flavor["loader_module"] == "interlock.bundle.pyfunc"
    router = _load_pyfunc(str(tmp_path / "ml" / flavor["data"]))
    assert [one["label"] for one in router.predict(["yes sure", "no never"])] == ["yes", "no"]
    assert router.predict([None, 5])[0]["outcome"] == "blocked"


def test_model_signing_gets_a_statement_over_every_file(tiny: Path, tmp_path: Path) -> None:
    path = ec_key(tmp_path / "ec.pem")
    export(open_bundle(tiny), tmp_path / "ms", to="model-signing", key=load_ec_key(path, passphrase=str))
    body = json.loads((tmp_path / "ms" / "model.sig").read_bytes())
    payload = base64.b64decode(body["dsseEnvelope"]["payload"])
    said = json.loads(payload)
    listed = {one["name"]: one["digest"] for one in said["predicate"]["resources"]}
    folder = tmp_path / "ms" / "bundle"

    assert listed == {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*") if file.is_file()
    }  # fmt: skip
    public: Any = load_pem_private_key(path.read_bytes(), None).public_key()
    signature = base64.b64decode(body["dsseEnvelope"]["signatures"][0]["sig"])
    public.verify(signature, pae("application/vnd.in-toto+json", payload), ECDSA(SHA256()))
    assert read_verified(folder) == read_verified(tiny)


def test_exports_refuse_what_they_cannot_do(tiny: Path, tmp_path: Path) -> None:
    opened, key = open_bundle(tiny), load_ec_key(ec_key(tmp_path / "ec.pem"), passphrase=str)
    with pytest.raises(InputError, match="exists"):
        export(opened, tmp_path, to="mlflow")
    with pytest.raises(InputError, match="EC P-256"):
        export(opened, tmp_path / "a", to="model-signing")
    with pytest.raises(InputError, match="nothing else"):
        export(opened, tmp_path / "a", to="mlflow", key=key)
    assert not (tmp_path / "a").exists()


def test_only_private_ec_keys_of_the_right_curve_sign(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another kind"):
        load_ec_key(ec_key(tmp_path / "big.pem", curve=SECP384R1()), passphrase=str)
    open_to_all = ec_key(tmp_path / "open.pem")
    open_to_all.chmod(0o644)
    with pytest.raises(InputError, match="others can read"):
        load_ec_key(open_to_all, passphrase=str)
    (tmp_path / "no.pem").write_text("nothing")
    (tmp_path / "no.pem").chmod(0o600)
    with pytest.raises(InputError, match="does not open"):
        load_ec_key(tmp_path / "no.pem", passphrase=str)


def test_publishing_without_mlflow_names_the_extra(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mlflow", None)

    with pytest.raises(MissingExtraError, match="mlflow"):
        publish(open_bundle(tiny), "sqlite:///x.db", name="tiny")


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")  # MLflow's, of SQLAlchemy 2.1
def test_a_published_bundle_is_one_version_and_its_alias_follows(tiny: Path, tmp_path: Path) -> None:
    mlflow: Any = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    opened = open_bundle(tiny)

    assert publish(opened, uri, name="tiny", alias="champion") == publish(opened, uri, name="tiny") == "1"
    found = mlflow.MlflowClient(uri, uri).get_model_version_by_alias("tiny", "champion")
    assert found.tags["interlock_digest"] == opened.digest


def test_model_signing_itself_verifies_an_export_and_refuses_one_byte_more(tiny: Path, tmp_path: Path) -> None:
    verifying: Any = pytest.importorskip("model_signing.verifying", reason="model-signing is not installed")
    path = ec_key(tmp_path / "ec.pem")
    public: Any = load_pem_private_key(path.read_bytes(), None).public_key()
    (tmp_path / "ec.pub").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    export(open_bundle(tiny), tmp_path / "ms", to="model-signing", key=load_ec_key(path, passphrase=str))
    check = verifying.Config().use_elliptic_key_verifier(public_key=tmp_path / "ec.pub")

    check.verify(tmp_path / "ms" / "bundle", tmp_path / "ms" / "model.sig")
    with (tmp_path / "ms" / "bundle" / "card.md").open("ab") as card:
        card.write(b"x")
    with pytest.raises(ValueError, match="card"):
        check.verify(tmp_path / "ms" / "bundle", tmp_path / "ms" / "model.sig")


def test_mlflow_itself_loads_an_export(tiny: Path, tmp_path: Path) -> None:
    pyfunc: Any = pytest.importorskip("mlflow.pyfunc", reason="mlflow is not installed")
    pandas: Any = pytest.importorskip("pandas", reason="mlflow's pyfunc needs pandas")
    export(open_bundle(tiny), tmp_path / "ml", to="mlflow")
    found = pyfunc.load_model(str(tmp_path / "ml")).predict(pandas.DataFrame({"text": ["yes sure", "no never"]}))

    assert [one["label"] for one in found] == ["yes", "no"]
