"""Real servers on real ports: processes of `interlock serve`, and a small client that speaks plain HTTP to them."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

SECONDS = 60.0  # what a server may take to come up on a busy machine


def _bundle_makers() -> Any:
    """Return what the tests of bundles make small bundles with."""
    place = Path(__file__).parents[1] / "bundle" / "conftest.py"
    spec = importlib.util.spec_from_file_location("bundle_makers", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Answer:
    """One HTTP reply."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """One server and everything it has logged so far."""

    def __init__(
        self, folder: Path, arguments: list[str], environment: dict[str, str], *, by: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.lines: list[dict[str, Any]] = []
        self.raw: list[str] = []
        self._there = threading.Condition()
        with (folder / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [*by, sys.executable, "-m", "interlock", "serve", "--port", "0", *arguments],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                with self._there:
                    self.raw.append(line.decode())
                    self.lines.append(json.loads(line))
                    self._there.notify_all()

    def wait_for(self, event: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """Return the log line of an event with such fields, the ``count``-th of its kind."""
        until = time.monotonic() + SECONDS
        with self._there:
            while time.monotonic() < until:
                found = self.logged(event, **fields)
                if len(found) >= count:
                    return found[count - 1]
                assert self.process.poll() is None or self._reader.is_alive(), self.stderr()
                self._there.wait(0.1)
        raise AssertionError(f"no {event} {fields} in {self.lines[-20:]}; {self.stderr()}")

    def logged(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        return [
            line
            for line in list(self.lines)
            if line["event"] == event and all(line.get(key) == value for key, value in fields.items())
        ]

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text(errors="replace")

    @property
    def port(self) -> int:
        return int(self.wait_for("listening")["address"].rpartition(":")[2])

    def connect(self, timeout: float = 30.0) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request on a connection of its own; a body that is not bytes is sent as JSON."""
        connection = self.connect()
        try:
            data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            kinds = {"content-type": "application/json"} if data is not None else {}
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, data, {**kinds, **named})
            reply = connection.getresponse()
            return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def route(self, text: str, **fields: Any) -> Answer:
        return self.ask("POST", "/v1/route", {"text": text, **fields})

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        return self._children("interlock.serve.worker")

    def front(self) -> int:
        """Return the process id of the front; 0 while there is none."""
        return next(iter(self._children("interlock.serve.front")), 0)

    def _children(self, module: str) -> list[int]:
        found = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            for pid in (task / "children").read_text().split():
                try:
                    if module in Path(f"/proc/{pid}/cmdline").read_text():
                        found.append(int(pid))
                except OSError:
                    continue
        return found

    def metric(self, name: str) -> float:
        """Return the sum of a metric's values."""
        text = self.ask("GET", "/metrics").body.decode()
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return sum(float(value) for key, _, value in lines if key.partition("{")[0] == name)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Stop it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code


Start = Callable[..., Running]


@pytest.fixture(scope="session")
def makers() -> Any:
    return _bundle_makers()


@pytest.fixture(scope="session")
def tiny(makers: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small bundle; tests that spoil it copy it."""
    found: Path = makers.packed(tmp_path_factory.mktemp("bundles") / "tiny", makers.small_files())
    return found


@pytest.fixture(scope="session")
def other(makers: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another small bundle that decides the other way round."""
    files = makers.small_files(model_int8_onnx=makers.graph(-makers.TABLE))
    found: Path = makers.packed(tmp_path_factory.mktemp("bundles") / "other", files, name="other")
    return found


@pytest.fixture
def start(tmp_path: Path, tiny: Path) -> Iterator[Start]:
    """Start servers; they are stopped at the end, and must not have had a defect."""
    running: list[Running] = []

    def begin(
        *arguments: object, bundle: Path | None = tiny, ready: bool = True, by: Sequence[str] = (), **environment: str
    ) -> Running:
        folder = tmp_path / f"server{len(running)}"
        folder.mkdir()
        said = [*([] if bundle is None else ["--bundle", str(bundle), "--development"]), *map(str, arguments)]
        environment = {"INTERLOCK_WORKERS": "1", **environment}
        running.append(Running(folder, said, environment, by=by))
        if ready:
            running[-1].wait_for("ready")
        return running[-1]

    yield begin
    for one in running:
        one.stop()
        assert not one.logged("defect"), one.logged("defect")
        assert not [line for line in one.lines if line.get("status") == 500]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[Running]:
    """One server that all tests share which neither change nor stop one; each file names its requests otherwise."""
    folder = tmp_path_factory.mktemp("server")
    running = Running(folder, ["--bundle", str(tiny), "--development", "--workers", "1"], {})
    running.wait_for("ready")
    yield running
    running.stop()
    assert not running.logged("defect"), running.logged("defect")
