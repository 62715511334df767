"""Words that a month uses much more than the months before it. Knows nothing of what they mean."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.mask import anonymous, masked
from interlock.data.audit.months import months
from interlock.data.audit.subject import Subject

CODE = "drift.words"
WORD = re.compile(r"[^\W\d_]{3,}")
SURPRISING = 6.0  # standard errors
OFTEN = 10  # rows of the month
TIMES = 3.0  # how much more often
WORDS_SHOWN = 20


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the rising words, and the rows of their month that use them."""
    by_month = months(subject)
    names = sorted(by_month)
    before: Counter[str] = Counter()
    total = 0
    risen: dict[tuple[str, str], float] = {}
    for name in names:
        now = Counter(word for at in by_month[name] for word in words(subject.rows[at].text))
        if total:
            for word, count in now.items():
                score = _surprise(count, len(by_month[name]), before[word], total)
                if score >= SURPRISING:
                    risen[name, word] = score
        before += now
        total += len(by_month[name])
    if not risen:
        return
    order = sorted(risen, key=lambda pair: (-risen[pair], pair))
    new = dict.fromkeys(order, True)
    rows = [
        at for name in names for at in by_month[name] if any((name, w) in new for w in words(subject.rows[at].text))
    ]
    yield Finding(
        CODE,
        "note",
        count=len(order),
        rows=subject.ids(rows),
        examples=tuple(f"{name}: {masked(word)}" for name, word in order[:3]),
        numbers={f"{name} {masked(word)}": round(risen[name, word], 2) for name, word in order[:WORDS_SHOWN]},
        action="Make sure these words are in the training rows of every label that uses them; older rows lack them.",
    )


def words(text: str) -> set[str]:
    """Return the different words of a text, without numbers."""
    return set(WORD.findall(anonymous(text).casefold()))


def _surprise(now: int, rows_now: int, before: int, rows_before: int) -> float:
    """Return how many standard errors apart the two shares lie, or 0 when the word is rare or its share hardly rose."""
    share, earlier = now / rows_now, before / rows_before
    if now < OFTEN or share < TIMES * earlier:
        return 0.0
    pooled = (now + before) / (rows_now + rows_before)
    error = math.sqrt(pooled * (1 - pooled) * (1 / rows_now + 1 / rows_before))
    return (share - earlier) / error if error else 0.0
