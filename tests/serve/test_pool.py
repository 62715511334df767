"""Messages that would wait too long to be decided in time are not let in: how the pool knows, what the service does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from interlock.answer import Message
from interlock.core.decision import Decision, Outcome, Reason
from interlock.serve.pool import Job, Link, Pool
from interlock.serve.router import Router
from interlock.serve.service import Service
from interlock.serve.settings import Settings
from interlock.testing import FrozenClock

ROUTER = Router("sha256:a", "tiny", "none", {"yes": "yes"}, "person", "unsure", 60)
DECIDED = Decision(Outcome.ROUTED, "yes", Reason.AUTO, stage_ms={"total": 1.0}).to_json()


def pool() -> Pool:
    return Pool(clock=FrozenClock(), replace=lambda _pid: None, stuck_s=5.0)


def take(one: Pool, link: Link, seconds: float, *, decided: bool = True) -> None:
    """Have a worker answer a message after ``seconds``."""
    link.jobs.append(job(one))
    link.busy_since = one.clock.monotonic()
    cast("FrozenClock", one.clock).move(seconds)
    one.heard(link, {"id": link.jobs[0].number, "decision": DECIDED if decided else None, "probabilities": []})


def job(one: Pool) -> Job:
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    return Job(7, Message("yes", "id", one.clock.monotonic() + 1), ROUTER, one.clock.monotonic(), answer, shares=False)


def test_the_pace_comes_to_lie_between_what_half_of_the_messages_take() -> None:
    async def seen() -> float:
        one = pool()
        link = Link(one, 1)
        for _ in range(200):
            for seconds in (0.010, 0.010, 0.030, 0.030, 0.020):
                take(one, link, seconds)
        return one.pace

    assert 0.010 <= asyncio.run(seen()) <= 0.030


def test_one_message_that_took_long_and_those_nobody_decided_hardly_move_the_pace() -> None:
    async def seen() -> tuple[float, float]:
        one = pool()
        link, before = Link(one, 1), one.pace
        take(one, link, 60.0)
        take(one, link, 0.0, decided=False)
        return before, one.pace

    before, after = asyncio.run(seen())
    assert before < after <= 1.05 * before


@pytest.mark.parametrize(("waiting", "full"), [(0, False), (10, False), (25, False), (26, True)])
def test_messages_are_refused_that_would_wait_for_more_than_half_of_the_deadline(waiting: int, full: bool) -> None:
    async def seen() -> bool:
        one = pool()
        one.links += [Link(one, 1), Link(one, 2)]
        one.pace = 0.040
        one.waiting.extend(job(one) for _ in range(waiting))  # 40 ms each by two workers: 25 of them take 500 ms
        settings = Settings(bundle=Path("b"), development=True, secret="ab" * 32, deadline_ms=1000)  # type: ignore[arg-type]
        nothing = cast("Any", None)
        return Service(settings, one, nothing, nothing, nothing, nothing, nothing, nothing).room <= 0

    assert asyncio.run(seen()) is full


def test_a_message_whose_deadline_passed_does_not_count_as_waiting() -> None:
    async def seen() -> tuple[int, str]:
        one = pool()
        late = Message("yes", "id", one.clock.monotonic())
        found = await one.decide(late, router=ROUTER)
        return len(one.waiting), found.decision.reason

    assert asyncio.run(seen()) == (0, "model_unavailable")
