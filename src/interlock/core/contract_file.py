"""Contract text to ``Contract``, every problem at once with its line. Knows YAML, not where the text came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from interlock.core.contract import METRICS, Contract, Strict, Threshold
from interlock.core.errors import InputError, Problem, did_you_mean

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
        problems += [Problem(_at(where, lines, path), _dotted(path), *said) for path, said in _disagreements(contract)]
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
        raise InputError(f"{where} is not a contract", [Problem(where, "", "keys and values", "something else")])
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
    path: Path = item["loc"]
    if path[0] == "decide":
        path = (path[0], *path[2:])  # `decide` is a union: pydantic puts the chosen branch's tag second
    if item["type"] == "extra_forbidden":
        known = sorted(_known_keys(path[:-1]))
        return Problem(
            _at(where, lines, path), _dotted(path), f"a known key{did_you_mean(str(path[-1]), known)}", f"{path[-1]!r}"
        )
    if item["type"] == "missing":
        return Problem(_at(where, lines, path), _dotted(path), "a value", "nothing")
    if item["type"] == "string_pattern_mismatch":
        return Problem(
            _at(where, lines, path),
            _dotted(path),
            "a name of letters, digits, '.', '_' or '-'",
            repr(item["input"])[:80],
        )
    message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return Problem(_at(where, lines, path), _dotted(path), message, repr(item["input"])[:80])


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


def _disagreements(contract: Contract) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Yield what each part of the contract says about another part that does not exist."""
    yield from _bad_costs(contract)
    yield from _bad_policy(contract)
    yield from _bad_limits(contract)
    for label in contract.slices.critical_min_recall:
        if label not in contract.labels:
            yield ("slices", "critical_min_recall", label), _one_of(label, contract.label_names, "a label")


def _bad_costs(contract: Contract) -> Iterator[tuple[Path, tuple[str, str]]]:
    levels = tuple(contract.costs.levels)
    if contract.costs.default not in levels:
        yield ("costs", "default"), _one_of(contract.costs.default, levels, "one of costs.levels")
    for i, (*labels, level) in enumerate(pair[:3] for pair in contract.costs.pairs):
        for j, label in enumerate(labels):
            if label not in contract.labels:
                yield ("costs", "pairs", i, j), _one_of(label, contract.label_names, "a label")
        if level not in levels:
            yield ("costs", "pairs", i, 2), _one_of(level, levels, "one of costs.levels")
    for i, pair in enumerate(contract.costs.pairs):
        if pair[3:] not in {(), ("both_ways",)}:
            yield ("costs", "pairs", i, 3), ("nothing or both_ways", repr(pair[3]))


def _bad_policy(contract: Contract) -> Iterator[tuple[Path, tuple[str, str]]]:
    if not isinstance(contract.decide, Threshold):
        return
    if contract.decide.positive not in contract.labels:
        yield ("decide", "positive"), _one_of(contract.decide.positive, contract.label_names, "a label")
    if len(contract.labels) != 2:  # noqa: PLR2004 - positive and not
        yield ("decide", "positive"), ("exactly two labels under a threshold policy", f"{len(contract.labels)}")


def _bad_limits(contract: Contract) -> Iterator[tuple[Path, tuple[str, str]]]:
    for name in contract.limits:
        metric, _, label = name.partition(".")
        if name in METRICS[: METRICS.index("recall.LABEL")]:
            continue
        if f"{metric}.LABEL" not in METRICS:
            yield ("limits", name), _one_of(name, METRICS, "a measurement")
        elif label not in contract.labels:
            yield ("limits", name), _one_of(label, contract.label_names, "a label after the point")


def _one_of(name: str, known: Sequence[str], what: str) -> tuple[str, str]:
    return f"{what}{did_you_mean(name, known)}", repr(name)


def _at(where: str, lines: dict[Path, int], path: Path) -> str:
    while path and path not in lines:
        path = path[:-1]
    return f"{where}:{lines.get(path, 1)}"


def _dotted(path: Path) -> str:
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out
