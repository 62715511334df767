"""Labels with too few training rows to be learnt, or to be trusted. Knows nothing of what the rows say."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.data.audit.finding import Finding, Severity
from interlock.data.audit.subject import Subject

CODE = "label.floor"
CRITICAL = 1000  # training rows of a critical label below which data is refused
ANY = 20  # of any label, below which it is doubtful that anything is learnt


def check(subject: Subject) -> Iterator[Finding]:
    """Yield one finding with all labels below their floor; a critical one refuses the data."""
    critical = {label: CRITICAL for label in subject.contract.label_names if label in subject.contract.critical}
    floors = {label: critical.get(label, ANY) for label in subject.contract.label_names}
    short = {label: subject.counts[label] for label, floor in floors.items() if subject.counts[label] < floor}
    if not short:
        return
    refused = [label for label in short if label in critical]
    order = sorted(short, key=lambda label: (label not in critical, short[label], label))
    severity: Severity = "reject" if refused else "warn"
    yield Finding(
        CODE,
        severity,
        count=len(order),
        rows=subject.ids(_rows(subject, order)),
        examples=tuple(f"{label}: {short[label]} training rows, floor {floors[label]}" for label in order[:3]),
        numbers={f"missing.{label}": floors[label] - short[label] for label in order},
        action="Collect the missing rows (see numbers)"
        + (f" before training: {', '.join(refused[:5])} may not be missed." if refused else ", or merge the label."),
    )


def _rows(subject: Subject, labels: list[str]) -> list[int]:
    place = {label: rank for rank, label in enumerate(labels)}
    found = [(min(place.get(label, len(place)) for label in row.labels), at) for at, row in enumerate(subject.rows)]
    return [at for rank, at in sorted(found) if rank < len(place)]
