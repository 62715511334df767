"""Contract text to ``Contract``, every problem at once with its line. Knows YAML, not where the text came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from interlock.core.contract import Contract
from interlock.core.contract_terms import disagreements
from interlock.core.errors import InputError, Problem, did_you_mean
from interlock.core.strict import Strict

_YAML_11_ONLY = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
MAX_BYTES = 4_000_000  # a contract with 10,000 well-described labels is smaller
Path = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain values: only true and false are booleans, and no text turns into a date."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regex) for tag, regex in resolvers if tag not in _YAML_11_ONLY]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def parse_contract(data: bytes, *, where: str = "contract.yaml") -> Contract:
    """Return the contract that ``data`` spells.

    Args:
        data: UTF-8 YAML.
        where: the file's name, for the errors.

    Raises:
        InputError: with every problem found, each with its line and path through the file.
    """
    tree, lines, problems = _tree(data, where)
    contract: Contract | None = None
    try:
        contract = Contract.model_validate(tree)
    except ValidationError as error:
        problems += [_problem(item, where, lines) for item in error.errors(include_url=False)]
    if contract is not None:
        problems += [Problem(_at(where, lines, path), _dotted(path), *said) for path, said in disagreements(contract)]
    if problems or contract is None:
        raise InputError(
            f"{where} is not a contract: {len(problems)} problem{'s' if len(problems) != 1 else ''}", problems
        )
    return contract


def _tree(data: bytes, where: str) -> tuple[Any, dict[Path, int], list[Problem]]:
    """Return plain values, the line of every path, and duplicate keys found on the way."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{where} is too large", [Problem(where, "", f"at most {MAX_BYTES} bytes", f"{len(data)}")])
    try:
        node = yaml.compose(data.decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is not UTF-8", [Problem(where, "", "UTF-8 text", str(error))]) from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}" if mark else where
        what = getattr(error, "problem", None) or str(error)
        raise InputError(f"{where} is not YAML", [Problem(place, "", "valid YAML", str(what))]) from error
    if not isinstance(node, yaml.MappingNode):
        got = "nothing" if node is None else "a list" if isinstance(node, yaml.SequenceNode) else "a text or a number"
        raise InputError(f"{where} is not a contract", [Problem(where, "", "keys and values", got)])
    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    return _plain(node, (), lines, problems, where), lines, problems


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[Problem], where: str) -> Any:
    # Keys stay the text that was written: a label may be called `no`, `on` or `1`.
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.tag)
            line = key_node.start_mark.line + 1
            if key in out:
                problems.append(Problem(f"{where}:{line}", _dotted((*path, key)), "each key once", "it a second time"))
            lines[(*path, key)] = line
            out[key] = _plain(value_node, (*path, key), lines, problems, where)
        return out
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), lines, problems, where) for i, item in enumerate(node.value)]
    try:
        return _Loader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        problems.append(Problem(f"{where}:{lines[path]}", _dotted(path), "a plain value", str(error).split("\n")[0]))
        return None


def _problem(item: Any, where: str, lines: dict[Path, int]) -> Problem:
    path = _untagged(item["loc"])
    if item["type"] == "extra_forbidden":
        key, known = str(path[-1]), _known_keys(path[:-1])
        expected = f"a known key{did_you_mean(key, sorted(known))}"
        if key in known:  # of another kind of policy or rule
            expected = "keys that go together: docs/reference.md has the kinds of policies and rules"
        return Problem(_at(where, lines, path), _dotted(path), expected, repr(key))
    if item["type"] == "missing":
        return Problem(_at(where, lines, path), _dotted(path), "a value", "nothing")
    if item["type"] == "string_pattern_mismatch":
        return Problem(
            _at(where, lines, path),
            _dotted(path),
            "a name of letters, digits, '.', '_' or '-'",
            repr(item["input"])[:80],
        )
    if item["type"] == "model_type":
        expected = f"keys and values (known: {', '.join(sorted(_known_keys(path)))})"
        return Problem(_at(where, lines, path), _dotted(path), expected, repr(item["input"])[:80])
    message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if item["type"] == "dict_type":
        message = "keys and values"
    return Problem(_at(where, lines, path), _dotted(path), message, repr(item["input"])[:80])


def _untagged(path: Path) -> Path:
    """Leave out what pydantic puts after a union's key: the tag of the branch that was chosen."""
    if path[0] == "decide":
        return (path[0], *path[2:])
    if path[0] not in {"limits", "gates"}:
        return path
    at = 2 if path[0] == "limits" else 3  # a rule's name, its tag, and in a group "all" or "any" and a name again
    kept, rest = path[:at], path[at:]
    while rest:
        kept, rest = (*kept, *rest[1:3]), rest[3:]
    return kept


def _known_keys(path: Path) -> set[str]:
    """Return the keys allowed at ``path`` by walking the models the way pydantic does."""
    models: list[type[BaseModel]] = [Contract]
    for part in path:
        found: list[type[BaseModel]] = []
        for model in models:
            field = next((f for n, f in model.model_fields.items() if part in {n, f.alias}), None)
            found += list(_models_in(field.annotation)) if field else []
        models = found or models
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _at(where: str, lines: dict[Path, int], path: Path) -> str:
    while path and path not in lines:
        path = path[:-1]
    return f"{where}:{lines.get(path, 1)}"


def _dotted(path: Path) -> str:
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out
