"""Synthetic rows: how many, how unlike production, and how many are bad. Knows no generator.

The distance is a classifier two-sample test (Lopez-Paz and Oquab 2017): the held-out accuracy of telling equally many
rows of both kinds apart, where one half means that nothing gives them away.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import numpy as np

from interlock.core.measurement import Measurement
from interlock.data.audit.checks.label_noise import confident_errors
from interlock.data.audit.finding import Finding
from interlock.data.audit.learner import held_out
from interlock.data.audit.mask import READ
from interlock.data.audit.subject import Subject
from interlock.measure.proportion import proportion

CODE = "synthetic.quality"
BAD = 0.10  # share of bad rows above which synthetic data is refused
DIFFERENT = 0.60  # accuracy whose lower bound makes synthetic rows a population of their own
CHATTER = re.compile(
    r"as an ai|language model|here (?:is|are) (?:an?|some|\w+) (?:example|sample|realistic|quer)"
    r"|^(?:sure|certainly|of course)!"
    r"|\"(?:intent|text|label)\"\s*:|^(?:example|sample|user|utterance|query)\s*\d*\s*:|\(note:|\(paraphrase|\[tone"
    r"|would you like me to generate|let me know if you would like more|#\w+_\w+",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"\[[A-Z_ ]{3,}\]|\{\{?\w+\}?\}|<\w+_\w+>|\[(?:insert|your) [^\]]*\]|\b[A-Z]+_[A-Z]+\b", re.ASCII
)
STUTTER = re.compile(r"\b(\w+(?:\W+\w+)?)(?:\W+\1\b){1,}", re.IGNORECASE)
STUTTERED = 9  # letters a repeated stretch must have


def check(subject: Subject) -> Iterator[Finding]:
    """Yield one finding about all synthetic rows; too many bad ones refuse the data."""
    made = np.array([row.source == "synthetic" for row in subject.rows])
    if not made.any():
        return
    flagged = confident_errors(subject.held_out)
    bad = [at for at in np.flatnonzero(made).tolist() if flagged[at] or spoilt(subject.rows[at].text)]
    bad.sort(key=lambda at: (not spoilt(subject.rows[at].text), at))
    rate = proportion("bad", len(bad), int(made.sum()))
    apart = _told_apart(subject, made)
    refused = rate.value > BAD
    yield Finding(
        CODE,
        "reject" if refused else "warn" if apart.known and apart.low > DIFFERENT else "note",
        count=len(bad),
        rows=subject.ids(bad),
        examples=subject.show(bad),
        numbers={
            "share": float(made.mean()),
            "bad_rate": rate.value,
            "bad_rate_low": rate.low,
            "bad_rate_high": rate.high,
            **_numbers(apart),
        },
        action=f"{rate.value:.1%} of synthetic rows seem bad (limit {BAD:.0%}): "
        + ("take the listed rows out and audit again." if refused else "mend or drop the listed rows."),
    )


def spoilt(text: str) -> bool:
    """Whether a text shows its making: a model's chatter, an unfilled slot, a stutter."""
    text = text[:READ]
    if CHATTER.search(text) or PLACEHOLDER.search(text):
        return True
    found = STUTTER.search(text)
    return found is not None and len(found[0]) >= STUTTERED and " " in found[1]


def _numbers(apart: Measurement) -> dict[str, float]:
    if not apart.known:
        return {}
    return {"told_apart": apart.value, "told_apart_low": apart.low, "told_apart_high": apart.high}


def _told_apart(subject: Subject, made: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Measurement:
    """Return how often a linear model tells held-out synthetic rows from equally many production rows."""
    order = sorted(range(made.size), key=lambda at: zlib.crc32(subject.rows[at].id.encode()))
    sides = [[at for at in order if made[at] == kind] for kind in (False, True)]
    least = min(map(len, sides))
    given = np.full(made.size, -1)
    for column, rows in enumerate(sides):
        given[rows[:least]] = column
    found = held_out(subject.space.points, given.tolist(), keys=subject.keys, labels=("production", "synthetic"))
    judged = found.given >= 0
    if not found.learnt:
        return proportion("told_apart", 0, 0)
    right = int((found.probabilities[judged].argmax(axis=1) == found.given[judged]).sum())
    return proportion("told_apart", right, int(judged.sum()))
