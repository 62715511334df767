"""All claims, and the page that shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.worked_examples import (
    calibration,
    dollars,
    dry_run,
    intake,
    routing,
    template,
    tokens,
    training,
    uncertainty,
)
from bench.worked_examples.claim import Claim, Ledger, Verdict

DOCUMENTS = (
    (training.SOURCE, (training, routing, uncertainty, dollars)),
    (dry_run.SOURCE, (dry_run,)),
    (intake.SOURCE, (intake,)),
    (template.SOURCE, (template,)),
    (tokens.SOURCE, (tokens, calibration)),
)
INTRODUCTION = """\
# Worked examples

Every worked number of the five source documents, recomputed by code and judged by its own printed digits:

- **agrees**: the recomputed value rounds to what is printed, or the statement follows.
- **rounding**: it differs because rounded intermediate values were carried on.
- **does not follow**: it does not come out of the document's own formula, data or procedure, or contradicts another
  place. The reason says which.

The values come from Interlock's own functions where one exists (`src/interlock/measure`, `src/interlock/train`,
`src/interlock/predict`, `src/interlock/gate`), the receipts from `examples/intake`, simulations from fixed seeds.

This page is written by `python -m bench.worked_examples`; `tests/test_worked_examples.py` compares it byte for byte.
"""


def claims() -> list[Claim]:
    """Return all claims, document by document; names are unique within a document."""
    out: list[Claim] = []
    for source, parts in DOCUMENTS:
        ledger = Ledger(source)
        for part in parts:
            part.record(ledger)
        twice = [name for name, count in Counter((c.section, c.what) for c in ledger.claims).items() if count > 1]
        if twice:
            raise ValueError(f"{source}: expected every claim once, got {twice}")
        out += ledger.claims
    return out


def counts(found: Iterable[Claim]) -> dict[str, int]:
    """Return the number of claims by verdict."""
    by = Counter(claim.verdict for claim in found)
    return {verdict.value: by[verdict] for verdict in Verdict}


def page(found: list[Claim]) -> str:
    """Return the page: counts, what does not follow, then every document's claims."""
    lines = [INTRODUCTION, *_summary(found), "", "## What does not follow", ""]
    for source, _ in DOCUMENTS:
        lines += [f"### {source}", ""]
        wrong = [claim for claim in found if claim.source == source and claim.verdict is Verdict.NO]
        if not wrong:
            lines.append("Everything follows.")
        for claim in wrong:
            head = f"- **{_cell(claim.what)}** (section {claim.section}): claimed {_cell(claim.claimed)}, recomputed"
            lines.append(f"{head} {_cell(claim.recomputed)}. {_cell(claim.reason)}")
        lines.append("")
    lines += ["## Every claim", ""]
    for source, _ in DOCUMENTS:
        lines += [f"### {source}: all claims", "", "| section | what | claimed | recomputed | verdict | note |"]
        lines.append("|---|---|---|---|---|---|")
        lines += [_row(claim) for claim in found if claim.source == source]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _summary(found: list[Claim]) -> Iterable[str]:
    yield "| document | agrees | rounding | does not follow |"
    yield "|---|---|---|---|"
    for source in [*(source for source, _ in DOCUMENTS), None]:
        by = counts(claim for claim in found if source in {claim.source, None})
        yield f"| {source or 'all'} | {' | '.join(str(by[verdict.value]) for verdict in Verdict)} |"


def _row(claim: Claim) -> str:
    note = "see above" if claim.verdict is Verdict.NO else claim.reason
    cells = (claim.section, claim.what, claim.claimed, claim.recomputed, claim.verdict.value, note)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("**", "\\*\\*")
