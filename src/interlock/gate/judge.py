"""One receipt against the rules of its contract. Pure; knows no files and no clock.

A verdict has three values and only ``pass`` moves anything: what is missing, not a number, too small or not
comparable is ``inconclusive`` and holds. Evidence that does not count is refused before any limit is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from interlock.core.contract import Contract
from interlock.core.decision import Decision, Outcome
from interlock.core.errors import InputError, Problem, did_you_mean
from interlock.core.limits import Group, Limit, Rules
from interlock.core.measurement import Measurement
from interlock.core.receipt import Receipt
from interlock.core.verdict import Judgement, Status, Verdict
from interlock.gate.derive import Derived, measurements
from interlock.gate.refusals import Known, edited, listed, refusals, undecided
from interlock.gate.rules import Evidence, Measured, judge_limit, judge_rules
from interlock.gate.versus import against_champion
from interlock.measure.proportion import proportion

ALPHA = 0.05


@dataclass(frozen=True)
class Beside:
    """What a judgement rests on beside the receipt."""

    champion: Receipt | None = None
    """The receipt of the router in service, on the same rows. Without one, comparisons are with what the receipt keeps
    of the champion it was built against, else with its best baseline, and say so."""
    attempt: int = 1  # which candidate this is of those judged on the same rows; later ones have more to prove
    gate: str | None = None  # one of the contract's ``gates``; its ``limits`` without
    registered: str | None = None  # the evaluation set of the first candidate on these rows; labels stay what they were
    now: datetime | None = None  # nothing made later counts
    attested: Mapping[str, Collection[str]] = field(default_factory=dict)  # what was done about it -> who did it
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # what was counted elsewhere -> (bad, of all)


ALONE = Beside()


def judge(receipt: Receipt, *, claimed_digest: str | None, beside: Beside = ALONE) -> Judgement:
    """Return the verdict on ``receipt``.

    Args:
        receipt: the evidence.
        claimed_digest: the digest its file states; anything but the true one refuses.
        beside: what else the verdict rests on.

    Raises:
        InputError: the receipt's parts contradict each other (logits that do not fit the labels, unknown labels), or
            the contract has no such gate.
    """
    derived, level = Derived(receipt), attempt_level(beside.attempt)
    rules = rules_of(derived.contract, beside.gate)
    known = Known(beside.attempt, beside.registered, beside.now)
    wrong = tuple(refusals(derived, claimed_digest=claimed_digest, known=known))
    if wrong:
        return Judgement((), wrong)
    whole = measurements(derived, level=level)
    if wrong := (*edited(receipt, whole), *undecided(derived)):
        return Judgement((), wrong, whole)
    apart, wanted = derived.apart, list(limited(rules))

    @cache
    def measured(level: float) -> Measured:
        found = measurements(apart, level=level)
        found |= against_champion(apart, beside.champion, wanted=wanted, level=level)
        return found | {name: proportion(name, *count, level=level) for name, count in beside.counts.items()}

    evidence = Evidence(level, measured, beside.attested)
    verdicts = [
        *_required_slices(derived),
        *_critical_recalls(apart, evidence.measured),
        *judge_rules(rules, evidence),
    ]
    return Judgement(tuple(verdicts), (), {**evidence.measured, **whole})


def rules_of(contract: Contract, gate: str | None) -> Rules:
    """Return the rules of a gate.

    Raises:
        InputError: the contract has no such gate.
    """
    if gate is None:
        return contract.limits
    if gate not in contract.gates:
        problem = Problem("contract", "gates", f"a gate{did_you_mean(gate, list(contract.gates))}", repr(gate))
        raise InputError("the contract has no such gate", [problem])
    return contract.gates[gate]


def limited(rules: Rules) -> Iterator[str]:
    """Yield the name of every measurement that a rule limits, groups included."""
    for name, rule in rules.items():
        if isinstance(rule, Limit):
            yield name
        elif isinstance(rule, Group):
            yield from limited(rule.rules)


def attempt_level(attempt: int) -> float:
    """Return the confidence level that candidate 1, 2, ... of the same rows is judged at.

    The first is judged at 95 %, candidate k at 1 - 0.05 / (k (k - 1)). As these shares sum to 0.05 over k = 2, 3, ...,
    all candidates together pass a limit that none of them meets with a probability of at most 5 %: each judgement looks
    at one end of a two-sided interval (alpha investing, Foster and Stine 2008, without earning any back).
    """
    return 1 - ALPHA / max(1, attempt * (attempt - 1))


def _required_slices(derived: Derived) -> Iterator[Verdict]:
    """No critical row of a required slice may be sent anywhere but its own route or a fallback."""
    for name in derived.contract.slices.required:
        rows = [i for i, row in enumerate(derived.receipt.rows) if row.slice == name]
        critical = [i for i in rows if set(derived.receipt.rows[i].labels) & derived.contract.critical]
        missed = sorted(derived.receipt.rows[i].id for i in critical if _missed(derived, i, derived.decisions[i]))
        status = Status.FAIL if missed else Status.PASS if critical else Status.INCONCLUSIVE
        reason = (
            f"missed:{listed(missed)}" if missed else f"slice_empty:{name}" if not critical else f"pass:slice.{name}"
        )
        recall = proportion("critical_recall", len(critical) - len(missed), len(critical))
        evidence = Measurement.from_json({**recall.to_json(), "slice": f"slice={name}"})
        yield Verdict(f"slices.required.{name}", status, reason, evidence, rule="no critical row missed")


def _missed(derived: Derived, row: int, decision: Decision) -> bool:
    if decision.outcome not in {Outcome.ROUTED, Outcome.GUARDED}:
        return False  # a person or the fallback sees it
    own = {derived.contract.labels[label].route for label in derived.receipt.rows[row].labels}
    return decision.route not in own


def _critical_recalls(derived: Derived, measured: Measured) -> Iterator[Verdict]:
    for label, least in derived.contract.slices.critical_min_recall.items():
        yield judge_limit(f"critical_min_recall.{label}", Limit(at_least=least), measured.get(f"recall.{label}"))
