"""How many small changes of the judge and of bundles their tests notice: ``python bench/mutation.py --sample 160``.

Each mutant changes one thing in one file (a comparison, a boolean, a number, an arithmetic sign, a called or yielded
value) and runs the quick tests of its room in a child process. A mutant that no test fails survives. Tests that train
a model or run commands are left out, so that a mutant takes seconds.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
JUDGING = tuple(f"gate/test_{name}.py" for name in ("edges", "rules", "watched", "take", "judge", "record", "gaming"))
BUNDLES = tuple(f"bundle/test_{name}.py" for name in ("bundle", "hostile", "away", "attacks"))
SIGNING = ("bundle/test_signatures.py", "bundle/test_keys.py", "bundle/test_rollback.py")
FILES = {  # of the package -> the tests that shall notice
    **{f"gate/{name}.py": JUDGING for name in ("judge", "rules", "versus", "refusals", "derive", "record", "watched")},
    **{f"bundle/{name}.py": (*BUNDLES, *SIGNING) for name in ("manifest", "read", "open")},
    **{f"bundle/{name}.py": ("bundle/test_handoff.py",) for name in ("handoff", "replay")},
    **{f"bundle/{name}.py": SIGNING for name in ("sign", "trust", "rollback")},
    "bundle/shelf.py": ("bundle/test_away.py", "bundle/test_registry.py", "bundle/test_shared.py"),
    "bundle/weights.py": ("bundle/test_weights.py",),
    "registry.py": ("bundle/test_registry.py", "bundle/test_rollback.py", "bundle/test_shared.py"),
}
SLOW = {"built", "bundle", "shop", "command", "database", "where"}  # fixtures that train or start processes
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
EXAMPLES = 5  # of each property: enough to notice, and quick
SLOWEST = 300  # seconds after which a mutant counts as noticed: it hangs


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, what was changed, and the changed source, one change at a time."""
    tree = ast.parse(source)
    decorators = [one for node in ast.walk(tree) for one in getattr(node, "decorator_list", ())]
    passed_over = {id(node) for one in decorators for node in ast.walk(one)}  # a dataclass is frozen for its readers
    for place, node in enumerate(ast.walk(tree)):
        for what in changes(node) if id(node) not in passed_over else ():
            changed = copy.deepcopy(tree)
            target = next(found for at, found in enumerate(ast.walk(changed)) if at == place)
            apply(target, what)
            yield getattr(node, "lineno", 0), what, ast.unparse(ast.fix_missing_locations(changed))


def changes(node: ast.AST) -> list[str]:  # noqa: PLR0911 - one for each kind of node
    """Return the names of the changes that fit a node."""
    if isinstance(node, ast.Compare):
        return [f"compare {at}" for at, op in enumerate(node.ops) if type(op) in SWAPS]
    if isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in SWAPS:
        return ["operator"]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ["not"]
    if isinstance(node, ast.Constant) and type(node.value) in {int, float, bool}:
        return ["constant"]
    if isinstance(node, ast.If | ast.IfExp):
        return ["condition"]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom | ast.Call):
        return ["statement"]
    return []


def apply(node: ast.AST, what: str) -> None:
    """Change a node."""
    kind, _, at = what.partition(" ")
    if kind == "compare" and isinstance(node, ast.Compare):
        node.ops[int(at)] = SWAPS[type(node.ops[int(at)])]()  # type: ignore[assignment]
    elif kind == "operator" and isinstance(node, ast.BoolOp | ast.BinOp):
        node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
    elif kind == "not" and isinstance(node, ast.UnaryOp):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif kind == "constant" and isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1
    elif kind == "condition" and isinstance(node, ast.If | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif kind == "statement" and isinstance(node, ast.Expr):
        node.value = ast.Constant(None)  # a generator's yield is dropped


def survives(folder: Path, name: str, source: str) -> bool:
    """Run the tests in a child that imports a copy of the package with one file changed; whether all pass."""
    target = folder / "interlock" / name
    whole = target.read_text(encoding="utf-8")
    target.write_text(source, encoding="utf-8")
    child = os.fork()
    if child == 0:
        sys.path.insert(0, str(folder))
        sys.dont_write_bytecode = True  # two sources of one second and one size would share their compiled form
        code = 3
        try:
            code = run_tests(FILES[name])
        finally:
            os._exit(code)
    code = waited(child)
    target.write_text(whole, encoding="utf-8")
    return code == 0


class Quick:
    """A plugin of pytest that leaves slow tests out."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that neither train nor run commands."""
        items[:] = [item for item in items if not SLOW & set(getattr(item, "fixturenames", ()))]


def run_tests(tests: Sequence[str]) -> int:
    """Run tests in silence and return pytest's exit code."""
    with open(os.devnull, "w", encoding="utf-8") as nothing:  # noqa: PTH123 - a device
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    quick = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-o", "filterwarnings="]
    where = [
        "--rootdir",
        str(ROOT),
        "-c",
        str(ROOT / "pyproject.toml"),
        *(str(ROOT / "tests" / test) for test in tests),
    ]
    return int(pytest.main([*quick, *where], plugins=[Quick()]))


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


def waited(child: int) -> int:
    """Return a child's exit code; one that takes too long is ended."""
    for _ in range(SLOWEST * 10):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -9


def chosen(names: Sequence[str], *, sample: int | None, seed: int) -> list[tuple[str, int, str, str]]:
    """Return mutants as file, line, what was changed and the changed source, in random order; ``sample`` of them."""
    package = ROOT / "src" / "interlock"
    found = [(name, *mutant) for name in names for mutant in mutants((package / name).read_text(encoding="utf-8"))]
    random.Random(seed).shuffle(found)
    return found[:sample]


def main() -> None:
    """Print what became of each mutant, then one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="try so many at random; all of them otherwise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no mutant after so many")
    parser.add_argument("--files", nargs="*", default=list(FILES), choices=list(FILES))
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    mutated = chosen(options.files, sample=options.sample, seed=options.seed)
    counts = {name: {"tried": 0, "noticed": 0} for name in options.files}
    preload()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(ROOT / "src" / "interlock", folder / "interlock")  # compiled forms too: a changed file has none
        for name in {FILES[name]: name for name in options.files}.values():  # once for each set of tests
            if not survives(folder, name, (folder / "interlock" / name).read_text(encoding="utf-8")):
                raise SystemExit(f"the tests of {name} fail on the unchanged code")
        for name, line, what, changed in mutated:
            if time.monotonic() > until:
                break
            alive = survives(folder, name, changed)
            counts[name]["tried"] += 1
            counts[name]["noticed"] += not alive
            print(f"{'survivor' if alive else 'noticed'} {name}:{line} {what}", flush=True)
    tried = sum(count["tried"] for count in counts.values())
    noticed = sum(count["noticed"] for count in counts.values())
    from interlock.measure.proportion import wilson  # not before: children must import the changed package

    low, high = wilson(noticed, max(1, tried))
    found = {"files": counts, "tried": tried, "noticed": noticed, "low": low, "high": high}
    print(json.dumps({**found, "ratio": noticed / max(1, tried)}))


if __name__ == "__main__":
    main()
