"""What is shipped for running servers elsewhere parses, and names only settings and options that there are."""

from __future__ import annotations

import configparser
import inspect
import re
from pathlib import Path
from typing import Any

import yaml

from interlock.cli.serve import serve
from interlock.cli.serve_settings import KNOWN, PREFIX

DEPLOY = Path(__file__).parents[2] / "deploy"


def options_in(text: str) -> set[str]:
    return {name.replace("-", "_") for name in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text)}


def test_every_option_and_variable_that_is_used_exists() -> None:
    options = set(inspect.signature(serve).parameters)
    for name in ("kubernetes.yaml", "interlock.service"):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        assert options_in(text) <= options
        assert {one.removeprefix(PREFIX).lower() for one in re.findall(r"INTERLOCK_[A-Z_]+", text)} <= KNOWN
    container = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert options_in(container.partition("CMD")[2]) <= options


def test_the_manifest_probes_operations_that_there_are_and_runs_without_rights(server: Any) -> None:
    service, deployment = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    names = {mount["name"] for mount in container["volumeMounts"]}

    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert server.ask("GET", container[probe]["httpGet"]["path"]).status == 200
    assert service["metadata"]["name"] != "interlock"
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert names == {volume["name"] for volume in pod["volumes"]}
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]


def test_the_unit_stops_the_supervisor_first_and_gives_it_time_to_drain() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # systemd's names have capitals
    unit.read(DEPLOY / "interlock.service")

    assert unit["Service"]["KillMode"] == "mixed"
    assert int(unit["Service"]["TimeoutStopSec"]) > 30
    assert "-HUP $MAINPID" in unit["Service"]["ExecReload"]


def test_the_image_runs_as_nobody_and_installs_what_is_locked() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    joined = re.sub(r"\\\n", " ", text)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]

    assert {line.split()[0] for line in lines} <= known
    assert "USER 10001" in lines
    assert "--constraint requirements.lock" in joined
    for line in lines:
        if line.startswith("COPY") and "--from" not in line:
            assert all((DEPLOY.parent / name).exists() for name in line.split()[1:-1])
