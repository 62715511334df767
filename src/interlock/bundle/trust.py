"""Whose signatures count, and as what: public keys, roles, and the trust root that lists them. Knows no bundles."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from interlock.core.canonical import canonical, digest, read_json
from interlock.core.errors import InputError, Problem
from interlock.core.strict import Strict

Role = Literal["builder", "approver", "handoff"]
Vouching = Literal["builder", "approver"]  # roles that sign bundles; a handoff key signs decisions and nothing else
ROLES: tuple[Vouching, ...] = ("builder", "approver")
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$", strict=True)]
Text = Annotated[str, Field(min_length=1, max_length=1000, strict=True)]
PUBLIC_BYTES = 32
MAX_BYTES = 1_000_000  # of a key file or a trust root
CLOCKS_DIFFER = timedelta(minutes=5)  # between two machines that keep time


def _utc(text: str) -> str:
    try:
        offset = datetime.fromisoformat(text).utcoffset()
    except ValueError:
        offset = None
    if offset != timedelta(0):
        raise ValueError("a time must be ISO 8601 in UTC, as 2027-01-31T00:00:00+00:00")
    return text


Moment = Annotated[str, Field(max_length=40, strict=True), AfterValidator(_utc)]

Read = TypeVar("Read", bound=Strict)


def key_id(public: str) -> str:
    """Return the id of a public key given in base64: the digest of its 32 bytes, so that no two keys share one.

    Raises:
        ValueError: it is not the base64 of 32 bytes.
    """
    try:
        raw = base64.b64decode(public, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a public key must be base64") from error
    if len(raw) != PUBLIC_BYTES or base64.b64encode(raw).decode() != public:
        raise ValueError(f"a public key must be the base64 of {PUBLIC_BYTES} bytes")
    return digest(raw)


class PublicKey(Strict):
    """What a person hands out: ``NAME.key.json``."""

    key: Literal[1]
    algorithm: Literal["ed25519"]
    name: Name
    public: str

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        key_id(self.public)
        return self

    @property
    def keyid(self) -> str:
        """The digest of the public key."""
        return key_id(self.public)


class Revocation(Strict):
    """Why and when a key stopped counting."""

    reason: Text
    at: Text  # ISO 8601, UTC


class Trusted(Strict):
    """One key of the trust root. It has exactly one role."""

    name: Name
    role: Role
    public: str
    since: Moment | None = None  # when it was listed: a clock that shows less was set back
    expires: Moment | None = None
    revoked: Revocation | None = None

    @model_validator(mode="after")
    def _has_time(self) -> Self:
        times = [datetime.fromisoformat(time) for time in (self.since, self.expires) if time is not None]
        if times != sorted(set(times)):
            raise ValueError(f"the key of {self.name} expires before it is trusted")
        return self

    def untimely(self, now: datetime) -> tuple[str, str] | None:
        """Return what was expected and what it is instead, when the key does not count at ``now``."""
        if self.since is not None and datetime.fromisoformat(self.since) - now > CLOCKS_DIFFER:
            return "a key in force", f"{self.name}'s, trusted since {self.since}, by a clock at {now.isoformat()}"
        if self.expires is not None and not now < datetime.fromisoformat(self.expires):
            return "a key in force", f"{self.name}'s, expired at {self.expires}"
        return None


class Trust(Strict):
    """The trust root: every key that was ever trusted, and the roles that must have signed."""

    trust: Literal[1]
    version: Annotated[int, Field(ge=1, strict=True)]
    required: Annotated[tuple[Vouching, ...], Field(min_length=1)] = ROLES
    expires: Moment | None = None
    keys: dict[str, Trusted] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_games(self) -> Self:
        roles: dict[str, str] = {}
        for keyid, key in self.keys.items():
            if key_id(key.public) != keyid:
                raise ValueError(f"the key of {key.name} does not have the id {keyid}")
            if key.revoked is None and roles.setdefault(key.name, key.role) != key.role:
                raise ValueError(f"{key.name} has keys for two roles; the roles need two persons")
        if len(set(self.required)) != len(self.required):
            raise ValueError("a required role stands there twice")
        return self

    def to_bytes(self) -> bytes:
        """Return the canonical trust root."""
        return canonical(self.model_dump(mode="json", exclude_none=True))

    def untimely(self, now: datetime) -> tuple[str, str] | None:
        """Return what was expected and what it is instead, when no key of the root counts at ``now`` any more."""
        if self.expires is not None and not now < datetime.fromisoformat(self.expires):
            return "a trust root in force", f"one that expired at {self.expires}"
        return None

    def with_key(self, key: PublicKey, role: Role, *, at: datetime | None = None, expires: str | None = None) -> Trust:
        """Return the next version, in which ``key`` may sign as ``role``, from ``at`` until ``expires``.

        Raises:
            InputError: the key is there already, was revoked, its owner has another role, or a time does not hold.
        """
        known = self.keys.get(key.keyid)
        if known is not None:
            state = "a revoked key" if known.revoked else f"trusted as {known.role}"
            problem = Problem(key.name, key.keyid, "a key that is not listed yet", state)
            raise InputError("this key cannot be trusted again", [problem], todo="Make another key.")
        times = {"since": at.isoformat() if at is not None else None, "expires": expires}
        body = {"name": key.name, "role": role, "public": key.public, **times}
        return self._next(keys={**self.keys, key.keyid: parsed(Trusted, body, where="trust root")})

    def until(self, expires: str, *, keyid: str | None = None) -> Trust:
        """Return the next version, which counts until ``expires`` and no longer; or one key of it.

        Raises:
            InputError: there is no such key, it is revoked, or the time does not hold.
        """
        if keyid is None:
            return self._next(expires=expires)
        ending = self._in_force(keyid, what="this key cannot be given a time").model_dump()
        return self._next(keys={**self.keys, keyid: {**ending, "expires": expires}})

    def without(self, keyid: str, *, reason: str, at: datetime) -> Trust:
        """Return the next version, in which no signature of the key counts any more, whenever it was made.

        Raises:
            InputError: there is no such key, or it is revoked already.
        """
        known = self._in_force(keyid, what="this key cannot be revoked")
        ended = known.model_copy(update={"revoked": Revocation(reason=reason, at=at.isoformat())})
        return self._next(keys={**self.keys, keyid: ended})

    def requiring(self, roles: tuple[Vouching, ...]) -> Trust:
        """Return the next version, in which each of ``roles`` must have signed."""
        return self._next(required=roles)

    def _in_force(self, keyid: str, *, what: str) -> Trusted:
        known = self.keys.get(keyid)
        if known is None or known.revoked is not None:
            state = "no such key" if known is None else f"revoked: {known.revoked.reason}" if known.revoked else ""
            raise InputError(what, [Problem("trust root", keyid, "a trusted key", state)])
        return known

    def _next(self, **changed: Any) -> Trust:
        return parsed(Trust, {**self.model_dump(), **changed, "version": self.version + 1}, where="trust root")


NOBODY = Trust(trust=1, version=1)


def parsed(kind: type[Read], body: Any, *, where: str) -> Read:
    """Return ``body`` as a checked ``kind``.

    Raises:
        InputError: it is none, with every problem.
    """
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        problems = [
            Problem(where, ".".join(map(str, item["loc"])), item["msg"], repr(item["input"])[:80])
            for item in error.errors(include_url=False)
        ]
        raise InputError(f"{where} does not hold", problems) from error


def read_small(path: Path) -> bytes:
    """Return the bytes of a key file or a trust root.

    Raises:
        InputError: there is no such file, or it is larger than any of these is.
    """
    if not path.is_file():
        raise InputError(f"{path} is not there", [Problem(str(path), "", "a file", "none")])
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is too large", [Problem(str(path), "size", f"at most {MAX_BYTES}", "more")])
    return data


def read_public(path: Path) -> PublicKey:
    """Read a public key file; raises ``InputError`` when it is none."""
    return parsed(PublicKey, read_json(read_small(path), where=str(path)), where=str(path))


def read_trust(path: Path) -> Trust:
    """Read a trust root; raises ``InputError`` when it is none."""
    return parsed(Trust, read_json(read_small(path), where=str(path)), where=str(path))
