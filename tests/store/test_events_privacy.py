"""10,000 names, cards and addresses through every outcome and refusal: none is in a file, a repr or an error."""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import InputError, UnavailableError
from interlock.core.event import DigestKey, Event
from interlock.store.erase import erase_subject
from interlock.store.events import open_events

KEY = DigestKey(random.Random(0).randbytes(32))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SYLLABLES = ("an", "bel", "cor", "dra", "el", "fi", "gor", "hel", "is", "jo", "ka", "lu", "mi", "nor", "ou", "pet")
WAYS = [(outcome, reason) for outcome in Outcome for reason in Reason]
STORES, EACH, QUICK = 10, 1000, 2  # stores, tokens in each, stores that the default suite fills


def tokens(seed: int) -> list[str]:
    """Return ``EACH`` different names, cards and addresses, as people write them."""
    rng = random.Random(seed)

    def name() -> str:
        return "".join(rng.choices(SYLLABLES, k=3)).capitalize()

    def one(number: int) -> str:
        card = " ".join(f"{rng.randrange(10_000):04}" for _ in range(4))
        return (f"{name()} {name()}{name()}", card, f"{name()}.{name()}@{name()}.example".lower())[number % 3]

    made: set[str] = set()
    while len(made) < EACH:
        made.add(one(len(made)))
    return sorted(made)


def said(token: str, number: int, way: tuple[Outcome, Reason]) -> Event:
    decision = Decision(way[0], "person", way[1], bundle_digest="sha256:" + "b" * 64)
    text = f"my name is {token}, call me"
    return Event.of(decision, request_id=f"r-{number}", text=text, subject=token, key=KEY, at=NOW)


def shown(error: BaseException) -> Iterator[str]:
    """Give every way in which an error shows, those before it included."""
    yield from (str(error), repr(error), "".join(traceback.format_exception(error)))


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=() if seed < QUICK else pytest.mark.slow) for seed in range(STORES)]
)
def test_no_token_reaches_the_files_of_a_store_or_the_print_of_an_event(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store, ways = open_events(path), cycle(WAYS)
    seeded = tokens(seed)
    events = [said(token, number, way) for number, (token, way) in enumerate(zip(seeded, ways, strict=False))]
    for future in [store.submit(event) for event in events]:
        future.result(60)
    erase_subject(path, subject_digest=KEY.of_subject(seeded[0]), actor="carol", at=NOW)
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store.close()
    written += b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert len(seeded) == EACH
    assert b"sha256:bbbb" in written
    assert [token for token in seeded if token.encode() in written] == []
    assert [token for token, event in zip(seeded, events, strict=True) if token in f"{event!r} {event}"] == []


def test_no_refusal_repeats_what_it_refuses() -> None:
    names = [one.name for one in fields(Event)]
    for number, token in enumerate(tokens(99)):
        event, name = said(token, number, WAYS[0]), names[number % len(names)]
        value: Any = {"channel": token} if name == "metadata" else token
        with pytest.raises(InputError, match=name) as caught:
            replace(event, **{name: value})
        assert not any(token in text for text in shown(caught.value))


def test_no_failure_of_a_store_repeats_what_it_was_handed(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = open_events(path)
    path.unlink()
    for number, token in enumerate(tokens(98)[:50]):
        with pytest.raises(UnavailableError) as caught:
            store.record(said(token, number, WAYS[0]))
        assert not any(token in text or KEY.of_subject(token) in text for text in shown(caught.value))
    store.close()
