"""Injected errors and changed messages: what was expected, what was measured, whether it held. Knows no bundles.

The documents' criteria are kept as they are; the others are the house's. A criterion holds when the interval supports
it, is broken when the interval excludes it, and is inconclusive in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from interlock.core.measurement import Measurement
from interlock.core.verdict import Status

Rule = Literal["at_most", "at_least", "all"]
WORST = 10  # examples of a suite


@dataclass(frozen=True, slots=True)
class Criterion:
    """What an injected error may do."""

    procedure: str
    rule: Rule
    bar: float
    expected: str
    caught_by: str
    training: bool = False  # needs a router to be trained with the error


INJECTIONS: Mapping[str, Criterion] = {
    "label_noise": Criterion(
        "5 % of the training labels replaced by another, uniformly",
        "at_most",
        0.015,
        "accuracy falls by at most 1.5 points",
        "limits.accuracy, on rows with right labels",
        training=True,
    ),
    "label_noise.audit": Criterion(
        "the same rows, audited",
        "at_least",
        0.8,
        "at least 80 % of the wrong labels are flagged",
        "interlock audit: label.noise",
        training=True,
    ),
    "rare_rows_dropped": Criterion(
        "10 % of the rarest label's training rows left out",
        "at_most",
        0.01,
        "macro-F1 falls by at most 1 point",
        "limits.macro_f1, slices.critical_min_recall",
        training=True,
    ),
    "typos.rows": Criterion(
        "2 % of the letters changed, in 2 % of the rows",
        "at_most",
        0.008,
        "accuracy falls by at most 0.8 points",
        "limits.accuracy",
    ),
    "typos.letters": Criterion(
        "2 % of the letters changed, in every row",
        "at_most",
        0.03,
        "accuracy falls by at most 3 points",
        "limits.accuracy, monitoring of confidence",
    ),
    "prompt_injection": Criterion(
        "an order to route elsewhere put before messages the router gets right",
        "at_least",
        0.95,
        "at least 95 % keep their label",
        "what a message says is data: no text is an instruction; decide.unknown",
    ),
    "input.cut": Criterion(
        "the second half of every message missing",
        "at_most",
        0.05,
        "accuracy of what it routes itself falls by at most 5 points",
        "decide.auto, decide.guarded: what is unsure goes to the fallback",
    ),
    "input.too_long": Criterion(
        "messages longer than input.max_tokens",
        "all",
        1.0,
        "every one goes to the failure fallback",
        "the policy: too_long",
    ),
    "input.blank": Criterion(
        "messages that show nothing, or are no text",
        "all",
        1.0,
        "every one goes to the failure fallback",
        "the policy: empty_text, undecodable",
    ),
    "scores.nan": Criterion(
        "a model that gives no numbers",
        "all",
        1.0,
        "every message goes to the failure fallback",
        "the policy: invalid_score",
    ),
    "calibrator.swapped": Criterion(
        "another calibrator.json put into the bundle", "all", 1.0, "refused", "the manifest's digests"
    ),
    "calibrator.stale": Criterion(
        "another model's temperature, three times too warm",
        "all",
        1.0,
        "the calibration error is not shown to keep its limit",
        "limits.ece, recomputed by the judge",
    ),
    "labels.reordered": Criterion(
        "the contract's labels in another order put into the bundle", "all", 1.0, "refused", "the manifest's digests"
    ),
    "labels.reordered_packed": Criterion(
        "the same, packed again with a manifest of its own",
        "all",
        1.0,
        "refused",
        "golden messages; a signature under a trust root",
    ),
    "graph.flipped": Criterion(
        "one byte of the serving graph turned over", "all", 1.0, "refused", "the manifest's digests"
    ),
    "data.unknown_label": Criterion(
        "a row whose label the contract does not know", "all", 1.0, "refused, exit code 2", "reading rows"
    ),
}


@dataclass(frozen=True, slots=True)
class Injected:
    """What one injected error did."""

    name: str
    measured: Measurement
    detail: str = ""  # what was seen, in words

    @property
    def criterion(self) -> Criterion:
        """What was allowed."""
        return INJECTIONS[self.name]

    @property
    def status(self) -> Status:
        """Whether the criterion holds; NaN is inconclusive."""
        return status_of(self.measured, self.criterion.rule, self.criterion.bar)

    @property
    def said(self) -> str:
        """The measurement in words."""
        if self.criterion.rule == "all":
            share = (
                f"{round(self.measured.value * self.measured.n)} of {self.measured.n}" if self.measured.n else "none"
            )
            return f"{share}{': ' if self.detail else ''}{self.detail}"
        return f"{said(self.measured)}{': ' if self.detail else ''}{self.detail}"

    def to_json(self) -> dict[str, Any]:
        """Return the line."""
        rule = self.criterion
        return {
            "injection": self.name,
            "procedure": rule.procedure,
            "expected": rule.expected,
            "measured": self.said,
            "evidence": self.measured.to_json(),
            "caught_by": rule.caught_by,
            "status": self.status.value,
        }


@dataclass(frozen=True)
class Injections:
    """Every error that was injected."""

    rows: int
    injected: tuple[Injected, ...]
    notes: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether every criterion is shown to hold."""
        return bool(self.injected) and all(one.status is Status.PASS for one in self.injected)

    def to_json(self) -> dict[str, Any]:
        """Return everything."""
        return {
            "experiment": "inject",
            "n": self.rows,
            "rows": [one.to_json() for one in self.injected],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Suite:
    """What changed messages of one kind did, among those whose original the router gets right."""

    name: str
    test: str
    kept: Measurement  # share of cases that hold
    misrouted: Measurement  # share of cases that the policy sends to a label's route that is not their own
    skipped: int  # cases whose original the router gets wrong
    least: float
    worst: tuple[Mapping[str, Any], ...]  # masked, the surest mistakes first

    @property
    def status(self) -> Status:
        """Whether at least ``least`` of the cases are shown to hold."""
        return status_of(self.kept, "at_least", self.least)

    def to_json(self) -> dict[str, Any]:
        """Return the suite."""
        return {
            "suite": self.name,
            "test": self.test,
            "kept": self.kept.to_json(),
            "misrouted": self.misrouted.to_json(),
            "skipped": self.skipped,
            "at_least": self.least,
            "status": self.status.value,
            "worst": [dict(one) for one in self.worst],
        }


@dataclass(frozen=True)
class Counterfactuals:
    """Every suite."""

    suites: tuple[Suite, ...]

    @property
    def passes(self) -> bool:
        """Whether every suite is shown to hold."""
        return bool(self.suites) and all(suite.status is Status.PASS for suite in self.suites)

    def to_json(self) -> dict[str, Any]:
        """Return everything."""
        return {"experiment": "counterfactual", "suites": [suite.to_json() for suite in self.suites]}


def status_of(found: Measurement, rule: Rule, bar: float) -> Status:
    """Return pass when the interval supports the rule, fail when it excludes it; ``all`` asks for every single one."""
    if found.n < 1:
        return Status.INCONCLUSIVE
    if rule == "all":
        return Status.PASS if found.value >= bar else Status.FAIL
    if rule == "at_least":
        return Status.PASS if found.low >= bar else Status.FAIL if found.high < bar else Status.INCONCLUSIVE
    return Status.PASS if found.high <= bar else Status.FAIL if found.low > bar else Status.INCONCLUSIVE


def said(found: Measurement) -> str:
    """Return a share with its interval, in hundredths."""
    if not found.known:
        return f"not known, n {found.n}"
    value, low, high = (100 * x for x in (found.value, found.low, found.high))
    return f"{value:.1f} % ({low:.1f} to {high:.1f}), n {found.n}"


def cells(found: Injections | Counterfactuals) -> tuple[Sequence[str], list[list[str]]]:
    """Return the table's head and lines, for any screen."""
    if isinstance(found, Injections):
        lines = [[o.name, o.criterion.procedure, o.criterion.expected, o.said, o.status.value] for o in found.injected]
        return ("injection", "what is done", "expected", "measured", "status"), lines
    head = ("suite", "test", "kept", "sent elsewhere", "not right before", "status")
    return head, [
        [s.name, s.test, said(s.kept), said(s.misrouted), str(s.skipped), f"{s.status.value} (>= {s.least:g})"]
        for s in found.suites
    ]
