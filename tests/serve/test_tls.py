"""A server shows only a certificate that callers can take, and another one without a break."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import shutil
import signal
import ssl
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interlock.cli.serve_settings import gather
from interlock.core.errors import InputError, UnavailableError
from interlock.serve.client import Client

DAY = dt.timedelta(days=1)
NO_PASSWORD = serialization.NoEncryption()


def certificate(
    folder: Path,
    *,
    begins: int = -1,
    ends: int = 1,
    locked: serialization.KeySerializationEncryption = NO_PASSWORD,
) -> tuple[Path, Path]:
    """Write a certificate of 127.0.0.1, valid between two days from now, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins * DAY)
        .not_valid_after(now + ends * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    folder.mkdir(exist_ok=True)
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, locked))
    (folder / "chain.pem").write_bytes(made.public_bytes(pem))
    return folder / "chain.pem", folder / "key.pem"


def shown(server: Any) -> str:
    """Return the certificate that a caller who connects now is shown."""
    return ssl.get_server_certificate(("127.0.0.1", server.port), timeout=30)


def refused(chain: Path, key: Path) -> str:
    """Return why a server does not start with a certificate."""
    flags = {"bundle": "b", "trust": "t", "tls_certificate": chain, "tls_key": key}
    with pytest.raises(InputError) as why:
        gather(flags, files=[], environment={"INTERLOCK_SECRET": "ab" * 32})
    return str(why.value)


def test_with_a_certificate_only_tls_is_answered(start: Any, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    server = start("--tls-certificate", chain, "--tls-key", key)
    trusting = ssl.create_default_context(cafile=str(chain))
    connection = HTTPSConnection("127.0.0.1", server.port, context=trusting, timeout=30)
    connection.request("POST", "/v1/route", json.dumps({"text": "yes"}), {"content-type": "application/json"})
    found = json.loads(connection.getresponse().read())
    connection.close()

    assert found["route"] == "yes"
    url = f"https://127.0.0.1:{server.port}"
    with Client(url, tls=trusting) as client:
        assert [client.route("yes").route, client.route("no").route] == ["yes", "no"]  # on one kept connection
    with Client(url) as stranger, pytest.raises(UnavailableError, match="SSLCertVerificationError"):
        stranger.route("yes")
    plain = server.connect()
    plain.request("GET", "/livez")
    with pytest.raises((HTTPException, OSError)):
        plain.getresponse()
    plain.close()


def test_a_certificate_that_no_caller_would_take_is_refused_before_anything_starts(tmp_path: Path) -> None:
    good, others = certificate(tmp_path / "good"), certificate(tmp_path / "other")
    locked = certificate(tmp_path / "locked", locked=serialization.BestAvailableEncryption(b"word"))
    files = [(good[0], others[1]), locked, (good[1], good[0]), (tmp_path / "nothing", good[1])]

    for chain, key in files:
        assert f"{chain}, {key}: expected a PEM certificate and its key, without a password" in refused(chain, key)
    assert "valid now, got certificate has expired" in refused(*certificate(tmp_path / "old", begins=-9, ends=-1))
    assert "valid now, got certificate is not yet valid" in refused(*certificate(tmp_path / "new", begins=1, ends=9))


def test_sighup_shows_another_certificate_and_keeps_the_one_before_when_it_cannot(start: Any, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    server = start("--tls-certificate", chain, "--tls-key", key)
    first = shown(server)
    assert first == chain.read_text()

    certificate(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "chain.pem", chain)  # and not its key
    server.process.send_signal(signal.SIGHUP)
    assert "KEY_VALUES_MISMATCH" in server.wait_for("certificate", result="refused")["why"]
    assert shown(server) == first

    shutil.copy(tmp_path / "other" / "key.pem", key)
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("certificate", result="renewed")
    assert shown(server) == chain.read_text() != first
    server.wait_for("activation", count=2, result="activated")


def test_a_front_that_is_replaced_says_why_it_does_not_come_up_and_does_when_it_can(start: Any, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    server = start("--tls-certificate", chain, "--tls-key", key)
    away = key.rename(tmp_path / "away")
    os.kill(server.front(), signal.SIGKILL)
    assert "No such file" in server.wait_for("failed")["why"]

    away.rename(key)
    server.wait_for("ready", count=2)
    assert shown(server) == chain.read_text()
