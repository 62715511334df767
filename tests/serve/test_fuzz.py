"""Whatever is sent, the server answers with a decision or a stable refusal, never with a defect, and goes on."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import random
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interlock.serve.refusal import CODES

PIECES = [
    *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b'"text"', b'"request_id"', b'"messages"', b'"inputs"', b"null"),
    *(
        b"true",
        b"-",
        b"1e999",
        b"NaN",
        b"\\ud800",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b" ",
        b"\n",
        b"0",
        b"yes",
        b'"yes"',
    ),
    *(b'{"text": "yes"}', b'{"text": ', b'"metadata": {"a": "b"}', b'"deadline_ms": 1', "\u202e\u200b".encode()),
]
PATHS = ["/v1/route", "/v1/route/batch", "/v2/models/tiny/infer", "/v1/admin/activate", "/livez", "/v2", "/x", "/%00"]
METHODS = ["POST", "POST", "POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"]
KINDS = ["application/json", "application/json; charset=utf-8", "text/plain", "", "APPLICATION/JSON"]


def body(chance: random.Random) -> bytes:
    """Return pieces of JSON in any order, or a request that is nearly right."""
    if chance.random() < 0.5:
        return b"".join(chance.choices(PIECES, k=chance.randrange(12)))
    value: Any = {"text": chance.choice(["yes", "", "x" * 70, None, 5, ["yes"]])}
    for name in ("request_id", "conversation", "subject", "metadata", "deadline_ms", "bundle", "extra"):
        if chance.random() < 0.3:
            value[name] = chance.choice(["a", "", 1, 0, -1, 1.5, True, None, [], {}, {"a": "b"}, "\u0000", "a" * 300])
    if chance.random() < 0.3:
        value = {"messages": [value] * chance.randrange(4)}
    return json.dumps(value).encode()


@pytest.mark.parametrize("count", [1000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_no_request_makes_a_defect(server: Any, count: int) -> None:
    chance = random.Random(11)
    connection: HTTPConnection = server.connect()
    seen: set[int] = set()
    for _ in range(count):
        method, path, sent = chance.choice(METHODS), chance.choice(PATHS), body(chance)
        try:
            connection.request(method, path, sent, {"content-type": chance.choice(KINDS)})
            reply = connection.getresponse()
            data = reply.read()
        except (HTTPException, OSError):
            connection.close()
            continue
        seen.add(reply.status)
        assert reply.status in {200, 400, 404, 405, 409, 413, 415, 422}, (method, path, sent, data)
        if method != "HEAD" and reply.status != 200:
            assert json.loads(data)["error"]["code"] in CODES
    connection.close()

    assert {200, 400, 404, 405, 415, 422} <= seen
    assert server.route("yes").json()["outcome"] == "routed"


def test_no_bytes_make_a_defect(server: Any) -> None:
    chance = random.Random(12)
    head = b"POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    good = head + b'content-length: 15\r\n\r\n{"text": "yes"}'
    for _ in range(200):
        spoilt = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        with socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as connection:
            connection.sendall(bytes(spoilt[: chance.randrange(len(spoilt)) + 1]))
            try:
                found = connection.recv(65536)
            except OSError:
                continue
            assert not found.startswith(b"HTTP/1.1 5"), spoilt
    assert server.route("yes").json()["outcome"] == "routed"


def test_the_head_of_an_operation_is_its_reply_without_a_body(server: Any) -> None:
    whole, head = server.ask("GET", "/livez"), server.ask("HEAD", "/livez")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, none))
    (folder / "chain.pem").write_bytes(made.public_bytes(pem))
    return folder / "chain.pem", folder / "key.pem"


def test_with_a_certificate_only_tls_is_answered(start: Any, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    server = start("--tls-certificate", chain, "--tls-key", key)
    trusting = ssl.create_default_context(cafile=str(chain))
    connection = HTTPSConnection("127.0.0.1", server.port, context=trusting, timeout=30)
    connection.request("POST", "/v1/route", json.dumps({"text": "yes"}), {"content-type": "application/json"})
    found = json.loads(connection.getresponse().read())
    connection.close()

    assert found["route"] == "yes"
    plain = server.connect()
    plain.request("GET", "/livez")
    with pytest.raises((HTTPException, OSError)):
        plain.getresponse()
    plain.close()
