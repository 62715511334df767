"""How long messages are in tokens, and how many the token limit would cut. Knows no meaning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from interlock.data.audit.finding import Finding
from interlock.data.audit.pieces import token_counts
from interlock.data.audit.subject import Subject

CODE = "text.truncated"
REVIEW = 0.03  # share of longer rows from which the limit, or the data, needs a look


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the token distribution and the rows beyond the contract's limits."""
    policy = subject.contract.input
    counts = token_counts([row.text for row in subject.rows], tokenizer=subject.tokenizer)
    chars = np.array([len(row.text) for row in subject.rows])
    beyond = (counts > policy.max_tokens) | (chars > policy.max_chars)
    rows = sorted(np.flatnonzero(beyond).tolist(), key=lambda at: (-counts[at], at))
    share = len(rows) / len(subject.rows)
    percentiles = {f"p{share}": float(np.percentile(counts, share)) for share in (50, 95, 99)}
    yield Finding(
        CODE,
        "warn" if share > REVIEW else "note",
        count=len(rows),
        rows=subject.ids(rows),
        examples=subject.show(rows, notes=[f"{counts[at]} tokens" for at in rows]),
        numbers={**percentiles, "most": int(counts.max()), "limit": policy.max_tokens, "share": share},
        action=f"Tokens {'counted' if subject.tokenizer else 'estimated'}; "
        + ("raise max_tokens or shorten these." if share > REVIEW else "the limit leaves room."),
    )
