"""Who may do what: API keys by role, and a declared policy for every route. Knows no route of its own."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from interlock.core.strict import Strict
from interlock.serve.refusal import Refusal


class Role(StrEnum):
    """What an API key is for."""

    CLIENT = "client"  # asks for decisions
    METRICS = "metrics"  # reads what the server says of itself
    ADMIN = "admin"  # changes which bundle answers


ANYONE: frozenset[Role] = frozenset()  # a policy: no key needed
CLIENTS = frozenset({Role.CLIENT, Role.ADMIN})
WATCHERS = frozenset({Role.METRICS, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
LOOPBACK = re.compile(rb"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)


class ApiKey(Strict):
    """One key: whose, for what, and its SHA-256; a key is 256 random bits and needs no slower hash."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    role: Role
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Access:
    """The keys of a server. Without any, only callers on this machine are served, and those may do everything."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        """Know ``keys``."""
        self._keys = tuple(keys)

    def renew(self, keys: Sequence[ApiKey]) -> None:
        """Know ``keys`` from now on, and no others."""
        self._keys = tuple(keys)

    def check(self, allowed: frozenset[Role], headers: Mapping[bytes, bytes]) -> str:
        """Return who asks, by the key's name; ``""`` when no key was needed.

        Raises:
            Refusal: the caller may not.
        """
        if not self._keys:
            _check_host(headers.get(b"host", b""))
            return ""
        if allowed is ANYONE:
            return ""
        given = _given(headers)
        found = None
        for key in self._keys:  # all of them, so that the time taken does not tell which one nearly matched
            if hmac.compare_digest(given, key.sha256):
                found = key
        if found is None:
            raise Refusal("unauthenticated", headers=[(b"www-authenticate", b"Bearer")])
        if found.role not in allowed:
            raise Refusal("forbidden")
        return found.name


def _given(headers: Mapping[bytes, bytes]) -> str:
    """Return the SHA-256 of the key a caller shows, as ``Authorization: Bearer KEY`` or ``X-API-Key: KEY``."""
    kind, _, value = headers.get(b"authorization", b"").partition(b" ")
    key = value.strip() if kind.lower() == b"bearer" else headers.get(b"x-api-key", b"")
    return hashlib.sha256(key).hexdigest()


def _check_host(host: bytes) -> None:
    """Refuse what a web page elsewhere could send here by giving its own name this machine's address."""
    if LOOPBACK.fullmatch(host) is None:
        raise Refusal("wrong_host")
