"""The label guide and the data card: what people must know about labels and rows. Knows no model."""

from __future__ import annotations

from collections.abc import Iterable

from interlock.core.contract import Contract
from interlock.core.dataset import Dataset, Split

TO_FILL = "*to fill in*"


def label_guide(contract: Contract, rows: Dataset) -> str:
    """Return ``label_guide.md``: each label's meaning, boundary, route and examples from the training rows."""
    lines = [
        f"# Label guide: {contract.name}",
        "",
        f"Version `{contract.label_version}`, contract `{contract.digest}`.",
        "",
    ]
    by_label: dict[str, list[str]] = {label: [] for label in contract.labels}
    for example in sorted(rows, key=lambda example: example.id):
        if len(example.labels) == 1:
            by_label[example.label].append(example.text)
    for name, spec in contract.labels.items():
        lines += [
            f"## {name}",
            "",
            f"- Means: {spec.means or TO_FILL}",
            f"- Not: {spec.not_ or TO_FILL}",
            f"- Route: `{spec.route}`",
        ]
        lines += ["- Critical: a miss here is a release blocker"] if name in contract.critical else []
        lines += ["- Examples:", *(f"  - {_one_line(text)}" for text in by_label[name][:3]), ""]
    return "\n".join(lines)


def data_card(contract: Contract, split: Split) -> str:
    """Return ``data_card.md``: where rows come from, how they were split, and what is known to be missing."""
    parts = {"train": split.train, "calibration": split.calibration, "test": split.test}
    lines = [
        f"# Data card: {contract.name}",
        "",
        f"- Provenance: {TO_FILL}",
        f"- Consent and retention: {TO_FILL}",
        f"- Known gaps: {TO_FILL}",
        f"- Split: {split.manifest.rule}, manifest `{split.manifest.digest}`",
        f"- Rows shared between parts: {split.manifest.crossings}",
        "",
        "| part | rows | synthetic | groups | fingerprint |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {len(rows)} | {_synthetic(rows)} | {_groups(rows)} | `{rows.fingerprint}` |"
            for name, rows in parts.items()
        ),
        "",
        "| label | train | calibration | test |",
        "|---|---|---|---|",
    ]
    counts = [rows.counts() for rows in parts.values()]
    lines += [f"| {label} | " + " | ".join(str(count[label]) for count in counts) + " |" for label in contract.labels]
    return "\n".join([*lines, ""])


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _synthetic(rows: Dataset) -> str:
    return f"{sum(row.source == 'synthetic' for row in rows) / max(1, len(rows)):.1%}"


def _groups(rows: Iterable[object]) -> int:
    return len({getattr(row, "group", None) for row in rows} - {None})
