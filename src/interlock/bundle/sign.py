"""Signatures over a bundle's exact manifest bytes: a DSSE envelope of Ed25519 signatures. Knows no files but one.

The envelope is written and accepted in one form only (canonical JSON, signatures by key id), so a change of any of its
bytes is either refused or breaks a signature. What a signature counts as is never read from it: the trust root gives
each key one role.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from interlock.bundle.durable import write_whole
from interlock.bundle.keys import SigningKey
from interlock.bundle.layout import SIGNATURE
from interlock.bundle.read import Verified, read_verified
from interlock.bundle.trust import Role, Trust, Trusted
from interlock.core.canonical import canonical, read_json
from interlock.core.errors import InputError, Problem, RefusedError
from interlock.core.strict import Strict

PAYLOAD_TYPE = "application/vnd.interlock.bundle-manifest.v1+json"
SIGNATURE_BYTES = 64


class Signature(Strict):
    """One key's signature; the id finds the key, it proves nothing."""

    keyid: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", strict=True)]
    sig: Annotated[str, Field(max_length=100, strict=True)]

    @property
    def raw(self) -> bytes:
        """The 64 bytes.

        Raises:
            ValueError: they are not there, or written in another way than the usual one.
        """
        try:
            data = base64.b64decode(self.sig, validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
        if len(data) != SIGNATURE_BYTES or base64.b64encode(data).decode() != self.sig:
            raise ValueError(f"not the base64 of {SIGNATURE_BYTES} bytes")
        return data


class Envelope(Strict):
    """A DSSE envelope (github.com/secure-systems-lab/dsse, envelope.md)."""

    payloadType: Annotated[str, Field(strict=True)]  # noqa: N815 - the envelope's own names
    payload: Annotated[str, Field(strict=True)]
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=100)]

    def to_bytes(self) -> bytes:
        """Return the one accepted form."""
        return canonical(self.model_dump(mode="json"))


@dataclass(frozen=True, slots=True)
class Signer:
    """A signature that holds: whose, and as what the trust root knows the key."""

    role: Role
    name: str
    keyid: str


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding, whose lengths leave no two readings."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(data: bytes, manifest: bytes) -> Envelope:
    """Read an envelope that signs exactly ``manifest``. The signatures in it are not checked yet.

    Raises:
        RefusedError: anything but the one accepted form, another payload type, another manifest, a key twice.
    """
    envelope = read_envelope(data, kind=PAYLOAD_TYPE, where=SIGNATURE)
    if envelope.payload != base64.b64encode(manifest).decode():
        problem = Problem(SIGNATURE, "payload", "the manifest's exact bytes", "other bytes")
        raise RefusedError(f"{SIGNATURE} does not sign this bundle", [problem])
    return envelope


def read_envelope(data: bytes, *, kind: str, where: str) -> Envelope:
    """Read an envelope of one payload type. The signatures in it are not checked yet.

    Raises:
        RefusedError: anything but the one accepted form, another payload type, a key twice.
    """
    try:
        envelope = Envelope.model_validate(read_json(data, where=where))
    except InputError as error:
        raise RefusedError(f"{where} does not read", error.problems) from error
    except ValidationError as error:
        problems = [
            Problem(where, ".".join(map(str, item["loc"])), item["msg"], repr(item["input"])[:80])
            for item in error.errors(include_url=False)
        ]
        raise RefusedError(f"{where} is no envelope", problems) from error
    if problems := list(_wrong_envelope(envelope, data, kind=kind, where=where)):
        raise RefusedError(f"{where} does not sign this", problems)
    return envelope


def _wrong_envelope(envelope: Envelope, data: bytes, *, kind: str, where: str) -> Iterator[Problem]:
    ids = [signature.keyid for signature in envelope.signatures]
    if envelope.payloadType != kind:
        yield Problem(where, "payloadType", kind, envelope.payloadType[:100])
    if ids != sorted(set(ids)):
        yield Problem(where, "signatures", "one of each key, by key id", "a key twice, or another order")
    if envelope.to_bytes() != data:
        yield Problem(where, "", "canonical JSON", "the same envelope written in another way")


def signers(data: bytes | None, manifest: bytes, trust: Trust, *, now: datetime) -> tuple[Signer, ...]:
    """Return who signed ``manifest``, when every signature holds and every required role is among them.

    A right signature of a key whose time is not ``now`` does not count, and does not spoil the others either: what an
    expired key signed can be signed again by its owner's next one.

    Raises:
        RefusedError: there is no signature, one of an unknown or revoked key, one that is wrong, a role is missing, or
            the trust root expired.
    """
    check_time(trust, now=now)
    if data is None:
        raise RefusedError("the bundle is not signed", list(_missing(trust, ())))
    found, problems, lapsed = [], [], []
    for signature in parse_envelope(data, manifest).signatures:
        key = trust.keys.get(signature.keyid)
        where = f"signatures.{signature.keyid}"
        if key is None:
            problems.append(Problem(SIGNATURE, where, "a key of the trust root", "an unknown key"))
        elif wrong := wrong_signature(signature, key, manifest, kind=PAYLOAD_TYPE):
            problems.append(Problem(SIGNATURE, where, *wrong))
        elif late := key.untimely(now):
            lapsed.append(Problem(SIGNATURE, where, *late))
        else:
            found.append(Signer(key.role, key.name, signature.keyid))
    if problems := [*problems, *_missing(trust, tuple(found))]:
        raise RefusedError("the bundle's signatures do not suffice", [*problems, *lapsed])
    return tuple(sorted(found, key=lambda signer: (signer.role, signer.name)))


def check_time(trust: Trust, *, now: datetime) -> None:
    """Refuse a trust root whose time has passed.

    Raises:
        RefusedError: it expired.
    """
    if late := trust.untimely(now):
        raise RefusedError("the trust root expired", [Problem("trust root", "expires", *late)])


def _missing(trust: Trust, found: tuple[Signer, ...]) -> Iterator[Problem]:
    for role in trust.required:
        if role not in {signer.role for signer in found}:
            yield Problem(SIGNATURE, role, f"a signature of a trusted {role}", "none")


def wrong_signature(signature: Signature, key: Trusted, payload: bytes, *, kind: str) -> tuple[str, str] | None:
    """Return what was expected of a signature and what it is instead; nothing when it holds."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if key.role == "handoff":
        return "a key that signs bundles", f"{key.name}'s, which signs decisions"
    if key.revoked is not None:
        return "a key in force", f"{key.name}'s, revoked at {key.revoked.at}: {key.revoked.reason}"
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.public))
        public.verify(signature.raw, pae(kind, payload))
    except (InvalidSignature, ValueError):
        return f"a signature by {key.name}", "a wrong one"
    return None


def sign_bundle(folder: Path, verified: Verified, key: SigningKey) -> str:
    """Add ``key``'s signature over the manifest that was ``verified`` and return the key's id.

    Signing again with the same key changes nothing; another key's signature stays beside it.

    Raises:
        RefusedError: the bundle is no longer the verified one, or its signatures are for another.
    """
    add_signatures(folder, verified, [signature_of(verified.listing, key, kind=PAYLOAD_TYPE)])
    return key.keyid


def signature_of(payload: bytes, key: SigningKey, *, kind: str) -> Signature:
    """Return ``key``'s signature over ``payload``."""
    return Signature(keyid=key.keyid, sig=base64.b64encode(key.sign(pae(kind, payload))).decode())


def envelope_of(payload: bytes, signatures: Iterable[Signature], *, kind: str) -> Envelope:
    """Return the envelope of ``signatures`` over ``payload``, one of each key; the last of a key counts."""
    kept = {one.keyid: one for one in signatures}
    encoded = base64.b64encode(payload).decode()
    return Envelope(payloadType=kind, payload=encoded, signatures=tuple(kept[keyid] for keyid in sorted(kept)))


def add_signatures(folder: Path, verified: Verified, signatures: Iterable[Signature]) -> None:
    """Add ``signatures`` to those of a bundle.

    Raises:
        RefusedError: the bundle is no longer the verified one, or its signatures are for another.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # two signers at once would lose one signature
        now = read_verified(folder)
        if now.listing != verified.listing:
            raise RefusedError(f"{folder} changed", [Problem(str(folder), "digest", verified.digest, now.digest)])
        made = envelope_of(now.listing, [*signatures_of(now), *signatures], kind=PAYLOAD_TYPE).to_bytes()
        if made != now.signature:
            write_whole(
                folder / SIGNATURE, made, scratch=folder.resolve().parent
            )  # in the bundle it would be an extra file
    finally:
        os.close(handle)


def signatures_of(verified: Verified) -> tuple[Signature, ...]:
    """Return the signatures a bundle carries, unchecked."""
    return parse_envelope(verified.signature, verified.listing).signatures if verified.signature is not None else ()
