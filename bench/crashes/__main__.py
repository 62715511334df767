"""Every crash proof of the event store, as the table of docs/durability.md and one JSON object; needs strace.

python -m bench.crashes            # everything, about ten minutes
python -m bench.crashes --quick    # a few hundred images
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.crashes.calls import FAULTS, fail_everywhere
from bench.crashes.power import STORE, Tally, cut_everywhere, flush_failed_then_cut, killed_then_cut
from bench.crashes.trace import Op, record, usable

MEMORY = Path("/dev/shm")  # noqa: S108 - images are written and read once: best in memory
PLANS = {"full": {"events": 60, "each": 24}, "quick": {"events": 10, "each": 2}}


def rows(scratch: Path, *, events: int, each: int) -> Iterator[tuple[str, Tally, int | None]]:
    """Give (what was done, what was found, stores that did not go on by themselves)."""
    runs: dict[str, list[Op]] = {}
    for mode, images in (("FULL", each), ("NORMAL", max(1, each // 8)), ("OFF", max(1, each // 8))):
        (scratch / mode).mkdir()
        runs[mode] = record(scratch / mode / STORE, "--count", str(events), "--synchronous", mode)
        yield f"power cut, synchronous={mode}", _cut(runs[mode], scratch, images), None
    for as_found in (False, True):
        folder = scratch / f"killed-{as_found}"
        folder.mkdir()
        found = killed_then_cut(runs["FULL"], folder, every=5, each=max(1, each // 5), as_found=as_found)
        said = "trusting what SQLite shows" if as_found else "next process answers replays"
        yield f"SIGKILL before a flush, {said}, power cut", found, None
    (scratch / "failed").mkdir()
    found = flush_failed_then_cut(scratch / "failed", flushes=range(1, 8), each=max(1, each // 5))
    yield "one flush fails and its writes are gone, power cut", found, None


def faults(scratch: Path) -> Iterator[tuple[str, Tally, int | None]]:
    """Give the same for every fault of every call."""
    for place, fault in enumerate(FAULTS):
        folder = scratch / f"fault-{place}"
        folder.mkdir()
        found = fail_everywhere(fault, folder)
        yield f"{fault.name}: {fault.call}", found.tally, found.unrecovered


def _cut(ops: list[Op], scratch: Path, each: int) -> Tally:
    images = scratch / "images"
    images.mkdir(exist_ok=True)
    return cut_everywhere(ops, images, each=each, seed=1)


def main() -> int:
    """Print the table as it grows, then one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    if not usable():
        sys.exit("strace is needed, and the right to trace (apt-get install strace)")
    print("| what happens | images | acknowledged events lost in | twice in | damaged | did not go on |")
    print("|---|---|---|---|---|---|")
    table: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        scratch = Path(name)
        for source in (rows(scratch, **PLANS["quick" if quick else "full"]), iter(()) if quick else faults(scratch)):
            for said, tally, unrecovered in source:
                shown = "" if unrecovered is None else str(unrecovered)
                print(
                    f"| {said} | {tally.images} | {tally.lost} | {tally.doubled} | {tally.corrupt} | {shown} |",
                    flush=True,
                )
                table.append({"what": said, **_figures(tally), "unrecovered": unrecovered})
    print(json.dumps({"bench": "crashes", "rows": table}))
    return 0


def _figures(tally: Tally) -> dict[str, int]:
    return {name: getattr(tally, name) for name in Tally.__slots__}


if __name__ == "__main__":
    sys.exit(main())
