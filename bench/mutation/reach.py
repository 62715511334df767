"""Which tests run which lines, and how long each takes: measured once on the unchanged code."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bench.mutation.children import ROOT, run_tests, started, waited
from bench.mutation.mutants import Mutant

ROOMS = ("gate", "bundle")
SLOW = {"built", "bundle", "shop", "command", "database", "where"}  # fixtures that train or start processes
PROCESSES = ("test_races.py", "test_crashes.py")  # each of their tests starts some
LEAST, TIMES = 60, 5  # seconds, and times what its tests take: a mutant that takes longer hangs, which is noticed


class Quick:
    """A plugin of pytest that runs the tests that neither train nor run commands; of them ``only`` those, in order."""

    def __init__(self, only: Sequence[str] | None = None) -> None:
        self.only = only

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests."""
        quick = (item for item in items if item.path.name not in PROCESSES)
        items[:] = [item for item in quick if not SLOW & set(getattr(item, "fixturenames", ()))]
        if self.only is not None:
            order = {test: at for at, test in enumerate(self.only)}
            items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])


@dataclass(eq=False)
class Recorder(Quick):
    """Notes which lines each test runs, and how long it takes. What a shared fixture runs, all its tests run."""

    cover: Any
    only: None = None
    seconds: dict[str, float] = field(default_factory=dict)
    shared: dict[str, list[str]] = field(default_factory=dict)  # fixture -> its tests
    failed: set[str] = field(default_factory=set)
    now: str = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note what a test runs as its own."""
        for fixture in getattr(item, "fixturenames", ()):
            self.shared.setdefault(f"fixture {fixture}", []).append(item.nodeid)
        self.now = item.nodeid
        self.cover.switch_context(self.now)
        started = time.monotonic()
        done = yield
        self.seconds[item.nodeid] = time.monotonic() - started
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that fails on the unchanged code: beside other work some are late."""
        if report.failed:
            self.failed.add(report.nodeid)

    def right(self) -> set[str]:
        """Return the tests that pass."""
        return set(self.seconds) - self.failed

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Note what is run once for many tests as the fixture's."""
        if fixturedef.scope != "function":
            self.cover.switch_context(f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            self.cover.switch_context(self.now)


@dataclass(frozen=True)
class Reach:
    """Which tests run which lines, and how many seconds each takes."""

    lines: dict[str, dict[int, list[str]]]  # by file
    seconds: dict[str, float]

    def tests(self, mutant: Mutant) -> list[str]:
        """Return the tests that could notice, the quickest first.

        In a function they are those that run the changed line; where it begins in the middle of an expression, and is
        never said to run, the function's. What is no function's may show anywhere: all tests.
        """
        if mutant.body is None:
            return sorted(self.seconds, key=self.seconds.__getitem__)
        lines = self.lines.get(mutant.name, {})
        found = set(lines.get(mutant.line, ())) or {test for line in mutant.body for test in lines.get(line, ())}
        return sorted(found, key=self.seconds.__getitem__)

    def limit(self, tests: Iterable[str]) -> float:
        """Return the seconds after which a mutant hangs."""
        return LEAST + TIMES * sum(self.seconds[test] for test in tests)


def reach(folder: Path) -> Reach:
    """Run every quick test of both rooms on the unchanged code of ``folder``; leave out those that fail on it."""
    found = folder / "reach.json"

    def record() -> int:
        coverage = importlib.import_module("coverage")
        cover = coverage.Coverage(data_file=None, source=[str(folder / "interlock")], messages=False)
        recorder = Recorder(cover)
        cover.start()
        run_tests([str(ROOT / "tests" / room) for room in ROOMS], recorder)
        cover.stop()
        data = cover.get_data()
        lines = {
            str(Path(path).relative_to(folder / "interlock")): {
                line: sorted({test for one in contexts for test in recorder.shared.get(one, [one])} & recorder.right())
                for line, contexts in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
        }
        seconds = {test: recorder.seconds[test] for test in recorder.right()}
        found.write_text(json.dumps([lines, seconds, sorted(recorder.failed)]), encoding="utf-8")
        return 0

    if waited(started(record, folder), most=float("inf")) != 0:
        raise SystemExit("no tests ran")
    lines, seconds, failed = json.loads(found.read_text(encoding="utf-8"))
    for test in failed:
        print(f"left out, it fails on the unchanged code: {test}", flush=True)
    return Reach({name: {int(line): tests for line, tests in of.items()} for name, of in lines.items()}, seconds)
