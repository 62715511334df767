"""The writer killed, refused or slowed at each of its calls, and what its store holds afterwards."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench.crashes.power import STORE, Tally
from bench.crashes.trace import injected, noted
from bench.crashes.writer import GAVE_UP, numbered

from interlock.store.events import open_events

EVENTS = 12
WRITES = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the N-th of a call."""

    name: str
    call: str
    effect: str  # as strace's inject= has it
    after: str = ""  # "+": and to every later one
    step: int = 1  # try every N, or every step-th


FAULTS = (
    *(Fault("SIGKILL", call, "signal=SIGKILL") for call in WRITES),
    *(Fault("EIO once", call, "error=EIO") for call in ("pwrite64", "fdatasync", "fsync", "ftruncate")),
    *(Fault("EIO from then on", call, "error=EIO", "+", 3) for call in ("pwrite64", "fdatasync", "fsync")),
    Fault("ENOSPC once", "pwrite64", "error=ENOSPC"),
    Fault("ENOSPC from then on", "pwrite64", "error=ENOSPC", "+", 3),
    Fault("EROFS from then on", "pwrite64", "error=EROFS", "+", 3),
    Fault("200 ms slow", "fdatasync", "delay_enter=200000", "+", 100),
)


@dataclass(slots=True)
class Found:
    """What one kind of fault did over all its places."""

    fault: Fault
    tally: Tally = field(default_factory=Tally)  # one store for every place at which it happened
    unrecovered: int = 0  # stores that took no further event afterwards


def fail_everywhere(fault: Fault, scratch: Path) -> Found:
    """Let a fault happen at the first of its calls, then the second, ... until the writer ends without meeting it."""
    found = Found(fault)
    template, now = scratch / "template", scratch / "now"
    template.mkdir()
    open_events(template / STORE).close()
    for number in count(1, fault.step):
        shutil.rmtree(now, ignore_errors=True)
        shutil.copytree(template, now)
        inject = f"{fault.call}:{fault.effect}:when={number}{fault.after}"
        code, met = injected(now / STORE, inject, "--count", str(EVENTS))
        if not met and code == 0:
            break
        if code not in {0, GAVE_UP, -signal.SIGKILL}:
            raise RuntimeError(f"the writer ended with {code}")
        found.tally.add(now, noted((now / STORE).with_suffix(".notes")))
        found.unrecovered += not _goes_on(now / STORE)
    return found


def _goes_on(store: Path) -> bool:
    """Return whether the store takes another event once the fault is over, without help."""
    opened = open_events(store)
    done = opened.record(numbered(EVENTS)) == numbered(EVENTS)
    opened.close()
    return done
