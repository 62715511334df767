"""Publishing against a registry that stands in for MLflow's, so that each of its answers is met, installed or not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from interlock.bundle.open import Bundle, open_bundle
from interlock.bundle.publish import DIGEST, publish
from interlock.core.errors import InputError, RefusedError


class MlflowError(Exception):
    """What the stand-in raises; ``error_code`` as MLflow names it."""

    def __init__(self, error_code: str) -> None:
        super().__init__(error_code)
        self.error_code = error_code


class Server:
    """A registry in memory with the calls that publishing makes."""

    def __init__(self) -> None:
        self.models: list[str] = []
        self.versions: list[SimpleNamespace] = []
        self.aliases: dict[tuple[str, str], str] = {}
        self.experiments: dict[str, str] = {}
        self.files: set[str] = set()
        self.down = False

    def __call__(self, *, tracking_uri: str, registry_uri: str) -> Server:
        assert tracking_uri == registry_uri
        return self

    def search_model_versions(self, asked: str) -> list[SimpleNamespace]:
        if self.down:
            raise MlflowError("TEMPORARILY_UNAVAILABLE")
        return [one for one in self.versions if asked == f"name = '{one.name}'"]

    def create_registered_model(self, name: str) -> None:
        if name in self.models:
            raise MlflowError("RESOURCE_ALREADY_EXISTS")
        if name == "forbidden":
            raise MlflowError("PERMISSION_DENIED")
        self.models.append(name)

    def get_experiment_by_name(self, name: str) -> SimpleNamespace | None:
        return SimpleNamespace(experiment_id=self.experiments[name]) if name in self.experiments else None

    def create_experiment(self, name: str) -> str:
        self.experiments[name] = str(len(self.experiments) + 1)
        return self.experiments[name]

    def create_run(self, experiment: str) -> SimpleNamespace:
        return SimpleNamespace(info=SimpleNamespace(run_id=f"run of {experiment}", artifact_uri=f"files/{experiment}"))

    def log_artifacts(self, run: str, folder: str, place: str) -> None:
        assert (run.startswith("run of "), place) == (True, "model")
        self.files = {path.name for path in Path(folder).iterdir()}

    def set_terminated(self, run: str) -> None:
        assert run.startswith("run of ")

    def create_model_version(self, name: str, source: str, run: str, *, tags: dict[str, str]) -> SimpleNamespace:
        assert source.endswith("/model"), run
        number = 1 + sum(one.name == name for one in self.versions)
        self.versions.append(SimpleNamespace(name=name, version=number, tags=tags))
        return self.versions[-1]

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self.aliases[name, alias] = version


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    parts: dict[str, dict[str, Any]] = {
        "mlflow": {},
        "mlflow.exceptions": {"MlflowException": MlflowError},
        "mlflow.tracking": {"MlflowClient": made},
    }
    for name, holds in parts.items():
        module = ModuleType(name)
        module.__dict__.update(holds)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("interlock.bundle.publish.require", lambda *_given, **_named: None)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return made


@pytest.fixture
def bundle(tiny: Path) -> Bundle:
    return open_bundle(tiny)


def test_a_bundle_is_published_once_and_its_alias_follows(server: Server, bundle: Bundle) -> None:
    assert publish(bundle, "there", name="tiny") == "1"
    assert server.aliases == {}
    assert publish(bundle, "there", name="tiny", alias="champion") == "1"

    assert server.aliases == {("tiny", "champion"): "1"}
    assert [one.tags for one in server.versions] == [{DIGEST: bundle.digest}]
    assert "MLmodel" in server.files


def test_another_bundle_s_version_is_not_taken_for_ours(server: Server, bundle: Bundle) -> None:
    server.models, server.experiments = ["tiny"], {"tiny": "9"}
    server.versions = [
        SimpleNamespace(name="tiny", version=1, tags={DIGEST: "sha256:other"}),
        SimpleNamespace(name="tiny", version=2, tags={}),
        SimpleNamespace(name="other", version=7, tags={DIGEST: bundle.digest}),
    ]

    assert publish(bundle, "there", name="tiny", alias="shadow") == "3"
    assert server.experiments == {"tiny": "9"}


def test_what_mlflow_refuses_is_refused_and_no_password_is_said(server: Server, bundle: Bundle) -> None:
    with pytest.raises(RefusedError, match="PERMISSION_DENIED"):
        publish(bundle, "there", name="forbidden", alias="champion")
    server.down = True
    with pytest.raises(RefusedError, match="UNAVAILABLE") as caught:
        publish(bundle, "postgresql://ann:hunter2@there/db", name="tiny")

    assert "hunter2" not in str(caught.value)
    assert (server.versions, server.aliases) == ([], {})


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "a\\b", "a' or name != 'b"])
def test_names_that_mlflow_would_read_otherwise_are_refused(name: str, server: Server, bundle: Bundle) -> None:
    with pytest.raises(InputError, match="no such name"):
        publish(bundle, "there", name=name)
    assert server.models == []
