"""The pages people read about rows and labels, made together so that a model is learnt once. Knows no run."""

from __future__ import annotations

import zlib
from collections import defaultdict

from interlock.core.contract import Contract
from interlock.core.dataset import PARTS, Dataset, Example, Split
from interlock.core.errors import MissingExtraError
from interlock.data.audit.checks import (
    duplicate_exact,
    duplicate_normalised,
    label_floor,
    label_noise,
    label_share,
    language_mix,
    text_pii,
    text_truncated,
)
from interlock.data.audit.finding import Finding
from interlock.data.audit.run import Audit
from interlock.data.audit.subject import Subject
from interlock.data.cards.card import data_card
from interlock.data.cards.guide import label_guide

LABEL_GUIDE, DATA_CARD = "label_guide.md", "data_card.md"
LEARNT = 10_000  # training rows a guide's model learns from: seconds, not minutes
QUICK = (  # checks that need neither a model nor near duplicates
    *(label_floor.check, label_share.check, duplicate_exact.check, duplicate_normalised.check),
    *(text_truncated.check, text_pii.check, language_mix.check),
)


def cards(contract: Contract, split: Split, *, audit: Audit | None = None) -> dict[str, str]:
    """Return file name -> text of the label guide and the data card.

    Args:
        contract: whose labels the rows carry.
        split: the rows, and the manifest that divides them.
        audit: what an audit of these rows found, whose models then choose the guide's examples too. Without it the
            card has the quick checks, and one model learnt from at most 10,000 training rows serves both pages.
    """
    if audit is not None:
        guide = label_guide(contract, split.train, subject=audit.subject)
        return {LABEL_GUIDE: guide, DATA_CARD: data_card(contract, split, findings=audit.findings, notes=audit.notes)}
    subject: Subject | None = Subject.of({"train": sampled(split.train)}, contract=contract)
    try:
        guide = label_guide(contract, split.train, subject=subject)
    except MissingExtraError:
        subject, guide = None, label_guide(contract, split.train)
    findings, notes = _quick(contract, split, subject)
    return {LABEL_GUIDE: guide, DATA_CARD: data_card(contract, split, findings=findings, notes=notes)}


def sampled(rows: Dataset) -> list[Example]:
    """Return at most ``LEARNT`` rows, the same number of each label; the order of the rows decides nothing."""
    by_label: dict[str, list[Example]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (zlib.crc32(row.id.encode("utf-8", "surrogatepass")), row.id)):
        by_label[row.label].append(row)
    share = max(1, LEARNT // max(1, len(by_label)))
    return [row for some in by_label.values() for row in some[:share]]


def _quick(contract: Contract, split: Split, subject: Subject | None) -> tuple[list[Finding], list[str]]:
    """Return what can be seen in seconds, and a note that says so."""
    parts = dict(zip(PARTS, (split.train, split.calibration, split.test), strict=True))
    whole = Subject.of(parts, contract=contract)
    findings = [finding for check in QUICK for finding in check(whole)]
    notes = ["only the quick checks were run; `interlock audit` runs all"]
    if subject is not None:
        findings += label_noise.check(subject)
        notes.append(f"label.noise judged {len(subject.rows)} of {len(split.train)} training rows")
    return findings, notes
