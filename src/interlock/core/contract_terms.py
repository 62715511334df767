"""What the parts of a contract say about each other. Knows no files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock.core.contract import METRICS, Contract, Threshold
from interlock.core.errors import did_you_mean

Path = tuple[str | int, ...]


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
