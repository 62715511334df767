"""What the server does for callers: decide, tell how it is, change the bundle. Knows no HTTP server and no process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from interlock.answer import Book, Message, answer
from interlock.core.decision import Decision
from interlock.core.errors import InterlockError
from interlock.core.event import Event
from interlock.serve.bundles import Bundles
from interlock.serve.cache import Cache
from interlock.serve.log import Log
from interlock.serve.metrics import Metrics
from interlock.serve.pool import Made, Pool
from interlock.serve.refusal import Refusal
from interlock.serve.router import Router
from interlock.serve.settings import Settings
from interlock.serve.traces import Traces

MOST_BATCHES = 4  # requests with several messages at once; more are refused

LONGEST_WAIT = 0.5  # share of a deadline that a message may wait for a worker; beyond, it would be let in to fail


@dataclass(eq=False)
class Service:
    """One server's work."""

    settings: Settings
    pool: Pool
    bundles: Bundles
    book: Book
    metrics: Metrics
    log: Log
    cache: Cache
    traces: Traces
    waiting: int = 0  # messages that were let in and have no reply yet
    batches: int = 0  # requests with several messages that are under way
    draining: bool = False

    @property
    def ready(self) -> bool:
        """Whether there is a worker to decide, and a future to decide in."""
        return bool(self.pool.links) and not self.draining

    @property
    def room(self) -> int:
        """How many more messages may be let in; none when they would wait too long to be decided in time."""
        waits = self.pool.wait_s > LONGEST_WAIT * self.settings.deadline_ms / 1000
        return 0 if waits else self.settings.max_waiting - self.waiting

    def router(self) -> Router:
        """Return the bundle that answers.

        Raises:
            Refusal: none is open yet.
        """
        if (current := self.bundles.current) is None:
            raise Refusal("starting")
        return current

    def admit(self) -> None:
        """Refuse at once what would only wait.

        Raises:
            Refusal: too many messages are waiting.
        """
        if self.room <= 0:
            self.metrics.shed.inc()
            raise Refusal("overloaded")

    async def decide(self, message: Message, notes: dict[str, Any], *, router: Router | None = None) -> Event:
        """Decide one message, on record.

        Args:
            message: what to decide.
            notes: what the log line says of it.
            router: the bundle that decides it, when it must be a certain one.

        Raises:
            Refusal: the id was used for another text, the decision could not be recorded, or too many wait.
        """
        return (await self.made(message, notes, shares=False, router=router))[0]

    async def made(
        self, message: Message, notes: dict[str, Any], *, shares: bool, router: Router | None = None
    ) -> tuple[Event, Made]:
        """Decide one message, on record, and return beside the event what was made of the message just now.

        Args:
            message: what to decide.
            notes: what the log line says of it.
            shares: whether the probabilities of all labels are wanted.
            router: the bundle that decides it, when it must be a certain one.

        Raises:
            Refusal: as ``decide`` does.
        """
        self.admit()
        self.waiting += 1
        try:
            return await self._answer(message, notes, shares=shares, router=router or self.router())
        finally:
            self.waiting -= 1

    async def decide_all(
        self, ids: Sequence[str], messages: Sequence[Callable[[], Message]], *, router: Router | None = None
    ) -> list[Event | Refusal]:
        """Decide several messages, a few at a time so that single ones need not wait for all of them.

        Args:
            ids: their request_ids; of several messages with one, the first is decided first.
            messages: each makes its message, or refuses to, when its turn comes; its time begins then.
            router: the bundle that decides them, when it must be one for all.

        Raises:
            Refusal: no bundle is open yet, or too many such requests are under way.
        """
        self.router()
        if self.batches >= MOST_BATCHES:
            self.metrics.shed.inc()
            raise Refusal("overloaded")
        self.batches += 1
        turn = asyncio.Semaphore(2 * self.settings.workers)
        same = {name: asyncio.Lock() for name in ids}

        async def one(name: str, message: Callable[[], Message]) -> Event | Refusal:
            async with same[name], turn:
                try:
                    return (await self._answer(message(), {}, shares=False, router=router or self.router()))[0]
                except Refusal as refusal:
                    return refusal

        try:
            return await asyncio.gather(*map(one, ids, messages))
        finally:
            self.batches -= 1

    async def _answer(
        self, message: Message, notes: dict[str, Any], *, shares: bool, router: Router
    ) -> tuple[Event, Made]:
        made: list[Made] = []  # stays empty when the request_id was on record already
        try:
            event = await answer(
                message,
                choose=lambda _: router,
                decide=partial(self._decide, made=made, shares=shares),
                book=self.book,
            )
        except InterlockError:
            self.metrics.unrecorded.inc()
            raise Refusal("not_recorded") from None
        if message.named and event.text_digest != self.book.key.of_text(message.said):
            raise Refusal("request_id_conflict")
        if made:
            self.metrics.decided(made[0].decision)
            now = self.book.clock.now()
            self.traces.decided(made[0].decision, request_id=event.request_id, at=event.at, now=now)
        else:
            self.metrics.repeated.inc()
        said = orjson.loads(event.decision)  # which is an earlier decision, when the request_id was on record already
        notes |= {"outcome": said["outcome"], "reason": said["reason"], "bundle": said["bundle_digest"]}
        return event, made[0] if made else Made(Decision.from_json(said))

    async def _decide(self, message: Message, *, router: Router, made: list[Made], shares: bool) -> Decision:
        found = self.cache.find(message, router, shares=shares)
        if found is None:
            found = await self.pool.decide(message, router=router, shares=shares)
            self.cache.keep(message, router, found)
        else:
            self.metrics.cached.inc()
        made.append(found)
        return found.decision

    async def activate(self, path: Path | None) -> Router:
        """Let another bundle answer.

        Raises:
            Refusal: it was refused, and the one before goes on answering.
        """
        try:
            router = await self.bundles.activate(path)
        except InterlockError as error:
            self.metrics.activations.labels("refused").inc()
            # A path that a caller made up is the caller's; what is wrong at our own the operator must read.
            self.log.say("activation", result="refused", **({} if path else {"why": str(error)}))
            raise Refusal("bundle_refused", str(error)) from None
        self.metrics.activations.labels("activated").inc()
        self.log.say("activation", result="activated", bundle=router.digest, name=router.name, signed=router.signed)
        return router
