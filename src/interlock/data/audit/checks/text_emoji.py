"""Messages with emoji. Knows nothing of what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE = "text.emoji"
EMOJI = re.compile("[\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55\u231a\u231b\u23e9-\u23f3]")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the rows with emoji."""
    rows = [at for at, row in enumerate(subject.rows) if not row.text.isascii() and EMOJI.search(row.text)]
    if rows:
        yield Finding(
            CODE,
            "note",
            count=len(rows),
            rows=subject.ids(rows),
            examples=subject.show(rows),
            numbers={"share": len(rows) / len(subject.rows)},
            action="Check that the encoder's vocabulary has them; an unknown piece says nothing.",
        )
