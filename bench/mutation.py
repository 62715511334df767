"""How many small changes of the judge its tests notice: ``python bench/mutation.py --every 5``.

Each mutant changes one thing in one file of ``gate`` (a comparison, a boolean, a number, an arithmetic sign, a returned
or yielded value) and runs the quick tests of the room in a child process. A mutant that no test fails survives.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
FILES = ("judge.py", "derive.py", "rules.py", "refusals.py", "versus.py", "record.py", "watched.py")
TESTS = ("test_edges.py", "test_rules.py", "test_watched.py", "test_judge.py", "test_record.py", "test_gaming.py")
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
    for place, node in enumerate(ast.walk(tree)):
        for what in changes(node):
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
    target = folder / "interlock" / "gate" / name
    whole = target.read_text(encoding="utf-8")
    target.write_text(source, encoding="utf-8")
    child = os.fork()
    if child == 0:
        sys.path.insert(0, str(folder))
        sys.dont_write_bytecode = True  # two sources of one second and one size would share their compiled form
        code = 3
        try:
            code = int(run_tests())
        finally:
            os._exit(code)
    code = waited(child)
    target.write_text(whole, encoding="utf-8")
    return code == 0


def run_tests() -> int:
    """Run the room's quick tests in silence and return pytest's exit code."""
    with open(os.devnull, "w", encoding="utf-8") as nothing:  # noqa: PTH123 - a device
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    tests = [str(ROOT / "tests" / "gate" / test) for test in TESTS]
    quick = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-o", "filterwarnings=", "-k", "not command"]
    return int(pytest.main([*quick, "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), *tests]))


def preload() -> None:
    """Import what every child needs and no mutant changes, and let properties be tried on few examples."""
    for name in ("numpy", "onnxruntime", "pydantic", "sqlalchemy", "cryptography", "yaml", "polars", "tokenizers"):
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


def main() -> None:
    """Print each survivor, then one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="try every n-th mutant only")
    parser.add_argument("--files", nargs="*", default=FILES)
    options = parser.parse_args()
    counts: dict[str, dict[str, int]] = {}
    preload()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(ROOT / "src" / "interlock", folder / "interlock", ignore=shutil.ignore_patterns("__pycache__"))
        if not survives(folder, "judge.py", (folder / "interlock" / "gate" / "judge.py").read_text(encoding="utf-8")):
            raise SystemExit("the tests fail on the unchanged code")
        for name in options.files:
            source = (folder / "interlock" / "gate" / name).read_text(encoding="utf-8")
            tried = list(mutants(source))[:: options.every]
            alive = [(line, what) for line, what, changed in tried if survives(folder, name, changed)]
            counts[name] = {"tried": len(tried), "noticed": len(tried) - len(alive)}
            for line, what in alive:
                print(f"survivor {name}:{line} {what}", flush=True)
    tried_all = sum(count["tried"] for count in counts.values())
    noticed = sum(count["noticed"] for count in counts.values())
    print(json.dumps({"files": counts, "tried": tried_all, "noticed": noticed, "ratio": noticed / max(1, tried_all)}))


if __name__ == "__main__":
    main()
