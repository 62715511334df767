"""Labels that nothing defines, and the pairs of labels most often confused. Knows nothing of what right would be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE, CODE_CONFUSED = "label.undefined", "label.confused"
PAIRS = 10
SHOWN = 200  # labels named
LEAST = 0.02  # of the rarer label's rows, from which a pair is worth a sentence in the guide


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the labels without a meaning, and the pairs whose boundary most needs one."""
    labels = subject.contract.labels
    undefined = [name for name, spec in labels.items() if not spec.means.strip()]
    if undefined:
        yield Finding(
            CODE,
            "warn",
            count=len(undefined),
            examples=tuple(undefined[:3]),
            suggestion=f"write `means` for {', '.join(undefined[:SHOWN])}{', ...' if len(undefined) > SHOWN else ''}",
            action="Say in the contract what each label means and what it does not: annotators and reviewers read it.",
        )
    yield from _confused(subject)


def _confused(subject: Subject) -> Iterator[Finding]:
    found = subject.held_out
    judged = found.given >= 0
    if not found.learnt:
        return
    k = len(found.labels)
    chosen = found.probabilities.argmax(axis=1)
    table = np.zeros((k, k), dtype=np.int64)
    np.add.at(table, (found.given[judged], chosen[judged]), 1)
    both = np.triu(table + table.T, 1)
    sizes = table.sum(axis=1)
    rate = both / np.maximum(1, np.minimum(sizes[:, None], sizes[None, :]))
    order = [divmod(int(flat), k) for flat in np.argsort(-rate, axis=None, kind="stable")[:PAIRS]]
    pairs = [(a, b) for a, b in order if rate[a, b] >= LEAST]
    if not pairs:
        return
    mixed = [
        at
        for a, b in pairs
        for at in np.flatnonzero(judged & (found.given != chosen)).tolist()
        if {int(found.given[at]), int(chosen[at])} == {a, b}
    ]
    yield Finding(
        CODE_CONFUSED,
        "note",
        count=len(pairs),
        rows=subject.ids(mixed),
        examples=tuple(f"{found.labels[a]} and {found.labels[b]}: {both[a, b]} rows" for a, b in pairs[:3]),
        numbers={f"{found.labels[a]}|{found.labels[b]}": int(both[a, b]) for a, b in pairs},
        action="Draw these boundaries in the label guide (`not`), with a counter-example from each side.",
    )
