"""Groups (customers, conversations, templates) that make up much of a label. Knows nothing of who they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.mask import masked
from interlock.data.audit.subject import Subject

CODE = "group.dominates"
SHARE = 0.2  # of a label's rows
LEAST = 10  # rows of the group under the label


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the groups without which a label would lose a fifth of its rows."""
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    totals: Counter[str] = Counter(row.label for row in subject.rows)
    for at, row in enumerate(subject.rows):
        if row.group is not None:
            members[row.label, row.group].append(at)
    found = {key: rows for key, rows in members.items() if len(rows) >= LEAST and len(rows) / totals[key[0]] >= SHARE}
    if found:
        order = sorted(found, key=lambda key: (-len(found[key]) / totals[key[0]], key))
        yield Finding(
            CODE,
            "warn",
            count=len(order),
            rows=subject.ids(at for key in order for at in found[key]),
            examples=tuple(
                f"{masked(group)}: {len(found[label, group])} of {totals[label]} rows of {label}"
                for label, group in order[:3]
            ),
            action="Collect from more sources, or cap the rows of a group; the label would be learnt as its habits.",
        )
