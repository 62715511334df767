"""``interlock gate``: evidence, judged again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cyclopts

from interlock.cli.screen import console, print_judgement, say_json

if TYPE_CHECKING:
    from interlock.core.receipt import Receipt


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(gate)


def read_receipt(path: Path) -> tuple[Receipt, str | None]:
    """Return a receipt from a file, and the digest the file claims."""
    from interlock.core.receipt import Receipt
    from interlock.data.prepare import file_bytes

    return Receipt.from_bytes(file_bytes(path), where=str(path))


def gate(
    receipt: Path,
    *,
    champion: Path | None = None,
    store: str | None = None,
    actor: str | None = None,
    json: bool = False,
) -> int:
    """Judge a frozen receipt again, from the file alone. Exit 0 when it is eligible for shadow traffic, 1 to hold.

    Example: interlock gate runs/1/receipt.json --store interlock.db

    Args:
        receipt: A receipt that a build wrote.
        champion: Receipt of the router in service, on the same rows.
        store: Enter the attempt and the verdict in the ledger of this store (a file, or a database URL).
        actor: Who asks; the name of the account by default.
        json: Print one machine-readable object.
    """
    from interlock.cli.ledger import recording
    from interlock.gate.record import judge_on_record

    found, claimed = read_receipt(receipt)
    other = read_receipt(champion)[0] if champion else None
    with recording(store, actor) as record:
        judged = judge_on_record(found, record, claimed_digest=claimed, champion=other)
    judgement, entry = judged.judgement, judged.entry
    if json:
        body = {**judgement.to_json(), "receipt": str(receipt), "digest": found.digest}
        say_json(body if entry is None else {**body, "attempt": judged.attempt, "entry": entry.to_json()})
        return 0 if judgement.eligible else 1
    print_judgement(judgement, title=f"{found.name}: {len(found.rows)} rows")
    if entry is not None:
        screen = console()
        screen.print(
            f"candidate {judged.attempt} on these rows; entry {entry.sequence}\nhead {entry.hash}", soft_wrap=True
        )
    return 0 if judgement.eligible else 1
