"""Words of this data that the tokenizer breaks into many pieces. Knows no dictionary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from interlock.data.audit.finding import Finding
from interlock.data.audit.mask import anonymous, masked
from interlock.data.audit.pieces import token_counts
from interlock.data.audit.subject import Subject

CODE = "text.jargon"
BROKEN = 4  # pieces from which a word is hardly known
OFTEN = 5  # rows a word must stand in
SHOWN = 20
WORD = re.compile(r"[^\W\d_]{3,}")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the commonest words that fall into many pieces, and how many pieces a word takes on average."""
    used = [set(WORD.findall(anonymous(row.text).casefold())) for row in subject.rows]
    rows = Counter(word for some in used for word in some)
    words = sorted(word for word, count in rows.items() if count >= OFTEN)
    if not words:
        return
    pieces = token_counts(words, tokenizer=subject.tokenizer, whole=False)
    weight = np.array([rows[word] for word in words])
    broken = {word: int(n) for word, n in zip(words, pieces, strict=True) if n >= BROKEN}
    order = sorted(broken, key=lambda word: (-rows[word], word))
    known = "counted" if subject.tokenizer else "estimated"
    touched = [at for at, some in enumerate(used) if not some.isdisjoint(broken)]
    yield Finding(
        CODE,
        "note",
        count=len(order),
        rows=subject.ids(touched),
        examples=tuple(f"{masked(word)}: {broken[word]} pieces, {rows[word]} rows" for word in order[:3]),
        numbers={
            "pieces_per_word": round(float((pieces * weight).sum() / weight.sum()), 3),
            **{masked(word): broken[word] for word in order[:SHOWN]},
        },
        action=f"Pieces {known}; when this jargon decides the label, prefer an encoder that knows it, or more rows.",
    )
