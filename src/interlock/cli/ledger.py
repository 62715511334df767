"""``interlock ledger`` and ``interlock attest``: what was done, by whom, on which evidence."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cyclopts

from interlock.cli.screen import console, say_json

if TYPE_CHECKING:
    from interlock.gate.record import Record

STORE = "interlock.db"

ledger = cyclopts.App(name="ledger", help="Read and check the record of attempts, verdicts and attestations.")


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(ledger)
    app.command(attest)


@ledger.command
def verify(*, store: str = STORE, head: str | None = None, json: bool = False) -> int:
    """Check that every entry is where it was and says what it said. Exit 1 when one does not.

    Example: interlock ledger verify --head sha256:9c...

    Args:
        store: The store: a file, or a database URL.
        head: The digest of an entry that must be there, as printed when it was made. Only this shows that entries
            were cut off at the end.
        json: Print one machine-readable object.
    """
    from interlock.core.errors import RefusedError
    from interlock.core.ledger import START, breaks
    from interlock.store.ledger import open_ledger

    with open_ledger(store, must_exist=True) as opened:
        entries = list(opened.entries())
    last = entries[-1].hash if entries else START
    problems = breaks(entries, head=head)
    if json:
        broken = [str(problem) for problem in problems]
        say_json({"store": store, "entries": len(entries), "head": last, "whole": not problems, "broken": broken})
        return 1 if problems else 0
    if problems:
        raise RefusedError("the ledger was tampered with", problems)
    console().print(f"[green]whole[/] {len(entries)} entries\nhead {last}", soft_wrap=True)
    return 0


@ledger.command
def show(*, store: str = STORE, subject: str | None = None, json: bool = False) -> int:
    """Show the entries, oldest first.

    Example: interlock ledger show --subject sha256:9c...

    Args:
        store: The store: a file, or a database URL.
        subject: Only entries about, or resting on, what has this digest.
        json: Print one JSON object an entry.
    """
    from rich.markup import escape
    from rich.table import Table

    from interlock.store.ledger import open_ledger

    with open_ledger(store, must_exist=True) as opened:
        entries = [
            entry
            for entry in opened.entries()
            if subject is None or subject in {entry.deed.subject, *entry.deed.evidence.values()}
        ]
    if json:
        for entry in entries:
            say_json(entry.to_json())
        return 0
    table = Table("", "time", "actor", "action", "subject", "note")
    for entry in entries:
        deed = entry.deed
        said = (deed.actor, deed.action, deed.subject[:19], deed.note)
        table.add_row(str(entry.sequence), entry.time[:19], *map(escape, said))
    console().print(table)
    return 0


def attest(what: str, /, *, subject: str, by: str | None = None, note: str = "", store: str = STORE) -> int:
    """Enter that a person did something about a receipt or a bundle, such as a review of its confusions.

    Example: interlock attest "confusion review" --subject runs/1/receipt.json --by "Ada Lovelace"

    Args:
        what: What was done.
        subject: The digest of what it was done to, or a receipt file, or a bundle directory.
        by: The person; the name of the account by default.
        note: What was found.
        store: The store: a file, or a database URL.
    """
    from interlock.core.clock import SystemClock
    from interlock.core.ledger import Deed
    from interlock.store.ledger import open_ledger

    deed = Deed.of(f"attested: {what}", subject_digest(subject), actor=by or account(), note=note)
    with open_ledger(store) as opened:
        entry = opened.append(deed, at=SystemClock().now())
    console().print(f"entry {entry.sequence}\nhead {entry.hash}", soft_wrap=True)
    return 0


@contextmanager
def recording(store: str | None, actor: str | None) -> Iterator[Record | None]:
    """Open the ledger of a store to enter what ``actor`` does; without a store there is nothing to enter in."""
    if store is None:
        yield None
        return
    from interlock.core.clock import SystemClock
    from interlock.gate.record import Record
    from interlock.store.ledger import open_ledger

    with open_ledger(store) as opened:
        yield Record(opened, actor or account(), SystemClock())


def subject_digest(subject: str) -> str:
    """Return a digest as it is, the digest of a receipt file, or the digest of a bundle."""
    from interlock.bundle.open import open_bundle
    from interlock.cli.gate import read_receipt

    if re.fullmatch(r"sha256:[0-9a-f]{64}", subject):
        return subject
    return open_bundle(subject).digest if Path(subject).is_dir() else read_receipt(Path(subject))[0].digest


def account() -> str:
    """Return the name of the account that runs this."""
    return getpass.getuser()
