"""Signatures as OpenSSF model-signing reads them: an in-toto statement in DSSE in a Sigstore bundle, by an EC key.

For exports alone. What Interlock itself trusts are Ed25519 signatures over the manifest; see ``sign``. Formats:
github.com/sigstore/model-transparency (docs/model_signing_format.md) and docs.sigstore.dev/about/bundle.
"""

from __future__ import annotations

import base64
import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.bundle.keys import OTHERS, Ask
from interlock.bundle.sign import pae
from interlock.bundle.trust import read_small
from interlock.core.errors import InputError, Problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

SIGNATURE = "model.sig"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def load_ec_key(path: Path, *, passphrase: Ask) -> EllipticCurvePrivateKey:
    """Load an EC P-256 private key in PEM, such as ``openssl ecparam -name prime256v1 -genkey -noout`` makes.

    Raises:
        InputError: there is none, others can read it, the passphrase is wrong, or it is of another kind.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = read_small(path)
    if path.stat().st_mode & OTHERS:
        mode = oct(stat.S_IMODE(path.stat().st_mode))
        problem = Problem(str(path), "mode", "readable by its owner alone", mode)
        raise InputError("others can read this private key", [problem], todo=f"Run: chmod 600 {path}")
    try:
        key = load_pem_private_key(data, passphrase().encode() if b"ENCRYPTED" in data else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        problem = Problem(str(path), "", "an EC private key in PEM", "something else, or another passphrase")
        raise InputError(f"{path} does not open", [problem]) from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise InputError("this key is of another kind", [Problem(str(path), "", "EC P-256", type(key).__name__)])
    return key


def signed_model(files: Mapping[str, bytes], key: EllipticCurvePrivateKey, *, name: str) -> bytes:
    """Return ``model.sig`` over ``files`` (path -> bytes) of the folder ``name``."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    payload = json.dumps(_statement(files, name=name)).encode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"sig": base64.b64encode(key.sign(pae(PAYLOAD_TYPE, payload), ECDSA(SHA256()))).decode(), "keyid": ""}
        ],
    }
    material = {"publicKey": {"hint": hashlib.sha256(public).hexdigest()}, "tlogEntries": []}
    media = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return json.dumps({"mediaType": media, "verificationMaterial": material, "dsseEnvelope": envelope}).encode()


def _statement(files: Mapping[str, bytes], *, name: str) -> dict[str, object]:
    digests = {path: hashlib.sha256(files[path]).digest() for path in sorted(files)}
    resources = [{"name": path, "algorithm": "sha256", "digest": found.hex()} for path, found in digests.items()]
    rules = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": hashlib.sha256(b"".join(digests.values())).hexdigest()}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"serialization": rules, "resources": resources},
    }
