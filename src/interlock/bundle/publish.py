"""Bundles in MLflow's model registry, with their alias. The only file that asks MLflow; knows no registry of ours."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from interlock.bundle.export import export
from interlock.bundle.open import Bundle
from interlock.core.errors import InputError, Problem, RefusedError, require

DIGEST = "interlock_digest"


def publish(bundle: Bundle, uri: str, *, name: str, alias: str | None = None) -> str:
    """Publish ``bundle`` as a version of the MLflow model ``name``; one that is there already is used again.

    Args:
        bundle: an opened bundle.
        uri: MLflow's tracking and registry server, or a database such as ``sqlite:///mlflow.db``.
        name: the registered model.
        alias: an alias that then points at the version.

    Returns:
        The version.

    Raises:
        MissingExtraError: MLflow is not installed.
        InputError: the name is none that MLflow takes.
        RefusedError: MLflow failed.
    """
    require("Publishing to MLflow", extra="mlflow", modules=["mlflow"])
    if not name or set(name) & set("/:\\'"):  # the last, as it ends a name in MLflow's searches
        problem = Problem("mlflow", "name", "some text without '/', ':', '\\' or quotes", repr(name))
        raise InputError("MLflow takes no such name", [problem])
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        version = _known(client, name, bundle.digest) or _new_version(client, name, bundle)
        if alias is not None:
            client.set_registered_model_alias(name, alias, version)
    except MlflowException as error:
        problem = Problem(uri.rpartition("@")[2], name, "a registry that takes it", str(error)[:300])
        raise RefusedError("MLflow refused", [problem]) from error
    return version


def _known(client: Any, name: str, digest: str) -> str | None:
    found = client.search_model_versions(f"name = '{name}'")
    return next((str(version.version) for version in found if version.tags.get(DIGEST) == digest), None)


def _new_version(client: Any, name: str, bundle: Bundle) -> str:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    experiment = client.get_experiment_by_name(name)
    run = client.create_run(experiment.experiment_id if experiment else client.create_experiment(name))
    with tempfile.TemporaryDirectory() as scratch:
        export(bundle, Path(scratch) / "model", to="mlflow")
        client.log_artifacts(run.info.run_id, str(Path(scratch) / "model"), "model")
    client.set_terminated(run.info.run_id)
    source = f"{run.info.artifact_uri}/model"
    made = client.create_model_version(name, source, run.info.run_id, tags={DIGEST: bundle.digest})
    return str(made.version)
