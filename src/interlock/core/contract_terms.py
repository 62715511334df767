"""What the parts of a contract say about each other. Knows no files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from interlock.core.contract import Contract, Threshold
from interlock.core.errors import did_you_mean
from interlock.core.limits import METRICS, Group, Limit, Rule

Path = tuple[str | int, ...]
MOST_NESTED = 16  # steps from the top to a rule: a gate, and groups within groups


def disagreements(contract: Contract) -> Iterator[tuple[Path, tuple[str, str]]]:
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
        for label in contract.decide.auto.labels:
            if label not in contract.labels:
                yield ("decide", "auto", "labels", label), _one_of(label, contract.label_names, "a label")
        return
    if contract.decide.positive not in contract.labels:
        yield ("decide", "positive"), _one_of(contract.decide.positive, contract.label_names, "a label")
    if len(contract.labels) != 2:  # noqa: PLR2004 - positive and not
        yield ("decide", "positive"), ("exactly two labels under a threshold policy", f"{len(contract.labels)}")


def _bad_limits(contract: Contract) -> Iterator[tuple[Path, tuple[str, str]]]:
    yield from _bad_rules(contract.limits, contract, ("limits",))
    for name, rules in contract.gates.items():
        yield from _bad_rules(rules, contract, ("gates", name))


def _bad_rules(rules: Mapping[str, Rule], contract: Contract, path: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    if len(path) > MOST_NESTED:
        yield path, ("rules nested less deeply", f"{len(path)} levels")
        return
    for name, rule in rules.items():
        wrong = _wrong_measurement(name, contract)
        if isinstance(rule, Limit):
            if wrong is not None:
                yield (*path, name), wrong
            continue
        if wrong is None:
            yield (*path, name), ("a name of its own for what is no limit", f"the measurement {name!r}")
        if isinstance(rule, Group):
            yield from _bad_rules(rule.rules, contract, (*path, name, "any" if rule.any is not None else "all"))


def _wrong_measurement(name: str, contract: Contract) -> tuple[str, str] | None:
    metric, point, label = name.partition(".")
    if name in METRICS and not point:
        return None
    if f"{metric}.LABEL" not in METRICS:
        return _one_of(name, METRICS, "a measurement")
    return None if label in contract.labels else _one_of(label, contract.label_names, "a label after the point")


def _one_of(name: str, known: Sequence[str], what: str) -> tuple[str, str]:
    return f"{what}{did_you_mean(name, known)}", repr(name)
