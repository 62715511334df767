"""A verified bundle as a folder that other tools read: Hugging Face, MLflow, OpenSSF model-signing. Knows no registry.

An export is a copy for others. It is written whole or not at all, and only from bytes that were verified.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from interlock.bundle.interop import SIGNATURE as INTEROP
from interlock.bundle.interop import signed_model
from interlock.bundle.layout import CARD, MANIFEST, MODEL_FILES, SIGNATURE
from interlock.bundle.open import Bundle
from interlock.bundle.pack import write_folder
from interlock.core.errors import InputError, Problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

Kind = Literal["huggingface", "mlflow", "model-signing"]
LOADER = "interlock.bundle.pyfunc"


def export(bundle: Bundle, folder: Path, *, to: Kind, key: EllipticCurvePrivateKey | None = None) -> None:
    """Write ``bundle`` as a new folder for other tools.

    Args:
        bundle: an opened bundle.
        folder: where; must not exist.
        to: ``huggingface`` (``from_pretrained`` opens it), ``mlflow`` (a pyfunc model), or ``model-signing`` (the
            bundle beside ``model.sig``, which ``model_signing verify key`` accepts).
        key: an EC P-256 key, for ``model-signing`` alone.

    Raises:
        InputError: the folder exists, or the key is missing or of no use.
    """
    if folder.exists():
        raise InputError(f"{folder} exists", [Problem(str(folder), "", "a new directory", "one that is there")])
    if (key is None) == (to == "model-signing"):
        raise InputError("model-signing needs an EC P-256 key, and nothing else does", todo="See --key.")
    if key is not None:
        files = _whole(bundle)
        inside = {f"bundle/{name}": data for name, data in files.items()}
        write_folder({**inside, INTEROP: signed_model(files, key, name="bundle")}, folder)
    else:
        write_folder(_hugging_face(bundle) if to == "huggingface" else _mlflow(bundle), folder)


def _whole(bundle: Bundle) -> dict[str, bytes]:
    """Return every file of the bundle, its manifest and signatures included."""
    verified = bundle.verified
    signature = {SIGNATURE: verified.signature} if verified.signature is not None else {}
    return {**verified.files, MANIFEST: verified.listing, **signature}


def _hugging_face(bundle: Bundle) -> dict[str, bytes]:
    files = bundle.verified.files
    model = {name: files[f"model/{name}"] for name in MODEL_FILES if f"model/{name}" in files}
    own = {f"interlock/{name}": data for name, data in _whole(bundle).items() if not name.startswith("model/")}
    head = {
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["intent-routing", "interlock"],
    }
    note = (
        "\nThis folder holds the model alone. What decides is the bundle in `interlock/` and this model together: "
        f"`{bundle.digest}`. Without its calibrator, thresholds and fallbacks it is not the router that was measured.\n"
    )
    card = f"---\n{yaml.safe_dump(head)}---\n\n{files[CARD].decode()}{note}"
    return {**model, **own, "README.md": card.encode()}


def _mlflow(bundle: Bundle) -> dict[str, bytes]:
    """Return an MLflow model (mlflow.org/docs/latest/ml/model, "Storage Format") whose data is the bundle itself."""
    from importlib.metadata import version

    pins = [f"interlock=={version('interlock')}"]
    environment = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    flavor = {
        "loader_module": LOADER,
        "data": "bundle",
        "python_version": platform.python_version(),
        "env": {"virtualenv": "python_env.yaml"},
    }
    columns: list[Mapping[str, Any]] = [{"type": "string", "name": "text", "required": True}]
    body = {
        "artifact_path": "model",
        "flavors": {"python_function": flavor},
        "metadata": {"interlock_digest": bundle.digest, "name": bundle.manifest.name},
        "model_uuid": bundle.digest.removeprefix("sha256:")[:32],
        "signature": {"inputs": json.dumps(columns), "outputs": None, "params": None},
        "utc_time_created": bundle.manifest.created[:19].replace("T", " "),
    }
    return {
        **{f"bundle/{name}": data for name, data in _whole(bundle).items()},
        "python_env.yaml": yaml.safe_dump(environment).encode(),
        "requirements.txt": ("\n".join(pins) + "\n").encode(),
        "MLmodel": yaml.safe_dump(body).encode(),
    }
