"""Whatever is sent, the server answers with a decision or a stable refusal, never with a defect, and goes on.

A hundred thousand requests, some of them schemathesis's: ``python -m bench.fuzz BUNDLE --schemathesis COMMAND``.
"""

from __future__ import annotations

import datetime as dt
import importlib
import ipaddress
import json
import ssl
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=pytest.mark.slow)])
def test_whatever_is_sent_gets_a_decision_or_a_stable_refusal(
    server: Any, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT)
    found = importlib.import_module("bench.fuzz.__main__").hostile(server.port, count)

    assert found.sent >= count
    assert {200, 400, 404, 405, 422} <= found.statuses.keys()
    assert not [line for line in server.logged("request") if line["status"] >= 500]
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
