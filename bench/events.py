"""What durable recording adds to a reply, open loop: submit to resolved in the caller's event loop, on a real disk.

python bench/events.py [--rates 500 1000] [--seconds 8] [--runs 3] [--folder .]

Beside it, at the same rates in turn: the same table with a commit for each event, and SQLAlchemy with one for each.
Requests come at random (a Poisson process, fixed seed); a late generator sends the missed ones at once, as callers do.
``cpu_us`` is the processor's time for an event, the generator's included; it holds on a busy machine too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.event import DigestKey, Event
from interlock.store.commits import GroupCommits
from interlock.store.engine import open_store, transaction
from interlock.store.event_rows import COLUMNS, row_of
from interlock.store.events_sqlite import SqliteEvents
from interlock.store.schema import EVENTS

KEY = DigestKey(bytes(32))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
Record = Callable[[Event], Awaitable[Any]]
MODES = ("group commit", "a commit each", "SQLAlchemy, a commit each")


class Counted(SqliteEvents):
    """The table, and how many events each of its commits carried."""

    def __init__(self, path: Path) -> None:
        self.groups: list[int] = []
        super().__init__(path)

    def keep(self, events: Sequence[Event]) -> Any:
        self.groups.append(len(events))
        return super().keep(events)


def event(number: int) -> Event:
    stages = {"normalise": 0.01, "encode": 0.1, "classify": 1.2, "calibrate": 0.02, "detect": 0.02, "decide": 0.01}
    decision = Decision(
        Outcome.ROUTED,
        "order_status",
        Reason.AUTO,
        label="order_tracking",
        confidence=0.93,
        second_label="return_request",
        second_confidence=0.03,
        margin=0.9,
        unknown_score=-3.2,
        tokens=16,
        stage_ms=stages,
        bundle_digest="sha256:" + "a" * 64,
    )
    return Event.of(decision, request_id=f"r-{number}", text=f"text {number}", subject=f"s-{number}", key=KEY, at=NOW)


async def open_loop(record: Record, *, rate: int, seconds: float) -> dict[str, Any]:
    """Return the figures of events sent at ``rate`` a second whatever became of those before."""
    rng, begun, due, taken, tasks = random.Random(1), time.perf_counter(), 0.0, [], []
    events = [event(number) for number in range(int(rate * seconds))]
    worked = time.process_time()

    async def one(which: Event) -> None:
        start = time.perf_counter()
        await record(which)
        taken.append(1000 * (time.perf_counter() - start))

    for which in events:
        due += rng.expovariate(rate)
        wait = due - (time.perf_counter() - begun)
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(which)))
    await asyncio.gather(*tasks)
    return {**figures(taken), "cpu_us": 1e6 * (time.process_time() - worked) / len(taken)}


def grouped(path: Path, rate: int, seconds: float) -> dict[str, Any]:
    table = Counted(path)
    store = GroupCommits(table)
    found = asyncio.run(open_loop(lambda one: asyncio.wrap_future(store.submit(one)), rate=rate, seconds=seconds))
    store.close()
    return {**found, "mean_group": statistics.fmean(table.groups), "largest_group": max(table.groups)}


def one_by_one(path: Path, rate: int, seconds: float) -> dict[str, Any]:
    table = SqliteEvents(path)

    def keep(one: Event) -> None:
        table.begin()
        table.keep([one])

    found = in_a_thread(keep, rate, seconds)
    table.let_go()
    return found


def by_sqlalchemy(path: Path, rate: int, seconds: float) -> dict[str, Any]:
    engine = open_store(path)
    names = COLUMNS.split(", ")

    def keep(one: Event) -> None:
        with transaction(engine, writes=True) as connection:
            connection.execute(EVENTS.insert().values(dict(zip(names, row_of(one), strict=True))))

    found = in_a_thread(keep, rate, seconds)
    engine.dispose()
    return found


def in_a_thread(keep: Callable[[Event], None], rate: int, seconds: float) -> dict[str, Any]:
    with ThreadPoolExecutor(1) as pool:
        return asyncio.run(
            open_loop(lambda one: asyncio.wrap_future(pool.submit(keep, one)), rate=rate, seconds=seconds)
        )


def figures(taken: list[float]) -> dict[str, Any]:
    cuts = statistics.quantiles(taken, n=100)
    return {"n": len(taken), "p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98]}


def median_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rates", type=int, nargs="+", default=[500, 1000])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path())
    asked = parser.parse_args()
    ways = dict(zip(MODES, (grouped, one_by_one, by_sqlalchemy), strict=True))
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        for rate in asked.rates:
            runs: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
            for run in range(asked.runs):  # in turn, so that a busy minute hits all of them
                for name, way in ways.items():
                    path = Path(folder) / f"{rate}-{run}-{name[:4]}.db"
                    open_store(path).dispose()
                    runs[name].append(way(path, rate, asked.seconds))
            found[str(rate)] = {name: median_of(each) for name, each in runs.items()}
            print(rate, json.dumps(found[str(rate)]), flush=True)
    ratios = {
        f"{rate}/s, {name}": round(ways_[name]["p95_ms"] / ways_[MODES[0]]["p95_ms"], 2)
        for rate, ways_ in found.items()
        for name in MODES[1:]
    }
    print(json.dumps({"bench": "events", "rates": found, "ratios": ratios}))


if __name__ == "__main__":
    main()
