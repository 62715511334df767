"""Worker processes behind one queue: the next free one takes the next message. Knows no HTTP and no store.

A worker that is stuck, or gone, costs the message it was deciding and no other; every message is answered by its
deadline.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

from interlock.answer import Message
from interlock.core.clock import Clock
from interlock.core.decision import Decision, Reason
from interlock.core.errors import InputError, RefusedError
from interlock.serve import frames
from interlock.serve.router import Router
from interlock.serve.source import Source

DEPTH = 2  # messages a worker is given at once: one it decides, and one so that it need not wait for the next
SOON_S = 0.02  # a worker that has been at its message for longer is given no second one, which would wait behind it
LOAD_S = 120.0  # how long opening a bundle may take
PACE_STEP = 1.05  # by how much one message moves what messages usually take
LOOK_S = 0.05  # how often stuck workers are looked for


@dataclass(frozen=True, slots=True)
class Made:
    """What a worker made of a message."""

    decision: Decision
    probabilities: tuple[float, ...] = ()  # by label, in the contract's order; empty where none are or were wanted


@dataclass(slots=True, eq=False)
class Job:
    """One message on its way through the pool."""

    number: int
    message: Message
    router: Router
    arrived: float
    answer: asyncio.Future[Made]
    shares: bool  # whether the probabilities of all labels are wanted
    sent: float | None = None  # when a worker got it


class Link(asyncio.Protocol):
    """One worker, as the server sees it."""

    def __init__(self, pool: Pool, pid: int) -> None:
        """Stand for the worker ``pid``."""
        self.pid = pid
        self.jobs: deque[Job] = deque()  # given to the worker, the one it decides first
        self.busy_since = 0.0  # since when it has been at the first
        self.gone = False
        self._pool = pool
        self._unpacker = frames.Unpacker()
        self._loads: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = count()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the worker."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what the worker says."""
        for message in self._unpacker.take(data):
            if "load" in message:
                waiting = self._loads.pop(message["load"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            else:
                self._pool.heard(self, message)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """Give back what the worker will not decide any more."""
        self.gone = True
        for waiting in self._loads.values():
            if not waiting.done():
                waiting.set_result({"refused": f"worker {self.pid} ended", "code": 1, "gone": True})
        self._pool.lost(self)

    def say(self, message: dict[str, Any]) -> None:
        """Send one message to the worker."""
        if self._transport is not None and not self.gone:
            self._transport.write(frames.pack(message))

    async def load(self, source: Source, digest: str | None = None) -> Router:
        """Have the worker open a bundle, beside its work; with ``digest`` that very one, which serves already.

        Raises:
            InputError: there is no bundle.
            RefusedError: it does not verify, or the worker ended.
        """
        number = next(self._numbers)
        waiting = self._loads[number] = asyncio.get_running_loop().create_future()
        self.say({"do": "load", "load": number, "source": source.to_json(), "digest": digest})
        if self.gone:
            raise WorkerGoneError(f"worker {self.pid} ended")
        try:
            said = await asyncio.wait_for(waiting, LOAD_S)
        except TimeoutError:
            raise RefusedError(f"worker {self.pid} did not open the bundle within {LOAD_S:g} s") from None
        if "refused" not in said:
            return Router.of(said["loaded"])
        if said.get("gone"):
            raise WorkerGoneError(said["refused"])
        raise RefusedError(said["refused"]) if said["code"] == RefusedError.exit_code else InputError(said["refused"])

    def drop(self, digest: str) -> None:
        """Have the worker let a bundle go."""
        self.say({"do": "drop", "digest": digest})


class WorkerGoneError(RefusedError):
    """A worker ended before it had opened a bundle."""


@dataclass(eq=False)
class Pool:
    """The workers that hold every open bundle, and the messages that wait for one."""

    clock: Clock
    replace: Callable[[int], None]  # told the pid of a worker that must be replaced
    stuck_s: float  # how long one message may take a worker
    waiting: deque[Job] = field(default_factory=deque)
    links: list[Link] = field(default_factory=list)
    ended: int = 0  # workers that have gone
    pace: float = 0.001  # seconds that a message usually takes a worker: half of them take less
    _numbers: count[int] = field(default_factory=count)

    @property
    def wait_s(self) -> float:
        """Return for how long the next message would likely wait for a worker."""
        return len(self.waiting) * self.pace / max(1, len(self.links))

    async def decide(self, message: Message, *, router: Router, shares: bool = False) -> Made:
        """Return what a worker decided, or the failure fallback when nothing comes before the message's deadline.

        Args:
            message: what to decide.
            router: the bundle that decides it.
            shares: whether to return the probabilities of all labels, too.
        """
        loop, now = asyncio.get_running_loop(), self.clock.monotonic()
        job = Job(next(self._numbers), message, router, now, loop.create_future(), shares)
        timer = loop.call_later(max(0.0, message.deadline - now), self._late, job)
        self.waiting.append(job)
        self._feed()
        try:
            return await job.answer
        finally:
            timer.cancel()

    def add(self, link: Link) -> None:
        """Give messages to a worker that holds every open bundle from now on."""
        if not link.gone:
            self.links.append(link)
            self._feed()

    def heard(self, link: Link, message: dict[str, Any]) -> None:
        """Take a worker's answer."""
        job = link.jobs.popleft()
        if job.number != message["id"]:
            raise ValueError(f"worker {link.pid} answered {message['id']}, asked was {job.number}")
        now = self.clock.monotonic()
        if message["decision"] is not None:
            self.pace *= PACE_STEP if now - link.busy_since > self.pace else 1 / PACE_STEP
        link.busy_since = now
        if not job.answer.done():
            job.answer.set_result(self._made(job, message))
        self._feed()

    def lost(self, link: Link) -> None:
        """Answer for a worker that ended: its first message fails, the others have seen no model and wait again."""
        self.ended += 1
        if link in self.links:
            self.links.remove(link)
        if link.jobs and not (first := link.jobs.popleft()).answer.done():
            first.answer.set_result(Made(first.router.failed(Reason.MODEL_UNAVAILABLE)))
        self.waiting.extendleft(reversed(link.jobs))
        link.jobs.clear()
        self._feed()

    def waits_for(self, digest: str) -> bool:
        """Whether a message that no worker has yet is to be decided by a bundle."""
        return any(job.router.digest == digest for job in self.waiting)

    def stuck(self) -> list[Link]:
        """Return the workers that have been at one message for too long, and give them no more."""
        before = self.clock.monotonic() - self.stuck_s
        found = [link for link in self.links if link.jobs and link.busy_since < before]
        for link in found:
            self.links.remove(link)
        return found

    async def watch(self) -> None:
        """Have stuck workers replaced, for as long as the server runs."""
        while True:
            await asyncio.sleep(LOOK_S)
            for link in self.stuck():
                self.replace(link.pid)

    def _feed(self) -> None:
        while self.waiting and (link := self._free()) is not None:
            job = self.waiting.popleft()
            if job.answer.done():  # its deadline passed while it waited
                continue
            job.sent = self.clock.monotonic()
            if not link.jobs:
                link.busy_since = job.sent
            link.jobs.append(job)
            link.say(_asked(job))

    def _free(self) -> Link | None:
        """Return the worker that will come to a message first, unless all have enough."""
        link = min(self.links, key=_load, default=None)
        if link is None or not link.jobs:
            return link
        soon = self.clock.monotonic() - SOON_S
        return next((one for one in self.links if len(one.jobs) < DEPTH and one.busy_since >= soon), None)

    def _made(self, job: Job, said: dict[str, Any]) -> Made:
        if said["decision"] is None:
            late = not self.clock.monotonic() < job.message.deadline
            return Made(job.router.failed(Reason.DEADLINE_PASSED if late else Reason.MODEL_UNAVAILABLE))
        decision = Decision.from_json(said["decision"])
        waited = self.clock.monotonic() - job.arrived
        decision.stage_ms["queue"] = max(0.0, 1000 * waited - decision.stage_ms["total"])
        decision.stage_ms["total"] = 1000 * waited
        return Made(decision, tuple(said["probabilities"]))

    def _late(self, job: Job) -> None:
        if not job.answer.done():
            reason = Reason.DEADLINE_PASSED if self.links else Reason.MODEL_UNAVAILABLE
            job.answer.set_result(Made(job.router.failed(reason)))
        with suppress(ValueError):  # a worker has it
            self.waiting.remove(job)


def _asked(job: Job) -> dict[str, Any]:
    """Return what a worker is told; one character more than a text may have is enough for it to be refused."""
    message = job.message
    return {
        "do": "decide",
        "id": job.number,
        "digest": job.router.digest,
        "text": message.text[: job.router.max_chars + 1],
        "conversation": list(message.conversation),
        "deadline": message.deadline,
        "shares": job.shares,
    }


def _load(link: Link) -> int:
    return len(link.jobs)
