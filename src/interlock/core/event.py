"""What is kept of every decision: who asked which question, and the answer; never the question. Knows no storage.

Neither the message nor the person stands in an event: only digests under a secret key, so that nobody without the key
can test a guess. What an event refuses, it refuses without repeating it.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from interlock.core.canonical import parse_json
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import InputError, Problem

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")  # no "@", no blanks: an address or a sentence is no id
SHORTEST_KEY = 32  # bytes: what HMAC-SHA256 makes use of
LONGEST_DECISION = 16_384  # characters of JSON
MOST_METADATA = 8

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

_DIGEST = re.compile(r"[0-9a-f]{64}")
_BUNDLE = re.compile(r"sha256:[0-9a-z]{1,64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_WORD = re.compile(r"[a-z][a-z0-9_.-]{0,31}")  # neither a number nor an address can be one
_OUTCOMES, _REASONS = frozenset(Outcome), frozenset(Reason)
_FIELDS = frozenset(Decision.__dataclass_fields__)


class DigestKey:
    """The secret under which texts and subjects are digested. It prints as nothing."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Keep a secret of at least 32 random bytes.

        Raises:
            InputError: it is shorter.
        """
        if len(secret) < SHORTEST_KEY:
            problem = Problem("digest key", "", f"at least {SHORTEST_KEY} random bytes", f"{len(secret)} bytes")
            raise InputError("this key is too short", [problem], todo="Make one: openssl rand -hex 32")
        self._secret = secret

    @classmethod
    def from_hex(cls, text: str) -> DigestKey:
        """Return the key written as hexadecimal digits, as ``openssl rand -hex 32`` prints one.

        Raises:
            InputError: it is not hexadecimal, or too short.
        """
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            problem = Problem("digest key", "", f"{2 * SHORTEST_KEY} hexadecimal digits", f"{len(text)} characters")
            raise InputError("this is no key", [problem], todo="Make one: openssl rand -hex 32") from None

    def of_text(self, text: str) -> str:
        """Return the HMAC-SHA256 of a message (RFC 2104), 64 hexadecimal digits; any string has one."""
        return self._digest(b"text\0", text)

    def of_subject(self, subject: str) -> str:
        """Return the HMAC-SHA256 of who a message belongs to; never that of the same string as a text."""
        return self._digest(b"subject\0", subject)

    @property
    def mark(self) -> str:
        """Return 64 hexadecimal digits that tell this key from others, and nothing of it."""
        return self._digest(b"mark\0", "")

    def _digest(self, kind: bytes, text: str) -> str:
        return hmac.digest(self._secret, kind + text.encode("utf-8", "surrogatepass"), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Event:
    """One decision, as it is kept. ``request_id`` names it: the first event of an id is the one that counts."""

    request_id: str
    at: str  # ISO 8601 in UTC with microseconds, so that text order is time order
    text_digest: str  # DigestKey.of_text
    subject_digest: str | None  # DigestKey.of_subject: whose message it was, for erasure
    bundle_digest: str | None  # None when no bundle answered
    decision: str  # the Decision's JSON, as it was sent
    metadata: Mapping[str, str] = field(default_factory=dict)  # a few words the operator chose
    written: InitVar[bool] = False  # whether ``decision`` was just written from one, and need not be read again

    def __post_init__(self, written: bool) -> None:
        """Refuse whatever is not of its form.

        Raises:
            InputError: naming the fields, not what they hold.
        """
        problems = [Problem("event", *problem) for problem in _problems(self, written=written)]
        if problems:
            raise InputError("this event cannot be kept", problems)

    @classmethod
    def of(
        cls,
        decision: Decision,
        *,
        request_id: str,
        text: str,
        key: DigestKey,
        at: datetime,
        subject: str | None = None,
        metadata: Mapping[str, str] | None = None,
        write: Callable[[Any], str] = compact,
    ) -> Event:
        """Return the event of a decision on ``text``, made for ``subject`` at ``at`` (aware); ``write`` makes JSON."""
        return cls(
            request_id=request_id,
            at=at.astimezone(UTC).isoformat(timespec="microseconds"),
            text_digest=key.of_text(text),
            subject_digest=None if subject is None else key.of_subject(subject),
            bundle_digest=decision.bundle_digest,
            decision=write(decision.to_json()),
            metadata=metadata or {},
            written=True,
        )


class EventStore(Protocol):
    """Where events are kept, once for each ``request_id``. Any thread may call any method."""

    def find(self, request_id: str) -> Event | None:
        """Return the event kept under an id; one that is still being written is not there yet.

        Raises:
            UnavailableError: the store does not answer.
        """
        ...

    def submit(self, event: Event) -> Future[Event]:
        """Hand an event in and return at once.

        The future resolves when the event would survive a power cut. When there was one of its ``request_id`` already,
        that one is the result and nothing is written: compare ``text_digest`` to tell a repetition from a conflict.
        It fails with ``UnavailableError`` when the store did; the event is then not acknowledged, but may be there.
        A future cancelled before its turn is not written.

        Raises:
            OverloadedError: too many are waiting.
            UnavailableError: the store is closed.
        """
        ...

    def record(self, event: Event) -> Event:
        """Hand an event in and wait until what is kept under its id is durable; as ``submit``."""
        return self.submit(event).result()

    def close(self) -> None:
        """Write what was handed in, and let go."""
        ...


def _problems(event: Event, *, written: bool) -> list[tuple[str, str, str]]:
    """Return (field, expected, got) of everything that is not of its form."""
    matched = (
        ("request_id", REQUEST_ID, event.request_id, "1 to 128 of A-Z a-z 0-9 . _ : -"),
        ("text_digest", _DIGEST, event.text_digest, "64 hexadecimal digits"),
        ("subject_digest", _DIGEST, event.subject_digest, "64 hexadecimal digits, or none"),
        ("bundle_digest", _BUNDLE, event.bundle_digest, "a sha256 digest, or none"),
    )
    optional = {"subject_digest", "bundle_digest"}
    found = [
        (name, expected, _shape(value))
        for name, form, value, expected in matched
        if not (value is None and name in optional) and not (isinstance(value, str) and form.fullmatch(value))
    ]
    if not _is_moment(event.at):
        found.append(("at", "a moment such as 2026-01-31T12:00:00.000000+00:00", _shape(event.at)))
    if not ((written and len(event.decision) <= LONGEST_DECISION) or _is_decision(event.decision, event.bundle_digest)):
        found.append(("decision", "the JSON of a Decision by the same bundle", _shape(event.decision)))
    if not _are_words(event.metadata):
        found.append(("metadata", f"at most {MOST_METADATA} lower-case names and words", _shape(event.metadata)))
    return found


def _shape(value: Any) -> str:
    """Say what kind of thing was given without repeating it: it may be the very text that must not get out."""
    return f"{len(value)} characters" if isinstance(value, str) else type(value).__name__


def _is_moment(at: Any) -> bool:
    try:
        return isinstance(at, str) and bool(_MOMENT.fullmatch(at)) and bool(datetime.fromisoformat(at))
    except ValueError:
        return False


def _is_decision(text: Any, bundle_digest: str | None) -> bool:
    if not isinstance(text, str) or len(text) > LONGEST_DECISION:
        return False
    try:
        found = parse_json(text)
    except ValueError:
        return False
    return (
        isinstance(found, dict)
        and found.keys() <= _FIELDS
        and str(found.get("outcome")) in _OUTCOMES
        and str(found.get("reason")) in _REASONS
        and isinstance(found.get("route"), str)
        and found.get("bundle_digest") == bundle_digest
    )


def _are_words(metadata: Any) -> bool:
    return (
        isinstance(metadata, Mapping)
        and len(metadata) <= MOST_METADATA
        and all(isinstance(name, str) and _NAME.fullmatch(name) for name in metadata)
        and all(isinstance(word, str) and _WORD.fullmatch(word) for word in metadata.values())
    )
