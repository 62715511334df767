"""The commands of ``interlock registry`` that take a bundle back: a token of two approvers, and revoking."""

from __future__ import annotations

from pathlib import Path

import cyclopts

from interlock.cli.keys import find_key_of
from interlock.cli.ledger import STORE
from interlock.cli.registry import REGISTRY, Output, opened, say
from interlock.cli.screen import console


def register(registry: cyclopts.App) -> None:
    """Add this file's commands."""
    for command in (rollback, approve, revoke):
        registry.command(command)


def rollback(
    bundle: str,
    *,
    key: str,
    reason: str,
    out: Output = Path("rollback.json"),
    hours: float = 24.0,
    registry: str = REGISTRY,
    store: str = STORE,
) -> int:
    """Make a token that lets an older or revoked bundle become champion, signed by the first of two approvers.

    Example: interlock registry rollback sha256:9c... --key bob --reason "escalations go astray"

    Args:
        bundle: The digest of the bundle to go back to.
        key: An approver's key: a name in the folder keys, or a private key file.
        reason: Why, for the ledger.
        out: The token to write.
        hours: How long the token is good, up to 168.
        registry: The registry: a folder, or an fsspec URL.
        store: The store with its aliases.
    """
    from interlock.bundle.durable import write_new
    from interlock.bundle.rollback import approve as sign
    from interlock.bundle.rollback import propose

    with opened(registry, store, None) as found:
        before = found.records.aliases().get("champion")
        said = propose(
            alias="champion",
            bundle=found.digest_of(bundle),
            replaces=before.digest if before else None,
            reason=reason,
            now=found.clock.now(),
            hours=hours,
        )
    write_new(out, sign(said, find_key_of("approver", key)))
    next_step = f"{out} needs another approver: interlock registry approve {out} --key NAME"
    console().print(next_step, markup=False, soft_wrap=True)
    return 0


def approve(token: Path, *, key: str) -> int:
    """Add another approver's signature to a token, after showing what it says.

    Example: interlock registry approve rollback.json --key carol

    Args:
        token: A token that rollback made.
        key: An approver's key: a name in the folder keys, or a private key file.
    """
    from interlock.bundle.durable import write_whole
    from interlock.bundle.rollback import approve as sign
    from interlock.bundle.rollback import read_token
    from interlock.bundle.trust import read_small

    data = read_small(token)
    said = read_token(data)
    write_whole(token, sign(data, find_key_of("approver", key)))
    replaced = f" in place of {said.replaces}" if said.replaces else ""
    lines = f"{said.alias} to {said.bundle}{replaced}\nuntil {said.expires}: {said.reason}\nsigned"
    console().print(lines, soft_wrap=True, markup=False)
    return 0


def revoke(bundle: str, *, reason: str, registry: str = REGISTRY, store: str = STORE, actor: str | None = None) -> int:
    """Let a bundle become champion no more, unless two approvers say so.

    Example: interlock registry revoke sha256:9c... --reason "trained on rows without consent"

    Args:
        bundle: A digest, or an alias.
        reason: Why, for the ledger.
        registry: The registry: a folder, or an fsspec URL.
        store: The store with the ledger.
        actor: Who does it; the name of the account by default.
    """
    with opened(registry, store, actor) as found:
        entry = found.revoke(found.digest_of(bundle), reason=reason)
    say(f"revoked {entry.deed.subject}", entry)
    return 0
