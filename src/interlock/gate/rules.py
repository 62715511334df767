"""Rules to verdicts: limits, attestations, and groups of which every one or any one must pass. Knows no receipts.

Three values combine so that nothing unknown ever passes: ``all`` fails when one fails and passes when every one passes,
``any`` passes when one passes and fails when every one fails; all else is inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from interlock.core.limits import Attested, Group, Limit, Rule
from interlock.core.measurement import Measurement
from interlock.core.verdict import Status, Verdict
from interlock.measure.multiplicity import simultaneous_level
from interlock.measure.power import rows_needed

Measured = Mapping[str, Measurement]


@dataclass(frozen=True)
class Evidence:
    """What rules are judged by: measurements at any confidence level, and who attested what."""

    level: float
    measure: Callable[[float], Measured]  # level -> measurements with intervals of that level
    attested: Mapping[str, Collection[str]] = field(default_factory=dict)  # what was done -> the persons who did it

    @cached_property
    def measured(self) -> Measured:
        """The measurements."""
        return self.measure(self.level)

    def shared_by(self, branches: int) -> Evidence:
        """Return the same evidence for rules of which one is enough.

        With m chances to pass, each is judged at 1 - (1 - level) / m (Bonferroni), so that together they pass what
        deserves none of them no more often than one limit would.
        """
        if branches == 1:
            return self
        return replace(self, level=simultaneous_level(branches, level=self.level))


def judge_rules(rules: Mapping[str, Rule], evidence: Evidence) -> Iterator[Verdict]:
    """Yield a verdict for each rule."""
    for name, rule in rules.items():
        if isinstance(rule, Limit):
            yield judge_limit(name, rule, evidence.measured.get("ece_debiased" if name == "ece" else name))
        elif isinstance(rule, Attested):
            yield _judge_attested(name, rule, evidence)
        else:
            yield _judge_group(name, rule, evidence)


def judge_limit(name: str, limit: Limit, found: Measurement | None) -> Verdict:
    """Return what one limit says of a measurement."""
    bar = float(limit.at_least if limit.at_least is not None else limit.at_most or 0.0)
    side = "at least" if limit.at_least is not None else "at most"
    rule = f"{side} {bar:g}{'' if limit.on == 'bound' else ' by value'}"
    status = status_of(limit, bar, found)
    needed = None
    if status is Status.INCONCLUSIVE and found is not None and limit.on == "bound" and found.known:
        needed = rows_needed(found, limit=bar)
    return Verdict(name, status, f"{status.value}:{name}", found, rule, needed)


def status_of(limit: Limit, bar: float, found: Measurement | None) -> Status:
    """Written so that NaN passes nothing: every branch to ``pass`` or ``fail`` needs a true comparison."""
    if found is None or found.n < 1:
        return Status.INCONCLUSIVE
    low, high = (found.value, found.value) if limit.on == "value" else (found.low, found.high)
    if limit.at_least is not None:
        return Status.PASS if low >= bar else Status.FAIL if high < bar else Status.INCONCLUSIVE
    return Status.PASS if high <= bar else Status.FAIL if low > bar else Status.INCONCLUSIVE


def _judge_attested(name: str, rule: Attested, evidence: Evidence) -> Verdict:
    by = sorted(evidence.attested.get(rule.attested, ()))
    status = Status.PASS if by else Status.INCONCLUSIVE
    said = f"attested: {rule.attested}" + (f" (by {', '.join(by)})" if by else "")
    return Verdict(name, status, f"{status.value}:{name}", rule=said)


def _judge_group(name: str, group: Group, evidence: Evidence) -> Verdict:
    one_is_enough = group.any is not None
    parts = tuple(judge_rules(group.rules, evidence.shared_by(len(group.rules)) if one_is_enough else evidence))
    status = combined([part.status for part in parts], one_is_enough=one_is_enough)
    needed = [part.rows_needed for part in parts if part.rows_needed is not None]
    rows = (min(needed) if one_is_enough else max(needed)) if needed and status is Status.INCONCLUSIVE else None
    rule = (" or " if one_is_enough else " and ").join(part.limit for part in parts)
    return Verdict(name, status, f"{status.value}:{name}", rule=rule, rows_needed=rows, parts=parts)


def combined(statuses: Collection[Status], *, one_is_enough: bool) -> Status:
    """Return what several verdicts add up to; of none, inconclusive."""
    settles, otherwise = (Status.PASS, Status.FAIL) if one_is_enough else (Status.FAIL, Status.PASS)
    if settles in statuses:
        return settles
    return otherwise if statuses and set(statuses) == {otherwise} else Status.INCONCLUSIVE
