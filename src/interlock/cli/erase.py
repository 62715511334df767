"""``interlock erase``: events out of the store, by whose they are or by age."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter, validators

from interlock.cli.ledger import STORE, account
from interlock.cli.screen import console, say_json

SECRET = "INTERLOCK_SECRET"  # noqa: S105 - the name of a variable, the one that serve reads
NEEDED = "whose events these are can only be told with the secret"
Days = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=36_500))]


def register(app: cyclopts.App) -> None:
    """Add this file's command."""
    app.command(erase)


def erase(
    *,
    subject: str | None = None,
    older_than: Days | None = None,
    store: str = STORE,
    secret_file: Path | None = None,
    json: bool = False,
) -> int:
    """Erase recorded decisions so that no byte of them stays in the store's files.

    The ledger remembers how many went and who did it, not whose they were. An erased request id is answered anew.

    Example: interlock erase --subject customer-17 --store interlock.db

    Args:
        subject: Whose: what requests gave as their conversation.
        older_than: Those older than this many days.
        store: The store: a file, or a database URL.
        secret_file: The file of the secret under which serve records; by default STORE.secret, or the variable
            INTERLOCK_SECRET. Only --subject needs it.
        json: Print one machine-readable object.
    """
    from interlock.core.clock import SystemClock
    from interlock.core.errors import InputError
    from interlock.core.event import DigestKey
    from interlock.store.erase import erase_before, erase_subject

    if (subject is None) == (older_than is None) or subject == "":
        raise InputError("give either --subject WHO or --older-than DAYS")
    now = SystemClock().now()
    if subject is None:
        before = now - timedelta(days=older_than or 0)
        erased = erase_before(store, before=before, actor=account(), at=now)
    else:
        digest = DigestKey.from_hex(_secret(store, secret_file)).of_subject(subject)
        erased = erase_subject(store, subject_digest=digest, actor=account(), at=now)
    entry = erased.entry
    if json:
        say_json({"store": store, "erased": erased.events, "entry": entry.sequence, "head": entry.hash})
        return 0
    console().print(f"erased {erased.events} events\nentry {entry.sequence}\nhead {entry.hash}", soft_wrap=True)
    if subject is not None and not erased.events:
        console().print("No event was found; under another secret there may be some.", soft_wrap=True)
    return 0


def _secret(store: str, given: Path | None) -> str:
    from interlock.core.errors import InputError, Problem

    said = os.environ.get(SECRET)
    if said and given is None:
        return said.strip()
    beside = store.removeprefix("sqlite:///")
    if given is None and "://" in beside:  # no file stands beside a database, whose URL may hold a password
        raise InputError(
            "whose events these are can only be told with the secret", todo=f"Give --secret-file or {SECRET}."
        )
    path = given or Path(f"{beside}.secret")
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(str(path), "", f"the secret that serve records under, or {SECRET}", type(error).__name__)
        raise InputError(NEEDED, [problem]) from error
