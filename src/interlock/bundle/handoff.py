"""A decision as a short signed token, and the agent's side that admits it. Knows no messages, only their digests.

A token is ``PAYLOAD.SIGNATURE`` in base64url without padding. The payload is canonical JSON; the signature is Ed25519
over DSSE's encoding of it under a payload type of its own, so a signature over a bundle's manifest never counts here
and none made here counts there. Only one spelling of a token is accepted.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from interlock.bundle.keys import SigningKey
from interlock.bundle.replay import Seen
from interlock.bundle.sign import SIGNATURE_BYTES, pae
from interlock.bundle.trust import Trust, Trusted, read_trust
from interlock.core.canonical import canonical, digest, read_json
from interlock.core.clock import SystemClock
from interlock.core.decision import Decision
from interlock.core.errors import InputError, Problem
from interlock.core.strict import Name, Strict
from interlock.predict.handoff import admit as admit_decision
from interlock.predict.handoff import admits

PAYLOAD_TYPE = "application/vnd.interlock.handoff.v1+json"
MAX_TOKEN = 4096  # characters
WINDOW, SKEW = 60.0, 5.0  # seconds
Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", strict=True)]
RequestId = Annotated[str, Field(min_length=1, max_length=200, strict=True)]


class Handoff(Strict):
    """What a token says."""

    handoff: Literal[1]
    bundle: Sha256
    route: Annotated[Name, Field(strict=True)]
    outcome: Literal["routed", "guarded", "abstained", "blocked", "unavailable"]
    request: RequestId
    time: Annotated[int, Field(ge=0, le=253_402_300_799_999, strict=True)]  # milliseconds since 1970, UTC
    text: Sha256  # of request id and message together, so that equal messages do not show
    key: Sha256  # which key to look for in the trust root


class Refusal(StrEnum):
    """Why a token is not admitted."""

    NOT_PINNED = "not_pinned"  # the agent names no bundle, no route, no trust root or nothing to know replays by
    MALFORMED = "malformed"  # not a token, or one in another spelling
    UNKNOWN_KEY = "unknown_key"  # the trust root does not know the key, or not for handoffs
    REVOKED_KEY = "revoked_key"
    KEY_NOT_IN_FORCE = "key_not_in_force"  # its time or the trust root's has passed, or the agent's clock was set back
    BAD_SIGNATURE = "bad_signature"
    OTHER_BUNDLE = "other_bundle"  # stale, or never pinned
    OTHER_ROUTE = "other_route"  # not the agent's, or a fallback that shares it
    OTHER_TEXT = "other_text"  # the message is not the one that was decided
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    REPLAYED = "replayed"  # this request was admitted before, or may have been


@dataclass(frozen=True, slots=True)
class Examined:
    """What an agent makes of a token. ``handoff`` is there once the signature holds."""

    refused: Refusal | None
    handoff: Handoff | None = None


def text_digest(request_id: str, text: str) -> str:
    """Return what a token says of its message: the digest of request id and text together."""
    return digest(json.dumps([request_id, text], separators=(",", ":")).encode())  # ASCII, so that any text has one


def make_token(decision: Decision, *, key: SigningKey, request_id: str, text: str, at: datetime) -> str:
    """Return the token that carries ``decision`` to the agent behind its route.

    Args:
        decision: of a bundle with a digest.
        key: a key that the agent's trust root knows as ``handoff``.
        request_id: names the request; an agent admits each once.
        text: the message as it came; only a digest goes into the token.
        at: when it was decided, with a time zone.

    Raises:
        InputError: a request id, route or digest that no token can carry.
        ValueError: the decision names no bundle.
    """
    if decision.bundle_digest is None:
        raise ValueError("a token needs the digest of the bundle that decided")
    try:
        body = Handoff(
            handoff=1,
            bundle=decision.bundle_digest,
            route=decision.route,
            outcome=decision.outcome.value,
            request=request_id,
            time=_milliseconds(at),
            text=text_digest(request_id, text),
            key=key.keyid,
        )
    except ValidationError as error:
        problems = [
            Problem("token", str(item["loc"][0]), item["msg"], repr(item["input"])[:80]) for item in error.errors()
        ]
        raise InputError("this decision cannot be handed off", problems) from error
    payload = canonical(body.model_dump(mode="json"))
    return f"{_spelled(payload)}.{_spelled(key.sign(pae(PAYLOAD_TYPE, payload)))}"


def admit(  # noqa: PLR0913 - everything an agent pins
    given: object,
    *,
    bundle: str,
    route: str,
    trust: Trust | str | Path | None = None,
    seen: Seen | None = None,
    now: datetime | None = None,
    window: float = WINDOW,
    skew: float = SKEW,
    text: str | None = None,
) -> bool:
    """Whether an agent may act on a token, or on a decision (or its JSON form) it got over a channel it trusts.

    Every option but ``bundle`` and ``route`` is of tokens; see ``examine``.

    Returns:
        True only when the router itself sent the message to exactly this route, with exactly this bundle; of a token
        also that a trusted handoff key signed it, that it is fresh, and that its request was not admitted before.
        What a caller may send never raises; ``examine`` says why a token is refused.
    """
    if not isinstance(given, str):
        return isinstance(given, Decision | Mapping) and admit_decision(given, bundle=bundle, route=route)
    found = examine(
        given, bundle=bundle, route=route, trust=trust, seen=seen, now=now, window=window, skew=skew, text=text
    )
    return found.refused is None


def examine(  # noqa: PLR0913 - everything an agent pins
    token: object,
    *,
    bundle: str,
    route: str,
    trust: Trust | str | Path | None,
    seen: Seen | None,
    now: datetime | None = None,
    window: float = WINDOW,
    skew: float = SKEW,
    text: str | None = None,
) -> Examined:
    """Return what an agent makes of a token.

    Args:
        token: anything at all.
        bundle: the digest of the one bundle the agent trusts.
        route: the one route that leads to the agent.
        trust: the trust root, or its file. Only keys of the role ``handoff`` count.
        seen: remembers which requests were admitted; one for all processes that act for this agent.
        now: the agent's time, with a time zone; the machine's unless given.
        window: seconds for which a token is good.
        skew: seconds by which the router's clock may be ahead.
        text: the message, when the agent has it; it must be the one that was decided.

    Raises:
        InputError: the trust root's file does not read. Nothing a token holds raises.
        ValueError: ``now`` has no time zone.
    """
    root = read_trust(Path(trust)) if isinstance(trust, str | Path) else trust
    now = now or SystemClock().now()
    moment = _milliseconds(now)
    if not bundle or not route or root is None or seen is None:
        return Examined(Refusal.NOT_PINNED)
    found = _signed(token, root, now)
    if isinstance(found, Refusal):
        return Examined(found)
    refused = _unwanted(found, bundle, route, text)
    refused = refused or _untimely(moment - found.time, window=window, skew=skew)
    refused = refused or _repeated(found, seen, now=moment, window=window, skew=skew)
    return Examined(refused, found)


def _signed(token: object, trust: Trust, now: datetime) -> Handoff | Refusal:
    """Return what a token says when a trusted handoff key signed it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    read = _read(token)
    if read is None:
        return Refusal.MALFORMED
    body, payload, signature = read
    key: Trusted | None = trust.keys.get(body.key)
    if key is None or key.role != "handoff":
        return Refusal.UNKNOWN_KEY
    if key.revoked is not None:
        return Refusal.REVOKED_KEY
    if trust.untimely(now) or key.untimely(now):
        return Refusal.KEY_NOT_IN_FORCE
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key.public)).verify(signature, pae(PAYLOAD_TYPE, payload))
    except (InvalidSignature, ValueError):
        return Refusal.BAD_SIGNATURE
    return body


def _read(token: object) -> tuple[Handoff, bytes, bytes] | None:
    """Return what a token says, its payload and its signature; nothing unless it is spelled in the one way."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not token.isascii():
        return None
    parts = token.split(".")
    if len(parts) != 2:  # noqa: PLR2004 - payload and signature
        return None
    try:
        payload, signature = (
            base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True) for part in parts
        )
        body = Handoff.model_validate(read_json(payload, where="token"))
        canonical_again = canonical(body.model_dump(mode="json"))
    except (binascii.Error, ValueError, InputError):  # pydantic's ValidationError is a ValueError
        return None
    if [_spelled(payload), _spelled(signature)] != parts or canonical_again != payload:
        return None
    return (body, payload, signature) if len(signature) == SIGNATURE_BYTES else None


def _unwanted(found: Handoff, bundle: str, route: str, text: str | None) -> Refusal | None:
    if found.bundle != bundle:
        return Refusal.OTHER_BUNDLE
    if not admits(found.bundle, found.route, found.outcome, bundle=bundle, route=route):
        return Refusal.OTHER_ROUTE
    return Refusal.OTHER_TEXT if text is not None and text_digest(found.request, text) != found.text else None


def _repeated(found: Handoff, seen: Seen, *, now: int, window: float, skew: float) -> Refusal | None:
    """Remember the request; say so when it was admitted before."""
    made, until = found.time - math.ceil(1000 * skew), found.time + math.ceil(1000 * window)
    return None if seen.first(found.request, made=made, until=until, now=now) else Refusal.REPLAYED


def _untimely(age: int, *, window: float, skew: float) -> Refusal | None:
    """Return what is wrong with a token that is ``age`` milliseconds old; a window that is no number holds nothing."""
    if not (math.isfinite(1000 * window) and math.isfinite(1000 * skew)):
        return Refusal.EXPIRED
    if not age >= -1000 * skew:
        return Refusal.FROM_THE_FUTURE
    if not age <= 1000 * window:
        return Refusal.EXPIRED
    return None


def _milliseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("a time without its zone could be any of 38 hours")
    return int(moment.timestamp() * 1000)


def _spelled(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
