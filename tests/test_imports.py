"""What a fresh interpreter loads: the online path stays light, and nothing heavy comes in by accident."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "torch",
    "transformers",
    "sklearn",
    "scipy",
    "pandas",
    "polars",
    "matplotlib",
    "sqlalchemy",
    "onnx",
    "onnxscript",
    "huggingface_hub",
}
ONLINE = {  # what the online path may load beside the standard library
    "interlock",
    "numpy",
    "onnxruntime",
    "tokenizers",
    "safetensors",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
    "yaml",
    "rfc8785",
    "cython_runtime",  # numpy's compiled parts bring it
}


def loaded_by(code: str) -> set[str]:
    """Return the roots of every module that ``code`` adds to a fresh interpreter."""
    script = (
        f"import json, sys\nbefore = set(sys.modules)\n{code}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_the_online_path_loads_only_what_routing_needs() -> None:
    found = loaded_by("import interlock.answer, interlock.bundle.open, interlock.predict.handoff")
    third_party = {name for name in found if name not in sys.stdlib_module_names and not name.startswith("_")}

    assert third_party <= ONLINE


@pytest.mark.parametrize("code", ["import interlock", "import interlock.cli.app", "import interlock.build"])
def test_nothing_heavy_loads_before_it_is_used(code: str) -> None:
    assert not loaded_by(code) & HEAVY


def test_the_package_itself_loads_nothing() -> None:
    assert {name for name in loaded_by("import interlock") if name not in sys.stdlib_module_names} == {"interlock"}


SERVING = ONLINE | {"uvicorn", "uvloop", "httptools", "orjson", "prometheus_client", "click", "h11"}


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("interlock.serve.front", SERVING - {"numpy", "onnxruntime", "tokenizers", "safetensors", "yaml"}),
        ("interlock.serve.worker", ONLINE | {"orjson", "cryptography"}),
        ("interlock.serve.supervisor", ONLINE - {"numpy", "onnxruntime", "tokenizers", "safetensors"}),
        ("interlock.serve.client", {"interlock", "rfc8785"}),
    ],
)
def test_a_servers_processes_load_only_what_they_need(module: str, allowed: set[str]) -> None:
    found = loaded_by(f"import {module}")
    third_party = {name for name in found if name not in sys.stdlib_module_names and not name.startswith("_")}

    assert third_party <= allowed


def test_onnx_runtime_reports_to_nobody(tmp_path: Path) -> None:
    home = {**os.environ, "HOME": str(tmp_path)}
    home.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", "import interlock.predict.encoder"], env=home, check=True)

    assert not list(tmp_path.rglob("*onnxruntime*"))


def test_builds_of_torchvision_that_break_transformers_are_not_here() -> None:
    assert importlib.util.find_spec("torchvision") is None
    assert importlib.util.find_spec("torchaudio") is None


def test_the_walk_can_be_called_by_its_module_whichever_was_imported_first() -> None:
    code = "import interlock.build\nimport interlock\nassert callable(interlock.build)\nassert callable(interlock.open)"

    assert "interlock" in loaded_by(code)
