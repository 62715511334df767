"""How label shares move from month to month. Knows no cause, and nothing of rows without a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.months import months
from interlock.data.audit.subject import Subject
from interlock.measure.drift import label_drift

CODE = "drift.labels"
LIMIT = 0.1  # population stability index, bias taken off, from which a month differs in earnest
CERTAIN = 0.001  # p-value that chance must stay below as well


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the months whose label shares differ from those of the months before them."""
    by_month = months(subject)
    names = sorted(by_month)
    if len(names) < 2:  # noqa: PLR2004 - drift needs a before and an after
        return
    counts = {name: Counter(subject.rows[at].label for at in by_month[name]) for name in names}
    before: Counter[str] = Counter()
    distances: dict[str, float] = {}
    moved: dict[str, str] = {}
    for name in names:
        if before:
            reference = [before[label] for label in subject.labels]
            window = [counts[name][label] for label in subject.labels]
            found = label_drift(reference, window, resamples=50)
            distances[name] = round(float(found.psi.value), 4)
            if found.psi.value > LIMIT and found.p < CERTAIN:
                moved[name] = _most_moved(before, counts[name])
        before += counts[name]
    rows = [at for name in moved for at in by_month[name]]
    yield Finding(
        CODE,
        "warn" if moved else "note",
        count=len(moved),
        rows=subject.ids(rows),
        examples=tuple(f"{name}: {said}" for name, said in list(moved.items())[:3]),
        numbers=distances,
        action="Train on the newest months and watch these labels: their share is not stable."
        if moved
        else "Label shares hold still from month to month.",
    )


def _most_moved(before: Counter[str], now: Counter[str]) -> str:
    was = {label: count / before.total() for label, count in before.items()}
    became = {label: count / now.total() for label, count in now.items()}
    label = max(sorted({*was, *became}), key=lambda name: abs(became.get(name, 0.0) - was.get(name, 0.0)))
    return f"{label} from {was.get(label, 0.0):.1%} to {became.get(label, 0.0):.1%}"
