"""What several rooms' tests share: one tiny build a session, made by the real walk, and a PostgreSQL of our own."""

from __future__ import annotations

import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url

from interlock.build import Built, build
from interlock.train.recipe import Recipe

WORDS = {
    "order": ["where", "is", "my", "parcel", "late", "tracking", "courier", "delivery"],
    "refund": ["money", "back", "return", "broken", "refund", "send", "item", "torn"],
    "hello": ["hi", "hello", "thanks", "morning", "bye", "friend", "nice", "day"],
}
CONTRACT = """\
contract: 1
name: shop
label_version: shop-v1
labels:
  order: {route: tracking, keywords: [parcel]}
  refund: {route: returns, critical: true}
  hello: {route: smalltalk}
input: {max_tokens: 24, max_chars: 300}
fallback: {uncertain: assistant, failure: person}
decide:
  auto: {confidence: 0.8, margin: 0.2}
  guarded: {confidence: 0.55}
  unknown: {keep_known: 0.95}
limits:
  accuracy: {at_least: 0.7}
  accuracy_vs_champion: {at_least: -0.5}
"""


def shop_rows(count: int, *, seed: int = 1) -> list[dict[str, str]]:
    """Return labelled messages that a small model can learn: words of one label with some of the others'."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        label = sorted(WORDS)[number % len(WORDS)]
        own = chance.choices(WORDS[label], k=6)
        other = chance.choices([word for words in WORDS.values() for word in words], k=1)
        text = " ".join([*own, *other, f"n{chance.randrange(10**6)}"])
        rows.append({"id": f"r{number:05d}", "text": text, "label": label, "group": f"customer{number // 3}"})
    return rows


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace: contract.yaml and rows.jsonl."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    write_rows(folder / "rows.jsonl", shop_rows(900))
    return folder


@pytest.fixture(scope="session")
def built(shop: Path) -> Built:
    """A router built by the real walk: random tiny encoder, real training, real graphs, real bundle."""
    return build(
        contract=shop / "contract.yaml",
        data=shop / "rows.jsonl",
        out=shop / "run",
        encoder="tiny",
        recipe=Recipe(epochs=3, batch_size=16),
    )


@pytest.fixture
def bundle(built: Built, tmp_path: Path) -> Path:
    """A copy of the built bundle that a test may spoil."""
    return Path(shutil.copytree(built.run / "bundle", tmp_path / "bundle"))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: arguments in; exit code, stdout and stderr out."""
    from interlock.cli.app import run

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture(scope="session")
def clinc150() -> Path:
    """The folder of CLINC150's rows; the longer proofs that need it are skipped without."""
    folder = Path(os.environ.get("INTERLOCK_DATA", "")) / "clinc150"
    if not (folder / "train.jsonl").is_file():
        pytest.skip("set INTERLOCK_DATA to the folder of the public datasets")
    return folder


class Postgres:
    """A PostgreSQL server that a test may kill. It does not flush: processes end here, machines do not."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._data = programs, folder / "data"
        self._as: dict[str, Any] = {}  # a server that root owns would refuse to start
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"postgresql+psycopg://interlock@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "--auth=trust", "--username=interlock", "--no-sync", "--locale=C", "--encoding=UTF8")
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        said = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "start", "--wait", "--log", str(self._data / "log"), "--options", said)

    def stop(self) -> None:
        """Stop, cutting off whoever is connected."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def kill(self) -> None:
        """End the server as if by a crash, its first process first."""
        first = (self._data / "postmaster.pid").read_text().split()[0]
        os.kill(int(first), signal.SIGSTOP)  # so that it starts no more
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *others):
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        while any(Path(f"/proc/{process}/exe").exists() for process in (first, *others)):
            time.sleep(0.01)
        (self._data / "postmaster.pid").unlink()  # nobody may have taken note of the first one's end yet

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments, "--pgdata", str(self._data)]
        with (self._data.parent / "said").open("w+") as said:  # no pipe, which the server would keep open
            ran = subprocess.run(command, stdout=said, stderr=said, cwd="/", check=False, **self._as)
            said.seek(0)
            assert ran.returncode == 0, said.read()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this session, where one is installed."""
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    found = [Path(place) for place in (shutil.which("initdb"),) if place]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="interlock-postgres-") as folder:  # pytest's folders are closed to others
        server = Postgres(found[-1].parent, Path(folder))
        yield server
        server.stop()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """The URL of an empty PostgreSQL database: the one that INTERLOCK_POSTGRES names, or one of our own."""
    url: str = os.environ.get("INTERLOCK_POSTGRES") or request.getfixturevalue("postgres").url
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return url


class Wire:
    """A TCP proxy that cuts a connection at COMMIT when told to: before the server sees it, or before its answer."""

    def __init__(self, database: str) -> None:
        url = make_url(database)
        self._target = (url.host or "127.0.0.1", url.port or 5432)
        self._listening = socket.create_server(("127.0.0.1", 0))
        here = url.set(host="127.0.0.1", port=self._listening.getsockname()[1])
        self.url = here.render_as_string(hide_password=False)
        self.cut = ""  # "before" or "after": what happens to the next COMMIT
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:  # the database is away
                near.close()
                continue
            threading.Thread(target=self._there, args=(near, far), daemon=True).start()
            threading.Thread(target=self._back, args=(near, far), daemon=True).start()

    def _there(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(65_536):
                if b"COMMIT" in data and self.cut:
                    how, self.cut = self.cut, ""
                    self.cuts += 1
                    if how == "after":
                        _hang_up(near)  # nobody hears the answer
                        far.sendall(data)
                        return  # the other direction ends when the server has answered
                    break
                far.sendall(data)
        _hang_up(near, far)

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65_536):
                near.sendall(data)
        _hang_up(near, far)

    def close(self) -> None:
        self._listening.close()


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@pytest.fixture
def wire(database: str) -> Iterator[Wire]:
    """A wire to an empty database."""
    made = Wire(database)
    yield made
    made.close()
