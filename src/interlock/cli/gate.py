"""``interlock gate`` and ``interlock verify``: evidence and bytes, judged again."""

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
    app.command(verify)


def read_receipt(path: Path) -> tuple[Receipt, str | None]:
    """Return a receipt from a file, and the digest the file claims."""
    from interlock.core.receipt import Receipt
    from interlock.data.prepare import file_bytes

    return Receipt.from_bytes(file_bytes(path), where=str(path))


def gate(receipt: Path, *, champion: Path | None = None, json: bool = False) -> int:
    """Judge a frozen receipt again, from the file alone. Exit 0 when it is eligible for shadow traffic, 1 to hold.

    Example: interlock gate runs/1/receipt.json

    Args:
        receipt: A receipt that a build wrote.
        champion: Receipt of the router in service, on the same rows.
        json: Print one machine-readable object.
    """
    from interlock.gate.judge import judge

    found, claimed = read_receipt(receipt)
    judgement = judge(found, claimed_digest=claimed, champion=read_receipt(champion)[0] if champion else None)
    if json:
        say_json({**judgement.to_json(), "receipt": str(receipt), "digest": found.digest})
    else:
        print_judgement(judgement, title=f"{found.name}: {len(found.rows)} rows")
    return 0 if judgement.eligible else 1


def verify(bundle: Path, *, json: bool = False) -> int:
    """Check every byte of a bundle, load it and replay its golden messages. Exit 1 when anything differs.

    Example: interlock verify runs/1/bundle

    Args:
        bundle: A bundle directory.
        json: Print one machine-readable object.
    """
    from interlock.bundle.open import open_bundle

    opened = open_bundle(bundle)
    if json:
        say_json(
            {"bundle": str(bundle), "digest": opened.digest, "files": len(opened.manifest.files), "verified": True}
        )
    else:
        console().print(
            f"[green]verified[/] {opened.manifest.name} {opened.digest} ({len(opened.manifest.files)} files)"
        )
    return 0
