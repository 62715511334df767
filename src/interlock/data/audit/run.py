"""The audit: a data file and its contract in, every finding and a verdict out. Knows no screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from interlock.core.contract import Contract
from interlock.core.dataset import Example, Part
from interlock.core.progress import Watch, unwatched
from interlock.data.audit.checks import (
    drift_labels,
    drift_words,
    duplicate_conflicting,
    duplicate_exact,
    duplicate_near,
    duplicate_normalised,
    group_dominates,
    intents_several,
    label_floor,
    label_noise,
    label_share,
    label_undefined,
    language_mix,
    leak_identifier,
    split_leak,
    synthetic_quality,
    taxonomy_outside,
    text_emoji,
    text_jargon,
    text_pii,
    text_truncated,
    text_url,
)
from interlock.data.audit.finding import SEVERITIES, Finding
from interlock.data.audit.load import load
from interlock.data.audit.subject import Subject

Check = Callable[[Subject], Iterator[Finding]]
CHECKS: Mapping[str, Check] = {
    "label.floor": label_floor.check,
    "label.share": label_share.check,
    "duplicate.exact": duplicate_exact.check,
    "duplicate.normalised": duplicate_normalised.check,
    "duplicate.near": duplicate_near.check,
    "split.leak": split_leak.check,
    "label.noise": label_noise.check,
    "label.undefined": label_undefined.check,
    "duplicate.conflicting": duplicate_conflicting.check,
    "synthetic.quality": synthetic_quality.check,
    "intents.several": intents_several.check,
    "taxonomy.outside": taxonomy_outside.check,
    "language.mix": language_mix.check,
    "text.emoji": text_emoji.check,
    "text.url": text_url.check,
    "text.pii": text_pii.check,
    "text.truncated": text_truncated.check,
    "text.jargon": text_jargon.check,
    "drift.labels": drift_labels.check,
    "drift.words": drift_words.check,
    "group.dominates": group_dominates.check,
    "leak.identifier": leak_identifier.check,
}


@dataclass(frozen=True)
class Audit:
    """What an audit found."""

    subject: Subject
    findings: tuple[Finding, ...]  # the most serious first
    notes: tuple[str, ...] = ()  # what the audit could not look at, and why
    seconds: Mapping[str, float] = field(default_factory=dict)  # check -> time it took

    @property
    def verdict(self) -> Literal["accept", "reject"]:
        """Whether any rule refuses the data."""
        return "reject" if any(finding.severity == "reject" for finding in self.findings) else "accept"

    def found(self, code: str) -> Finding | None:
        """Return the finding with this code, if there is one."""
        return next((finding for finding in self.findings if finding.code == code), None)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "rows": len(self.subject.rows),
            "verdict": self.verdict,
            "findings": [finding.to_json() for finding in self.findings],
            "notes": list(self.notes),
        }


def audit(
    data: str | Path,
    *,
    contract: Contract,
    test: str | Path | None = None,
    calibration: str | Path | None = None,
    tokenizer: Path | None = None,
    watch: Watch = unwatched,
) -> Audit:
    """Read the files and run every check.

    Args:
        data: labelled rows; a field ``split`` in them says which part a row is in.
        contract: whose labels, limits and input policy apply.
        test: the test rows, when they are a file of their own.
        calibration: the calibration rows, likewise.
        tokenizer: a ``tokenizer.json`` to count tokens with; they are estimated without.
        watch: told how far the work is.

    Raises:
        InputError: unreadable rows; every problem is named.
    """
    watch({"event": "stage", "stage": "read", "detail": str(data)})
    rows, notes = load(data, labels=contract.label_names, test=test, calibration=calibration)
    return examine(rows, contract=contract, tokenizer=tokenizer, notes=notes, watch=watch)


def examine(
    rows: Mapping[Part, Iterable[Example]],
    *,
    contract: Contract,
    tokenizer: Path | None = None,
    notes: Iterable[str] = (),
    watch: Watch = unwatched,
) -> Audit:
    """Run every check on rows that are read already."""
    subject = Subject.of(rows, contract=contract, tokenizer=tokenizer)
    findings: list[Finding] = []
    seconds: dict[str, float] = {}
    for done, (name, look) in enumerate(CHECKS.items()):
        watch({"event": "progress", "stage": "audit", "done": done, "total": len(CHECKS)})
        start = time.perf_counter()
        findings += look(subject)
        seconds[name] = time.perf_counter() - start
    watch({"event": "progress", "stage": "audit", "done": len(CHECKS), "total": len(CHECKS)})
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), -finding.count, finding.code))
    return Audit(subject, tuple(findings), (*notes, *_unlearnt(subject)), seconds)


def _unlearnt(subject: Subject) -> Iterator[str]:
    """Yield what the model could not look at."""
    missing = [label for label in subject.labels if label not in subject.held_out.labels]
    several = sum(len(row.labels) > 1 for row in subject.rows)
    if not subject.held_out.learnt:
        yield (
            "label.noise, label.confused, intents.several and taxonomy.outside were not looked for: "
            "a model needs at least two labels with 5 different texts, and at most 12,000,000 rows times labels"
        )
    elif missing:
        yield f"label.noise passes over {len(missing)} labels with fewer than 5 rows: {', '.join(missing[:10])}"
    if several:
        yield f"label.noise passes over {several} rows with several labels"
