"""Small changes of one file each: a comparison, a boolean, a number, an arithmetic sign, a called or yielded value."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "interlock"
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    name: str
    place: int  # of the changed node, in the order of ``ast.walk``
    what: str
    line: int
    body: range | None  # the lines of the innermost function it is in


def mutants(name: str) -> Iterator[Mutant]:
    """Yield every change of a file of the package."""
    tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
    decorators = [one for node in ast.walk(tree) for one in getattr(node, "decorator_list", ())]
    passed_over = {id(node) for one in decorators for node in ast.walk(one)}  # a dataclass is frozen for its readers
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    bodies = [range(node.body[0].lineno, (node.end_lineno or 0) + 1) for node in functions]
    for place, node in enumerate(ast.walk(tree)):
        line = getattr(node, "lineno", 0)
        body = min((body for body in bodies if line in body), key=len, default=None)
        for what in changes(node) if id(node) not in passed_over else ():
            yield Mutant(name, place, what, line, body)


def changed(mutant: Mutant) -> str:
    """Return the source of the file after the change."""
    tree = ast.parse((PACKAGE / mutant.name).read_text(encoding="utf-8"))
    apply(next(node for at, node in enumerate(ast.walk(tree)) if at == mutant.place), mutant.what)
    return ast.unparse(ast.fix_missing_locations(tree))


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


def chosen(names: Sequence[str], *, sample: int | None, seed: int) -> list[Mutant]:
    """Return mutants in random order; ``sample`` of them."""
    found = [mutant for name in names for mutant in mutants(name)]
    random.Random(seed).shuffle(found)
    return found[:sample]
