"""What callers send is found nowhere but in their own reply; and a server's processes do only what a server must."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("Ada", "Grace", "Katherine", "Yukihiro", "Chinua", "Amélie", "花子", "太郎")


def canaries(count: int) -> Iterator[str]:
    """Yield tokens that look like names, cards, mail addresses and phone numbers, each unlike all others."""
    chance = random.Random(7)
    for number in range(count):
        mark = f"{number:05d}{chance.randrange(10**7):07d}"
        yield (
            f"{chance.choice(NAMES)}Canary{mark}",
            f"4556{mark}",
            f"canary{mark}@mail.example",
            f"+81-90-{mark[:4]}-{mark[4:]}",
        )[number % 4]


def requests(server: Any, tokens: list[str]) -> None:
    """Send every token through another outcome or error: decisions, refusals, malformed requests, unknown places."""
    connection = server.connect()

    def send(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        connection.request(method, path, body, headers)
        connection.getresponse().read()

    plain = {"content-type": "application/json"}
    for number, token in enumerate(tokens):
        text = json.dumps(f"yes {token}").encode()
        ascii_token = token.encode("ascii", "ignore").decode()
        ways: list[tuple[str, str, bytes | None, dict[str, str]]] = [
            ("POST", "/v1/route", b'{"text": %b}' % text, plain),
            ("POST", "/v1/route", b'{"text": %b, "subject": %b, "conversation": [%b]}' % (text, text, text), plain),
            ("POST", "/v1/route", b'{"text": %b, "request_id": "one-for-all"}' % text, plain),
            ("POST", "/v1/route", b'{"text": %b, "deadline_ms": 1}' % text, plain),
            ("POST", "/v1/route", b'{"text": %b, %b: 1}' % (text, text), plain),
            ("POST", "/v1/route", b'{"text": [%b]}' % text, plain),
            ("POST", "/v1/route", b'{"text": "yes", "metadata": {"a": %b}}' % text, plain),
            ("POST", "/v1/route", b'{"text": "yes", "request_id": %b}' % text, plain),
            ("POST", "/v1/route", b'{"text": %b' % text, plain),
            ("POST", "/v1/route", b'{"text": "yes", "text": %b}' % text, plain),
            ("POST", "/v1/route", text * 20, plain),
            ("POST", "/v1/route", text, {"content-type": f"text/{ascii_token}"}),
            ("POST", "/v1/route/batch", b'{"messages": [{"text": %b}, {"text": ""}]}' % text, plain),
            ("POST", "/v2/models/tiny/infer", b'{"inputs": [{"name": %b}]}' % text, plain),
            ("POST", "/v1/decisions", b'{"model": "tiny", "input": %b, "questions": []}' % text, plain),
            ("POST", "/v1/decisions", b'{"model": %b, "input": "yes", "questions": [%b]}' % (text, text), plain),
            ("POST", "/v1/systemone", b'{"state": %b, "questions": {"yes": {"type": "noul"}}}' % text, plain),
            ("POST", "/v1/systemone", b'{"state": "yes", "questions": {%b: {"type": %b}}}' % (text, text), plain),
            ("POST", "/v1/admin/activate", b'{"bundle": %b}' % text, plain),
            ("GET", f"/v1/{ascii_token}?q={ascii_token}", None, {"x-note": ascii_token, "user-agent": ascii_token}),
            ("GET", f"/v2/models/{ascii_token}", None, {"authorization": f"Bearer {ascii_token}"}),
            ("GET", "/livez", None, {"host": f"{ascii_token}.example"}),
            ("POST", "/v1/route", json.dumps({"text": token * 40}).encode(), plain),
            ("POST", "/v1/route", json.dumps({"text": f"\0{token}"}).encode(), plain),
        ]
        send(*ways[number % len(ways)])
    connection.close()


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_what_callers_send_is_found_nowhere_outside_their_replies(start: Any, tmp_path: Path, count: int) -> None:
    server = start(TMPDIR=str(tmp_path), HOME=str(tmp_path))
    tokens = list(canaries(count))
    requests(server, tokens[: count // 2])
    os.kill(server.workers()[0], signal.SIGKILL)
    requests(server, tokens[count // 2 :])
    metrics = server.ask("GET", "/metrics").body
    server.stop()

    everything = metrics + "".join(server.raw).encode()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    everything += b"".join(path.read_bytes() for path in files)
    assert any(path.name == "interlock.db" for path in files)
    for token in tokens:
        for form in (
            token,
            token.encode("ascii", "backslashreplace").decode(),
            token.encode("ascii", "ignore").decode(),
        ):
            assert form.encode() not in everything, token
    assert b"Canary" not in everything


AUDIT = """
import os, sys
names = {{"pickle.find_class", "marshal.loads", "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty",
         "os.posix_spawn", "ctypes.dlopen", "socket.connect", "socket.bind", "socket.sendto"}}

def hook(event, arguments):
    if event == "import" and str(arguments[1]).endswith(".so"):
        event = f"dlopen {{arguments[0]}}"
    elif event not in names:
        return
    os.write(fd, f"{{event}}\\n".encode())

fd = os.open({out!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
sys.addaudithook(hook)
"""


def test_once_started_no_process_starts_others_loads_code_or_opens_sockets(start: Any, tmp_path: Path) -> None:
    (tmp_path / "hooked").mkdir()
    out = tmp_path / "audit.txt"
    (tmp_path / "hooked" / "sitecustomize.py").write_text(AUDIT.format(out=str(out)), encoding="utf-8")
    server = start(PYTHONPATH=f"{tmp_path / 'hooked'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    server.route("yes")
    began = out.stat().st_size
    requests(server, list(canaries(60)))
    server.ask("POST", "/v1/admin/activate", {})
    with out.open("rb") as stream:
        stream.seek(began)
        after = stream.read().decode()

    before = out.read_bytes()[:began].decode()
    assert "subprocess.Popen" in before  # the hook sees what there is to see: the supervisor started the others
    assert "dlopen" in before
    assert not after
