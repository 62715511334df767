"""The same request again, and the same text again: what is decided once, and what never crosses from one to another."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from interlock.answer import Book, Message, answer
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import UnavailableError
from interlock.core.event import DigestKey, Event
from interlock.serve.cache import Cache
from interlock.serve.pool import Made
from interlock.serve.router import Router
from interlock.testing import FrozenClock, MemoryEvents

KEY = DigestKey(b"k" * 32)
ROUTED = Decision(Outcome.ROUTED, "yes", Reason.AUTO, "yes", 0.9)


class Asked:
    """A model that counts how often it ran."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def __call__(self, message: Message, *, router: str) -> Decision:
        assert router == "r"
        self.texts.append(message.text)
        await asyncio.sleep(0)
        return ROUTED


class Failing(MemoryEvents):
    """A store that cannot look anything up, slowly."""

    def find(self, request_id: str) -> Event | None:
        time.sleep(0.1)
        raise UnavailableError(f"no {request_id}")


def message(text: str = "yes", *, turns: tuple[str, ...] = (), named: bool = True) -> Message:
    return Message(text, "id-1", FrozenClock().monotonic() + 1, turns, named=named)


def walk(messages: list[Message], store: MemoryEvents, *, together: bool = False) -> tuple[list[Event], Asked]:
    asked, book = Asked(), Book(store, KEY, FrozenClock(), 1.0)

    async def run() -> list[Event]:
        found = [answer(one, choose=lambda _: "r", decide=asked, book=book) for one in messages]
        return list(await asyncio.gather(*found)) if together else [await one for one in found]

    return asyncio.run(run()), asked


def test_a_request_that_is_on_record_is_not_decided_again_whatever_its_text() -> None:
    events, asked = walk([message(), message(), message("no")], MemoryEvents())

    assert asked.texts == ["yes"]
    assert events[0] == events[1] == events[2]


def test_requests_under_way_together_get_one_decision() -> None:
    events, _ = walk([message(), message(), message("no")], MemoryEvents(), together=True)

    assert len({event.decision for event in events}) == len({event.text_digest for event in events}) == 1


def test_a_store_that_cannot_say_is_not_waited_for_and_the_first_decision_still_counts() -> None:
    store = Failing()
    began = time.monotonic()
    events, asked = walk([message(), message()], store)

    assert asked.texts == ["yes", "yes"]
    assert events[0] == events[1]
    assert time.monotonic() - began < 1.0


ONE, OTHER = (Router(name, name, "none", {"yes": "yes"}, "person", "person", 9) for name in "ab")


def test_the_cache_is_bounded_and_lets_the_least_recent_go() -> None:
    cache = Cache(2, KEY)
    for text in ("a", "b", "a", "c"):
        if cache.find(message(text), ONE, shares=False) is None:
            cache.keep(message(text), ONE, Made(ROUTED))

    assert len(cache) == 2
    assert [cache.find(message(text), ONE, shares=False) is not None for text in "abc"] == [True, False, True]


def test_a_cache_of_none_keeps_none() -> None:
    cache = Cache(0, KEY)
    cache.keep(message(), ONE, Made(ROUTED))

    assert len(cache) == 0
    assert cache.find(message(), ONE, shares=False) is None


def test_nothing_crosses_between_bundles_turns_or_texts_with_nul() -> None:
    cache = Cache(100, KEY)
    cache.keep(message("b", turns=("a",)), ONE, Made(ROUTED))

    assert cache.find(message("b", turns=("a",)), ONE, shares=False) is not None
    assert cache.find(message("b", turns=("a",)), OTHER, shares=False) is None
    for text, turns in (("b", ()), ("a\0b", ()), ("b", ("a", "")), ("", ("a", "b")), ("a", ("b",)), ("B", ("a",))):
        assert cache.find(message(text, turns=turns), ONE, shares=False) is None


texts = st.text(st.sampled_from('a"\\\0[], '), max_size=6)


@given(st.lists(texts, min_size=1, max_size=4), st.lists(texts, min_size=1, max_size=4))
def test_no_two_messages_say_the_same(one: list[str], other: list[str]) -> None:
    said = [message(text, turns=tuple(turns)).said for *turns, text in (one, other)]

    assert (said[0] == said[1]) == (one == other)


def test_failures_are_not_kept_and_probabilities_are_there_when_wanted() -> None:
    cache = Cache(100, KEY)
    cache.keep(message(), ONE, Made(ONE.failed(Reason.DEADLINE_PASSED)))
    assert cache.find(message(), ONE, shares=False) is None

    cache.keep(message(), ONE, Made(ROUTED))
    assert cache.find(message(), ONE, shares=True) is None
    cache.keep(message(), ONE, Made(ROUTED, (1.0,)))
    found = cache.find(message(), ONE, shares=True)
    assert found is not None
    assert found.probabilities == (1.0,)


def test_a_server_with_a_cache_decides_the_same_and_records_each(start: Any, tiny: Path, other: Path) -> None:
    server = start("--max-waiting", 64, INTERLOCK_CACHE_SIZE="2")
    first, again = server.route("yes sure").json(), server.route("yes sure", request_id="again").json()
    unlike = {"stage_ms", "request_id"}

    assert "cached" not in first["stage_ms"]
    assert again["stage_ms"] == {"cached": 0.0, "total": 0.0}
    assert {k: v for k, v in first.items() if k not in unlike} == {k: v for k, v in again.items() if k not in unlike}
    assert server.route("yes sure", request_id="again").json() == again
    assert server.route("no", request_id="again").status == 409
    assert (server.metric("interlock_cache_hits_total"), server.metric("interlock_repeated_total")) == (1, 1)

    server.ask("POST", "/v1/admin/activate", {"bundle": str(other)})
    assert server.route("yes sure").json()["label"] == "no"
    server.ask("POST", "/v1/admin/activate", {"bundle": str(tiny)})
    assert server.route("yes sure").json()["label"] == "yes"

    questions = {"yes": {"type": "noul"}}
    replies = [server.ask("POST", "/v1/systemone", {"state": "well", "questions": questions}) for _ in range(3)]
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert server.metric("interlock_cache_hits_total") >= 3
