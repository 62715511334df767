"""What rows and contract visibly lack, as sentences. Knows nothing of what the rows say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from interlock.core.contract import Contract
from interlock.core.dataset import Example, Split
from interlock.data.audit.checks.label_floor import ANY, CRITICAL
from interlock.data.cards.markdown import names

FEWEST = 50  # rows a slice or a language needs for a figure of its own to mean much
MONTHS = 12  # of a year


def gaps(contract: Contract, split: Split) -> list[str]:
    """Return everything that is visibly missing, the labels first."""
    rows = (*split.train, *split.calibration, *split.test)
    return [*_labels(contract, split), *_parts(contract, rows), *_fields(rows), *_months(rows)]


def _labels(contract: Contract, split: Split) -> Iterator[str]:
    counts = split.train.counts()
    for floor, some in ((CRITICAL, contract.critical), (ANY, set(contract.labels) - contract.critical)):
        kind = "critical labels" if floor == CRITICAL else "labels"
        if short := [label for label in contract.labels if label in some and counts[label] < floor]:
            yield f"{len(short)} {kind} have fewer than {floor} training rows: {names(short)}."
    for part, rows in (("calibration", split.calibration), ("test", split.test)):
        seen = rows.counts()
        if absent := [label for label in contract.labels if not seen[label]]:
            yield f"{len(absent)} labels have no {part} row: {names(absent)}."
    for field, values in (
        ("means", {label: spec.means for label, spec in contract.labels.items()}),
        ("not", {label: spec.not_ for label, spec in contract.labels.items()}),
    ):
        if empty := [label for label, value in values.items() if not value.strip()]:
            yield f"{len(empty)} labels have no `{field}` in the contract: {names(empty)}."


def _parts(contract: Contract, rows: Sequence[Example]) -> Iterator[str]:
    slices = Counter(row.slice for row in rows if row.slice is not None)
    languages = Counter(row.lang for row in rows if row.lang is not None)
    if missing := [one for one in contract.slices.required if one not in slices]:
        yield f"required slices have no row: {names(missing)}."
    for kind, counts in (("slices", slices), ("languages", languages)):
        if few := sorted(one for one, count in counts.items() if count < FEWEST):
            yield f"{kind} with fewer than {FEWEST} rows: {names(few)}."


def _fields(rows: Sequence[Example]) -> Iterator[str]:
    for field, why in (
        ("group", "whether one customer's rows stand on both sides of the split cannot be seen"),
        ("timestamp", "neither drift nor a split by time can be looked at"),
        ("lang", "languages can only be guessed from the script"),
        ("annotations", "how far people agree on the labels is not known"),
    ):
        without = sum(not getattr(row, field) for row in rows)
        if without == len(rows):
            yield f"no row has `{field}`: {why}."
        elif without and field != "annotations":
            yield f"{without} of {len(rows)} rows have no `{field}`."


def _months(rows: Sequence[Example]) -> Iterator[str]:
    times = [datetime.fromisoformat(row.timestamp) for row in rows if row.timestamp is not None]
    seen = {MONTHS * time.year + time.month - 1 for time in times}
    if empty := [month for month in range(min(seen, default=0), max(seen, default=0)) if month not in seen]:
        written = [f"{month // MONTHS:04d}-{month % MONTHS + 1:02d}" for month in empty]
        yield f"{len(empty)} months between the first row and the last have none: {names(written)}."
