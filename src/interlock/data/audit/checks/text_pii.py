"""Messages with the shape of personal data: mail, card, phone, postal code. Knows shapes, not persons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.mask import personal
from interlock.data.audit.subject import Subject

CODE = "text.pii"
GRAVITY = {"card": 0, "mail": 1, "phone": 2, "postal": 3}  # the order of the ranking


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the rows that hold such shapes, cards first."""
    kinds = {at: list(personal(row.text)) for at, row in enumerate(subject.rows)}
    rows = sorted((at for at in kinds if kinds[at]), key=lambda at: (min(GRAVITY[kind] for kind in kinds[at]), at))
    if rows:
        total = Counter(kind for at in rows for kind in kinds[at])
        yield Finding(
            CODE,
            "warn",
            count=len(rows),
            rows=subject.ids(rows),
            examples=subject.show(rows, notes=[", ".join(kinds[at]) for at in rows]),
            numbers={kind: total[kind] for kind in GRAVITY if total[kind]},
            action="Mask these in the file before it is shared or trained on; nothing of them is shown here.",
        )
