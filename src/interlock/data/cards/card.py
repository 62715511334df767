"""The data card: where rows come from, how they were split, what is known to be wrong or missing. Knows no model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from interlock.core.contract import Contract
from interlock.core.dataset import Dataset, Split
from interlock.data.audit.finding import Finding
from interlock.data.cards.annotators import agreement_lines
from interlock.data.cards.gaps import gaps
from interlock.data.cards.markdown import TO_FILL, name, plain, table
from interlock.measure.proportion import proportion

MOST = 20  # values of a field listed
UNKNOWN = "not given"


def data_card(contract: Contract, split: Split, *, findings: Sequence[Finding], notes: Sequence[str] = ()) -> str:
    """Return ``data_card.md``; nothing in it shows a message, a group's name or an id.

    Args:
        contract: whose labels the rows carry.
        split: the rows and the manifest.
        findings: what an audit found, or the part of it that was run.
        notes: what was not looked at, and how the findings were made.
    """
    parts: dict[str, Dataset] = {"train": split.train, "calibration": split.calibration, "test": split.test}
    rows = Dataset(tuple(row for some in parts.values() for row in some))
    sections = {
        "To fill in": [f"- {what}: {TO_FILL}" for what in ("Provenance", "Consent", "Retention", "Licence")],
        "Rows": [*_rows(parts), "", *_made_of(rows), "", *_lengths(rows)],
        "Classes": _classes(contract, parts),
        "Split": _split(split),
        "Measured quality": [*_quality(findings), *_notes(notes)],
        "Annotator agreement": agreement_lines(rows, contract.label_names, detailed=False),
        "Known gaps": [*(f"- {gap}" for gap in gaps(contract, split)), f"- Beyond what rows show: {TO_FILL}"],
    }
    lines = [
        f"# Data card: {plain(contract.name)}",
        "",
        f"Labels `{contract.label_version}`, contract `{contract.digest}`.",
    ]
    for title, body in sections.items():
        if body:
            lines += ["", f"## {title}", "", *body]
    return "\n".join(lines).rstrip("\n") + "\n"


def _rows(parts: dict[str, Dataset]) -> list[str]:
    return table(
        ["part", "rows", "synthetic", "groups", "first", "last", "fingerprint"],
        [
            [
                part,
                len(rows),
                f"{sum(row.source == 'synthetic' for row in rows) / max(1, len(rows)):.1%}",
                len({row.group for row in rows} - {None}),
                *_span(rows),
                f"`{rows.fingerprint}`",
            ]
            for part, rows in parts.items()
        ],
    )


def _span(rows: Dataset) -> tuple[str, str]:
    """Return the first and the last day; a time without a zone counts as UTC."""
    times = [datetime.fromisoformat(row.timestamp) for row in rows if row.timestamp is not None]
    if not times:
        return UNKNOWN, UNKNOWN
    aware = [time if time.tzinfo else time.replace(tzinfo=UTC) for time in times]
    return min(aware).date().isoformat(), max(aware).date().isoformat()


def _made_of(rows: Dataset) -> list[str]:
    cells = []
    for field in ("source", "lang", "slice"):
        counts = Counter(getattr(row, field) for row in rows)
        order = sorted(counts, key=lambda value: (-counts[value], value or ""))
        shown = [
            f"{UNKNOWN if value is None else name(value)} {counts[value]} ({counts[value] / len(rows):.1%})"
            for value in order[:MOST]
        ]
        more = [f"{len(order) - MOST} more"] if len(order) > MOST else []
        cells.append([f"`{field}`", ", ".join([*shown, *more])])
    several = sum(len(row.labels) > 1 for row in rows)
    return table(["field", "rows"], [*cells, ["several labels", f"{several} ({several / max(1, len(rows)):.1%})"]])


def _lengths(rows: Dataset) -> list[str]:
    counts = {"words": [len(text.split()) for text in rows.texts], "characters": [len(text) for text in rows.texts]}
    shares = (5, 50, 95, 99)
    return table(
        ["length", *(f"p{share}" for share in shares), "longest"],
        [
            [unit, *(f"{np.percentile(some, share):.0f}" for share in shares), max(some)]
            for unit, some in counts.items()
        ],
    )


def _classes(contract: Contract, parts: dict[str, Dataset]) -> list[str]:
    counts = [rows.counts() for rows in parts.values()]
    total = sum(counts, Counter[str]())
    most, least = (pick(total[label] for label in contract.labels) for pick in (max, min))
    ratio = f"{most / least:.1f} times" if least else "infinitely many times"
    return [
        f"The largest label has {ratio} the rows of the smallest ({most} and {least}).",
        "",
        *table(
            ["label", *parts, "share"],
            [
                [name(label), *(count[label] for count in counts), f"{total[label] / max(1, sum(total.values())):.1%}"]
                for label in contract.labels
            ],
        ),
    ]


def _split(split: Split) -> list[str]:
    manifest = split.manifest
    near = plain(manifest.near) or UNKNOWN
    proof = table(["rows of a later part met in an earlier one", "count"], sorted(manifest.crossings.items()))
    return [
        f"- Rule `{manifest.rule}`, seed {manifest.seed}, manifest `{manifest.digest}`",
        f"- Near duplicates: {near}; pairs that stand in two parts all the same: {manifest.apart}",
        f"- Rows in no part, as they would leak: {len(manifest.removed)}",
        *(f"- {plain(reason)}" for reason in manifest.why),
        "",
        *proof,
    ]


def _quality(findings: Sequence[Finding]) -> Iterator[str]:
    noise = next((finding for finding in findings if finding.code == "label.noise"), None)
    if noise is not None and (judged := int(noise.numbers["judged"])):
        flagged = proportion("flagged", noise.count, judged)
        yield (
            f"Labels that are probably wrong: {noise.count} of {judged} rows judged, {flagged.value:.1%} "
            f"(95 % interval {flagged.low:.1%} to {flagged.high:.1%}), by confident learning on held-out models; an "
            "estimate, as nobody has read them."
        )
        yield ""
    yield from table(
        ["finding", "severity", "count", "what to do"],
        [[f"`{one.code}`", one.severity, one.count, plain(one.action)] for one in findings],
    )


def _notes(notes: Sequence[str]) -> list[str]:
    return ["", *(f"- Note: {plain(note)}" for note in notes)] if notes else []
