"""Permission to make an older or revoked bundle the active one: two approvers sign one sentence. Knows no registry.

The sentence is a DSSE payload: which bundle, for which alias, in place of which, why, from when until when. It is good
for one move, and only while both signatures hold.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from interlock.bundle.keys import SigningKey
from interlock.bundle.manifest import Sha256
from interlock.bundle.sign import (
    Signature,
    Signer,
    check_time,
    envelope_of,
    read_envelope,
    signature_of,
    wrong_signature,
)
from interlock.bundle.trust import CLOCKS_DIFFER, Text, Trust, parsed
from interlock.core.canonical import canonical, digest, read_json
from interlock.core.errors import InputError, Problem, RefusedError
from interlock.core.registry import AliasName
from interlock.core.strict import Strict

TOKEN_TYPE = "application/vnd.interlock.rollback.v1+json"  # noqa: S105 - the payload's type
WHERE = "token"
APPROVERS = 2
LONGEST = timedelta(days=7)


class Rollback(Strict):
    """What two approvers agree to."""

    rollback: Literal[1]
    alias: AliasName
    bundle: Sha256  # where the alias is to point
    replaces: Sha256 | None  # where it points now
    reason: Text
    created: Text  # ISO 8601 with a zone
    expires: Text
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", strict=True)]  # two agreements about the same are two

    def to_bytes(self) -> bytes:
        """Return what is signed."""
        return canonical(self.model_dump(mode="json"))


@dataclass(frozen=True, slots=True)
class Token:
    """A token that holds."""

    rollback: Rollback
    digest: str  # of the signed payload, by which its use is known
    approvers: tuple[Signer, ...]


def propose(
    *, alias: AliasName, bundle: str, replaces: str | None, reason: str, now: datetime, hours: float
) -> Rollback:
    """Return an agreement for approvers to sign.

    Raises:
        InputError: it lasts no time or more than seven days, or lacks a reason.
    """
    most = LONGEST / timedelta(hours=1)
    if not 0 < hours <= most:
        raise InputError(
            "this token lasts too long or no time", [Problem(WHERE, "hours", f"up to {most:g}", f"{hours}")]
        )
    body = {"rollback": 1, "alias": alias, "bundle": bundle, "replaces": replaces, "reason": reason}
    times = {
        "created": now.isoformat(),
        "expires": (now + timedelta(hours=hours)).isoformat(),
        "nonce": secrets.token_hex(16),
    }
    return parsed(Rollback, {**body, **times}, where=WHERE)


def approve(token: bytes | Rollback, key: SigningKey) -> bytes:
    """Return a token with ``key``'s signature added.

    Raises:
        RefusedError: it is no token.
    """
    payload, old = (token.to_bytes(), ()) if isinstance(token, Rollback) else _payload(token)
    return envelope_of(payload, [*old, signature_of(payload, key, kind=TOKEN_TYPE)], kind=TOKEN_TYPE).to_bytes()


def read_token(token: bytes) -> Rollback:
    """Return what a token says; nothing of it is checked.

    Raises:
        RefusedError: it is no token.
    """
    payload, _ = _payload(token)
    try:
        found = parsed(Rollback, read_json(payload, where=WHERE), where=WHERE)
    except InputError as error:
        raise RefusedError("this is no token", error.problems) from error
    if found.to_bytes() != payload:
        raise RefusedError("this is no token", [Problem(WHERE, "payload", "canonical JSON", "written in another way")])
    return found


def check_token(token: bytes, trust: Trust, *, now: datetime) -> Token:
    """Return a token when two trusted approvers signed it and its time is now.

    Raises:
        RefusedError: a signature that does not hold, fewer than two persons, not yet or no longer valid, or the trust
            root expired.
    """
    check_time(trust, now=now)
    said = read_token(token)
    payload, signatures = _payload(token)
    found, problems = [], list(_wrong_time(said, now))
    for signature in signatures:
        key = trust.keys.get(signature.keyid)
        if key is None or key.role != "approver":
            state = "an unknown key" if key is None else f"a key to sign as {key.role}"
            problems.append(Problem(WHERE, signature.keyid, "a trusted approver's key", state))
        elif wrong := wrong_signature(signature, key, payload, kind=TOKEN_TYPE):
            problems.append(Problem(WHERE, signature.keyid, *wrong))
        elif late := key.untimely(now):
            problems.append(Problem(WHERE, signature.keyid, *late))
        else:
            found.append(Signer(key.role, key.name, signature.keyid))
    persons = {unicodedata.normalize("NFKC", signer.name).casefold() for signer in found}
    if len(persons) < APPROVERS:
        got = ", ".join(sorted(persons)) or "nobody"
        problems.append(Problem(WHERE, "signatures", "two persons who approve", got))
    if problems:
        raise RefusedError("this token allows nothing", problems)
    return Token(said, digest(payload), tuple(sorted(found, key=lambda signer: signer.name)))


def _wrong_time(said: Rollback, now: datetime) -> Iterator[Problem]:
    try:
        created, expires = datetime.fromisoformat(said.created), datetime.fromisoformat(said.expires)
        whole, early, late = expires - created, created - now, now - expires
    except (ValueError, TypeError):  # no time, or one without a zone
        yield Problem(WHERE, "created, expires", "times with a zone", f"{said.created}, {said.expires}")
        return
    if not timedelta(0) < whole <= LONGEST:
        yield Problem(WHERE, "expires", "at most 7 days after it was made", said.expires)
    if not early <= CLOCKS_DIFFER:
        yield Problem(WHERE, "created", f"before {now.isoformat()}", said.created)
    if not late < timedelta(0):
        yield Problem(WHERE, "expires", f"after {now.isoformat()}", said.expires)


def _payload(token: bytes) -> tuple[bytes, tuple[Signature, ...]]:
    envelope = read_envelope(token, kind=TOKEN_TYPE, where=WHERE)
    try:
        return base64.b64decode(envelope.payload, validate=True), envelope.signatures
    except (binascii.Error, ValueError) as error:
        raise RefusedError("this is no token", [Problem(WHERE, "payload", "base64", "something else")]) from error
