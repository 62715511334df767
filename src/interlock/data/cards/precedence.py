"""Which label wins where a message fits several, as far as the contract says. Knows no rows."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.core.contract import Contract

RULE = (
    "Where a message fits several labels, give all of them as `labels` if each asks for something of its own. "
    "If one must be chosen: a critical label wins over one that is not; between two others the label whose miss "
    "costs more wins, by `costs` of the contract. Where both misses cost the same the contract is silent, and the "
    "people who own the labels must say."
)


@dataclass(frozen=True, slots=True)
class Precedence:
    """What the contract says of one label against others."""

    over_uncritical: bool  # it is critical, so that it wins over every label that is not
    over: tuple[str, ...]  # labels it wins over by cost
    under: tuple[str, ...]  # labels it gives way to by cost


def precedence(contract: Contract) -> dict[str, Precedence]:
    """Return what wins over what, by label."""
    costs = _pair_costs(contract)
    pairs = {pair: costs.get(pair[::-1], _default(contract, *pair[::-1])) for pair in costs}
    over: dict[str, set[str]] = {label: set() for label in contract.labels}
    under: dict[str, set[str]] = {label: set() for label in contract.labels}
    for (true, other), back in pairs.items():
        if (true in contract.critical) == (other in contract.critical) and costs[true, other] != back:
            winner, loser = (true, other) if costs[true, other] > back else (other, true)
            over[winner].add(loser)
            under[loser].add(winner)
    place = contract.index.__getitem__
    return {
        label: Precedence(
            over_uncritical=label in contract.critical and len(contract.critical) < len(contract.labels),
            over=tuple(sorted(over[label], key=place)),
            under=tuple(sorted(under[label], key=place)),
        )
        for label in contract.labels
    }


def settled(contract: Contract, order: dict[str, Precedence], one: str, other: str) -> bool:
    """Whether the contract says which of two labels wins."""
    by_cost = other in order[one].over or other in order[one].under
    return by_cost or (one in contract.critical) != (other in contract.critical)


def _pair_costs(contract: Contract) -> dict[tuple[str, str], float]:
    """Return (true, predicted) -> cost where the contract names the pair."""
    found: dict[tuple[str, str], float] = {}
    for true, predicted, level, *both in contract.costs.pairs:
        found[true, predicted] = contract.costs.levels[level]
        if both:
            found[predicted, true] = contract.costs.levels[level]
    return found


def _default(contract: Contract, true: str, predicted: str) -> float:
    """Return the cost of a pair the contract does not name: nothing between labels of one route."""
    same = contract.labels[true].route == contract.labels[predicted].route
    return 0.0 if same else contract.costs.levels[contract.costs.default]
