"""Messages with addresses of web pages. Opens none and knows nothing of where they lead."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.mask import URL
from interlock.data.audit.subject import Subject

CODE = "text.url"


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the rows with addresses."""
    rows = [at for at, row in enumerate(subject.rows) if URL.search(row.text)]
    if rows:
        yield Finding(
            CODE,
            "note",
            count=len(rows),
            rows=subject.ids(rows),
            examples=subject.show(rows),
            numbers={"share": len(rows) / len(subject.rows)},
            action="Replace addresses by a placeholder in data and traffic alike; they cost tokens and may hold names.",
        )
