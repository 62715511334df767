"""Tokens that give the label away and will not be there in traffic: ids, tags, the label's own name. Knows no text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from interlock.data.audit.finding import Finding
from interlock.data.audit.mask import anonymous, masked
from interlock.data.audit.subject import Subject

CODE = "leak.identifier"
TOKEN = re.compile(r"[\w#-]{0,60}[\d_#][\w#-]{0,60}")
PURE = 0.95  # share of a shape's rows that carry one label
LEAST = 20  # rows of the shape
GAIN = 2.0  # how many times the label's own share that must be
RUN = re.compile(r"[0-9]+|\b(?=[a-f]*\d)[0-9a-f]{8,}\b")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the shapes of tokens (digits as #) that nearly always stand with one label."""
    holders: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(subject.rows):
        for shape in shapes(row.text, subject):
            holders[shape].append(at)
    total = len(subject.rows)
    of_label: dict[str, int] = defaultdict(int)
    for row in subject.rows:
        of_label[row.label] += 1
    found: dict[str, tuple[str, list[int]]] = {}
    for shape, rows in holders.items():
        label, count = _commonest(subject, rows)
        if len(rows) >= LEAST and count / len(rows) >= PURE and GAIN * of_label[label] / total <= count / len(rows):
            found[shape] = (label, rows)
    if found:
        order = sorted(found, key=lambda shape: (-len(found[shape][1]), shape))
        rows = list(dict.fromkeys(at for shape in order for at in found[shape][1]))
        yield Finding(
            CODE,
            "warn",
            count=len(order),
            rows=subject.ids(rows),
            examples=tuple(f"{masked(s)}: {len(found[s][1])} rows, nearly all {found[s][0]}" for s in order[:3]),
            numbers={masked(shape): len(found[shape][1]) for shape in order},
            action="Ask whether traffic carries these before the label is known; if not, take them out of the texts.",
        )


def shapes(text: str, subject: Subject) -> set[str]:
    """Return the shapes of identifier-like tokens in ``text``, and label names written out in it."""
    found = set()
    for token in TOKEN.findall(anonymous(text)):
        name = token.strip("#-").casefold()
        shape = RUN.sub("#", token)
        if name in subject.contract.labels or any(char.isalpha() or char == "_" for char in shape):
            found.add(shape)
    return found


def _commonest(subject: Subject, rows: list[int]) -> tuple[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for at in rows:
        counts[subject.rows[at].label] += 1
    label = max(sorted(counts), key=counts.__getitem__)
    return label, counts[label]
