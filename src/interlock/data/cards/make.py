"""The pages people read about rows and labels, made together so that a model is learnt once. Knows no run."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from interlock.core.contract import Contract
from interlock.core.dataset import Dataset, Example, Part, Split
from interlock.core.errors import MissingExtraError
from interlock.core.progress import Watch, unwatched
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
from interlock.data.audit.run import examine
from interlock.data.audit.subject import Subject
from interlock.data.cards.card import data_card
from interlock.data.cards.guide import label_guide

LABEL_GUIDE, DATA_CARD = "label_guide.md", "data_card.md"
LEARNT = 10_000  # training rows a guide's model learns from: seconds, not minutes
QUICK = (  # checks that need neither a model nor near duplicates
    *(label_floor.check, label_share.check, duplicate_exact.check, duplicate_normalised.check),
    *(text_truncated.check, text_pii.check, language_mix.check),
)


def cards(contract: Contract, split: Split, *, thorough: bool = False, watch: Watch = unwatched) -> dict[str, str]:
    """Return file name -> text of the label guide and the data card.

    Args:
        contract: whose labels the rows carry.
        split: the rows, and the manifest that divides them.
        thorough: run the whole audit, which takes most of a minute on 55,000 rows, and let its models choose the
            guide's rows. Otherwise the card has the quick checks, and a model learnt from at most 10,000 training rows
            serves both pages. Without the extra ``train`` no model is asked at all, and the pages say so.
        watch: told how far the audit is.
    """
    seen = (_audited if thorough else _quick)(contract, split, watch)
    return {
        LABEL_GUIDE: label_guide(contract, split.train, subject=seen.subject),
        DATA_CARD: data_card(contract, split, findings=seen.findings, notes=seen.notes),
    }


def sampled(rows: Dataset) -> list[Example]:
    """Return at most ``LEARNT`` rows, the same number of each label; the order of the rows decides nothing."""
    by_label: dict[str, list[Example]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (zlib.crc32(row.id.encode("utf-8", "surrogatepass")), row.id)):
        by_label[row.label].append(row)
    share = max(1, LEARNT // max(1, len(by_label)))
    return [row for some in by_label.values() for row in some[:share]]


@dataclass(frozen=True)
class _Seen:
    """What both pages are made of."""

    subject: Subject | None  # with models that can be asked
    findings: Sequence[Finding]
    notes: Sequence[str]


def _audited(contract: Contract, split: Split, watch: Watch) -> _Seen:
    try:
        found = examine(_parts(split), contract=contract, watch=watch)
    except MissingExtraError:
        return _quick(contract, split, watch)
    return _Seen(found.subject, found.findings, found.notes)


def _quick(contract: Contract, split: Split, _watch: Watch) -> _Seen:
    """Return what can be seen in seconds, with a note that says so."""
    whole = Subject.of(_parts(split), contract=contract)
    findings = [finding for check in QUICK for finding in check(whole)]
    notes = ["only the quick checks were run; interlock audit runs all"]
    learnt = Subject.of({"train": sampled(split.train)}, contract=contract)
    try:
        findings += label_noise.check(learnt)
    except MissingExtraError as error:
        return _Seen(None, findings, [*notes, error.summary])
    return _Seen(
        learnt, findings, [*notes, f"label.noise judged {len(learnt.rows)} of {len(split.train)} training rows"]
    )


def _parts(split: Split) -> dict[Part, Dataset]:
    return {"train": split.train, "calibration": split.calibration, "test": split.test}
