"""The online walk: a message in, a decision on record out. Knows no HTTP, no model and no disk: they are handed in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from interlock.core.clock import Clock
from interlock.core.decision import Decision
from interlock.core.errors import InterlockError, UnavailableError
from interlock.core.event import DigestKey, Event, EventStore, compact

LOOK_UP_S = 0.05  # how long a store may take to say whether there is a decision already


@dataclass(frozen=True, slots=True)
class Message:
    """What a caller wants decided."""

    text: str
    request_id: str
    deadline: float  # monotonic seconds; a decision made later is worth nothing
    conversation: Sequence[str] = ()  # the turns before it, the oldest first
    subject: str | None = None  # whose message it is, for erasure
    metadata: Mapping[str, str] = field(default_factory=dict)
    named: bool = True  # the caller chose the request_id, so there may be a decision of it already

    @property
    def said(self) -> str:
        """All that was said: what must be the same for a request to be the same. No two messages have one."""
        if not self.conversation and "\0" not in self.text:
            return self.text
        return "\0" + json.dumps([*self.conversation, self.text])  # begins as no text does by itself


Router = TypeVar("Router")  # whatever stands for an open bundle where the walk runs
Wanted_contra = TypeVar("Wanted_contra", contravariant=True)


class Decide(Protocol[Wanted_contra]):
    """A bundle at work, wherever it runs. Answers by the deadline, and never raises for what a text or a model does."""

    def __call__(self, message: Message, *, router: Wanted_contra) -> Awaitable[Decision]:
        """Return the decision, or the failure fallback."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """Where decisions are recorded, and how long that may take beyond a message's deadline."""

    events: EventStore
    key: DigestKey
    clock: Clock
    grace_s: float
    write: Callable[[Any], str] = compact  # a decision's JSON, strictly


async def answer(message: Message, *, choose: Callable[[Message], Router], decide: Decide[Router], book: Book) -> Event:
    """Decide one message and put the decision on record.

    Args:
        message: the text and who asks.
        choose: picks the bundle; one bundle answers the whole message.
        decide: has that bundle decide.
        book: what must hold the decision, durably, before the caller sees it.

    Returns:
        What is on record for the message's ``request_id``: an earlier decision, when there was one; then nothing is
        decided, unless the two were under way together. Compare the text's digest to tell a repetition from a conflict.

    Raises:
        UnavailableError: the decision was not recorded in time; it may be found later under its ``request_id``.
    """
    if message.named and (earlier := await _earlier(message, book)) is not None:
        return earlier
    router = choose(message)
    decision = await decide(message, router=router)
    return await _record(message, decision, book)


async def _earlier(message: Message, book: Book) -> Event | None:
    """Return what is on record already. A store that does not say so soon is not waited for: recording will tell."""
    left = min(LOOK_UP_S, max(0.0, message.deadline - book.clock.monotonic()) / 2)
    try:
        return await asyncio.wait_for(asyncio.to_thread(book.events.find, message.request_id), left)
    except (TimeoutError, InterlockError):
        return None


async def _record(message: Message, decision: Decision, book: Book) -> Event:
    event = Event.of(
        decision,
        request_id=message.request_id,
        text=message.said,
        key=book.key,
        at=book.clock.now(),
        subject=message.subject,
        metadata=message.metadata,
        write=book.write,
    )
    kept = asyncio.wrap_future(book.events.submit(event))
    left = max(0.0, message.deadline - book.clock.monotonic()) + book.grace_s
    try:
        async with asyncio.timeout(left):
            return await kept
    except TimeoutError as error:
        raise UnavailableError("the decision was not recorded in time") from error
