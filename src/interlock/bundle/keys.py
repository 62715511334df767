"""Private keys and a key folder: ``NAME.key.json``, ``private/NAME.pem``, ``trust.json``. Knows no bundles.

The only file that makes, stores and loads private keys. They are PKCS#8 PEM, readable by their owner alone.
"""

from __future__ import annotations

import base64
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from interlock.bundle.durable import write_whole
from interlock.bundle.trust import PublicKey, key_id, parsed, read_small
from interlock.core.canonical import canonical
from interlock.core.errors import InputError, Problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TRUST, PRIVATE = "trust.json", "private"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Ask(Protocol):
    """Where a passphrase comes from when a key needs one."""

    def __call__(self) -> str:
        """Return the passphrase."""
        ...


@dataclass(frozen=True)
class SigningKey:
    """A private key, ready to sign."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The public key, in base64."""
        return base64.b64encode(self.private.public_key().public_bytes_raw()).decode()

    @property
    def keyid(self) -> str:
        """The digest of the public key."""
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the Ed25519 signature (RFC 8032)."""
        return self.private.sign(message)


def private_path(folder: Path, name: str) -> Path:
    """Return where a key folder keeps a private key."""
    return folder / PRIVATE / f"{name}.pem"


def new_key(folder: Path, name: str, *, passphrase: str | None = None) -> PublicKey:
    """Make a key pair: ``folder/NAME.key.json`` to hand out, and the private key under ``folder/private``.

    Raises:
        InputError: the name is no name, or there is a key of this name.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = SigningKey(Ed25519PrivateKey.generate())
    body = {"key": 1, "algorithm": "ed25519", "name": name, "public": key.public}
    public = parsed(PublicKey, body, where=f"key {name}")
    secret, handed = private_path(folder, name), folder / f"{name}.key.json"
    for path in (secret, handed):
        if path.exists():
            raise InputError(f"{path} exists", [Problem(str(path), "", "no key of this name", "one")])
    secret.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret.parent.chmod(0o700)
    write_whole(secret, _pem(key, passphrase), mode=0o600)
    write_whole(handed, canonical(public.model_dump(mode="json")) + b"\n")
    return public


def load_key(path: Path, *, passphrase: Ask) -> SigningKey:
    """Load a private key; ``passphrase`` is asked only when it is encrypted.

    Raises:
        InputError: there is none, others can read it, the passphrase is wrong, or it is not an Ed25519 key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = read_small(path)
    if path.stat().st_mode & OTHERS:
        problem = Problem(str(path), "mode", "readable by its owner alone", oct(stat.S_IMODE(path.stat().st_mode)))
        raise InputError("others can read this private key", [problem], todo=f"Run: chmod 600 {path}")
    encrypted = b"ENCRYPTED" in data
    try:
        key = load_pem_private_key(data, passphrase().encode() if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        wrong = "another passphrase" if encrypted else "something else"
        raise InputError(
            f"{path} does not open", [Problem(str(path), "", "an Ed25519 private key in PEM", wrong)]
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path} is a key of another kind", [Problem(str(path), "", "Ed25519", type(key).__name__)])
    return SigningKey(key)


def _pem(key: SigningKey, passphrase: str | None) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    locked: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase.encode()) if passphrase is not None else NoEncryption()
    )
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
