"""Keys and trust roots: one role a key and a person, private keys their owners' alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.keys import SigningKey, load_key, new_key, private_path
from interlock.bundle.trust import NOBODY, Trust, parsed, read_public, read_trust
from interlock.core.canonical import canonical
from interlock.core.errors import InputError

Keys = dict[str, SigningKey]
WHEN = datetime(2026, 5, 1, tzinfo=UTC)


def test_one_key_cannot_have_two_roles(tmp_path: Path, keys: Keys, trust: Trust) -> None:
    with pytest.raises(InputError, match="trusted as builder"):
        trust.with_key(read_public(tmp_path / "keys" / "alice.key.json"), "approver")


def test_one_person_cannot_have_two_roles_by_having_two_keys(tmp_path: Path, trust: Trust) -> None:
    second = new_key(tmp_path / "more", "alice")

    with pytest.raises(InputError, match="two persons"):
        trust.with_key(second, "approver")
    assert second.keyid in trust.with_key(second, "builder").keys  # a second key in the same role is a spare


def test_a_revoked_key_is_not_trusted_again(tmp_path: Path, keys: Keys, trust: Trust) -> None:
    after = trust.without(keys["alice"].keyid, reason="gone", at=WHEN)

    with pytest.raises(InputError, match="a revoked key"):
        after.with_key(read_public(tmp_path / "keys" / "alice.key.json"), "builder")
    for unknown in (keys["alice"].keyid, keys["mallory"].keyid):
        with pytest.raises(InputError, match="cannot be revoked"):
            after.without(unknown, reason="twice", at=WHEN)


def spoil_id(root: dict[str, Any]) -> None:
    root["keys"]["sha256:" + "0" * 64] = root["keys"].pop(next(iter(root["keys"])))


TRUST_GAMES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a key under another's id": spoil_id,
    "no required role": lambda root: root.update(required=[]),
    "an unknown role": lambda root: root.update(required=["owner"]),
    "a role twice": lambda root: root.update(required=["builder", "builder"]),
    "version 0": lambda root: root.update(version=0),
    "version true": lambda root: root.update(version=True),
    "another format": lambda root: root.update(trust=2),
    "an unknown field": lambda root: root.update(threshold=0),
    "a public key of 31 bytes": lambda root: next(iter(root["keys"].values())).update(public="AAAA"),
    "a public key that is no base64": lambda root: next(iter(root["keys"].values())).update(public="@@"),
    "keys as a list": lambda root: root.update(keys=list(root["keys"].values())),
    "a name with a line break": lambda root: next(iter(root["keys"].values())).update(name="a\nb"),
}


@pytest.mark.parametrize("spoil", TRUST_GAMES.values(), ids=TRUST_GAMES)
def test_a_trust_root_is_refused_with(spoil: Callable[[dict[str, Any]], object], trust: Trust, tmp_path: Path) -> None:
    body = json.loads(trust.to_bytes())
    spoil(body)
    (tmp_path / "trust.json").write_text(json.dumps(body))

    with pytest.raises(InputError):
        read_trust(tmp_path / "trust.json")


def test_what_is_not_there_or_too_large_is_no_trust_root(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b" " * 1_000_001)

    with pytest.raises(InputError, match="is not there"):
        read_trust(tmp_path / "nothing")
    with pytest.raises(InputError, match="too large"):
        read_trust(tmp_path / "large")


def test_the_trust_root_is_canonical_and_reads_back(trust: Trust, tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(trust.to_bytes())

    assert read_trust(tmp_path / "trust.json") == trust
    assert canonical(json.loads(trust.to_bytes())) == trust.to_bytes()
    assert trust.version == NOBODY.version + 3


def test_a_private_key_is_its_owner_s_alone(tmp_path: Path, keys: Keys) -> None:
    path = private_path(tmp_path / "keys", "alice")

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        load_key(path, passphrase=str)


def test_a_key_with_a_passphrase_opens_with_it_alone(tmp_path: Path) -> None:
    made = new_key(tmp_path, "dora", passphrase="open sesame")  # noqa: S106 - a test's
    path = private_path(tmp_path, "dora")

    assert load_key(path, passphrase=lambda: "open sesame").keyid == made.keyid
    for wrong in ("open barley", ""):
        with pytest.raises(InputError, match="another passphrase"):
            load_key(path, passphrase=lambda wrong=wrong: wrong)


def test_a_key_is_never_written_over(tmp_path: Path, keys: Keys) -> None:
    before = private_path(tmp_path / "keys", "alice").read_bytes()
    with pytest.raises(InputError, match="exists"):
        new_key(tmp_path / "keys", "alice")

    assert private_path(tmp_path / "keys", "alice").read_bytes() == before


@pytest.mark.parametrize("name", ["", "../alice", "a/b", ".hidden", "a b", "a\n", "x" * 101])
def test_a_key_s_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        new_key(tmp_path / "keys", name)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_other_kinds_are_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for what, data in {"kind": pem, "open": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}.items():
        (tmp_path / "k.pem").write_bytes(data)
        (tmp_path / "k.pem").chmod(0o600)
        with pytest.raises(InputError, match=what):
            load_key(tmp_path / "k.pem", passphrase=str)


def test_a_public_key_file_must_be_one(tmp_path: Path) -> None:
    for data in (b"{}", b"[]", canonical({"key": 1, "algorithm": "rsa", "name": "a", "public": ""})):
        (tmp_path / "a.key.json").write_bytes(data)
        with pytest.raises(InputError):
            read_public(tmp_path / "a.key.json")


def test_only_a_trust_root_is_parsed_as_one() -> None:
    with pytest.raises(InputError, match="does not hold"):
        parsed(Trust, {"trust": 1}, where="here")
