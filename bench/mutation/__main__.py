"""Try mutants at random: ``python -m bench.mutation --sample 200`` (needs ``pip install coverage``).

Each runs, in a child process and the quickest first, the tests of both rooms that run the changed function; of what is
no function's, all of them. A mutant that no test fails survives. Tests that train a model or run commands are left out,
so that a mutant takes seconds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from bench.mutation.children import HUNG, ROOT, run_tests, started, waited
from bench.mutation.mutants import PACKAGE, Mutant, changed, chosen
from bench.mutation.reach import ROOMS, Quick, Reach, reach

FILES = [f"{path.parent.name}/{path.name}" for room in ROOMS for path in sorted((PACKAGE / room).glob("[!_]*.py"))]
FILES += ["registry.py"]
EXAMPLES = 5  # of each property: enough to notice, and quick


def outcome(folder: Path, mutant: Mutant, reached: Reach) -> str:
    """Run the tests on the changed code: ``noticed``, ``hangs``, ``survivor``, or ``unreached`` by any."""
    tests = reached.tests(mutant)
    if not tests:
        return "unreached"
    target = folder / "interlock" / mutant.name
    target.write_text(changed(mutant), encoding="utf-8")

    def run() -> int:
        sys.dont_write_bytecode = True  # two sources of one second and one size would share their compiled form
        return run_tests(sorted({str(ROOT / test.partition("::")[0]) for test in tests}), Quick(tests), "-x")

    code = waited(started(run, folder), most=reached.limit(tests))
    shutil.copy2(PACKAGE / mutant.name, target)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise SystemExit(f"no tests ran for {mutant.name}:{mutant.line}")
    return {0: "survivor", HUNG: "hangs"}.get(code, "noticed")


def preload() -> None:
    """Import what every child needs and no mutant changes, and let properties be tried on few examples."""
    heavy = ("numpy", "onnx", "onnxruntime", "pydantic", "sqlalchemy", "cryptography", "yaml", "polars", "tokenizers")
    for name in heavy:
        importlib.import_module(name)
    made = hypothesis.settings.__init__

    def few(self: hypothesis.settings, *given: Any, **options: Any) -> None:
        if isinstance(options.get("max_examples"), int):
            options["max_examples"] = min(EXAMPLES, options["max_examples"])
        made(self, *given, **options)

    hypothesis.settings.__init__ = few  # type: ignore[method-assign]


def main() -> None:
    """Print what became of each mutant, then one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="try so many at random; all of them otherwise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no mutant after so many")
    parser.add_argument("--files", nargs="*", default=FILES, choices=FILES)
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    counts: dict[str, Counter[str]] = {name: Counter() for name in options.files}
    preload()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(PACKAGE, folder / "interlock")  # compiled forms too: a changed file has none
        reached = reach(folder)
        print(f"{len(reached.seconds)} tests in {sum(reached.seconds.values()):.0f} s", flush=True)
        for mutant in chosen(options.files, sample=options.sample, seed=options.seed):
            if time.monotonic() > until:
                break
            became = outcome(folder, mutant, reached)
            counts[mutant.name][became] += 1
            print(f"{became} {mutant.name}:{mutant.line} {mutant.what}", flush=True)
    every = sum(counts.values(), Counter[str]())
    from interlock.measure.proportion import wilson  # not before: children must import the changed package

    tried, noticed = every.total(), every["noticed"] + every["hangs"]
    low, high = wilson(noticed, max(1, tried))
    found = {"files": counts, "tried": tried, "noticed": noticed, "low": low, "high": high}
    print(json.dumps({**found, "ratio": noticed / max(1, tried)}))


if __name__ == "__main__":
    main()
