"""``interlock registry``: bundles by digest, and the names that point at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import cyclopts
from cyclopts import Parameter

from interlock.cli.ledger import STORE, account
from interlock.cli.screen import console, say_json

if TYPE_CHECKING:
    from interlock.bundle.trust import Trust
    from interlock.core.ledger import Entry
    from interlock.registry import Registry

REGISTRY = "registry"
AliasName = Literal["champion", "challenger", "shadow"]
Output = Annotated[Path, Parameter(name=["--out", "-o"])]

registry = cyclopts.App(name="registry", help="Keep bundles by their digest, and say which one is active.")


def register(app: cyclopts.App) -> None:
    """Add the commands of this file and those of going back."""
    from interlock.cli import registry_back

    registry_back.register(registry)
    app.command(registry)


@contextmanager
def opened(where: str, store: str, actor: str | None, *, new: bool = False) -> Iterator[Registry]:
    """Open a registry with its store, which is made when it may be ``new``."""
    from interlock.registry import open_registry

    with open_registry(where, store=store, actor=actor or account(), must_exist=not new) as found:
        yield found


def _root(path: Path | None) -> Trust | None:
    from interlock.bundle.trust import read_trust

    return read_trust(path) if path is not None else None


@registry.command
def push(
    bundle: Path,
    *,
    registry: str = REGISTRY,
    store: str = STORE,
    trust: Path | None = None,
    actor: str | None = None,
    json: bool = False,
) -> int:
    """Verify a bundle, keep it under its digest, and verify what was kept.

    Example: interlock registry push runs/1/bundle --trust keys/trust.json

    Args:
        bundle: A bundle directory.
        registry: The registry: a folder, or an fsspec URL such as s3://bucket/routers.
        store: The store with its aliases and the ledger: a file, or a database URL.
        trust: The trust root; every role it requires must have signed.
        actor: Who does it; the name of the account by default.
        json: Print one machine-readable object.
    """
    from interlock.registry import looked_at

    verified, pushed = looked_at(bundle, trust=_root(trust))
    with opened(registry, store, actor, new=True) as found:  # only now: a new one is made for nothing but a bundle
        found.keep(verified, pushed)
    if json:
        say_json({"digest": pushed.digest, "registry": registry, "signed": pushed.signed})
    else:
        console().print(f"pushed {pushed.digest}", soft_wrap=True)
    return 0


@registry.command
def pull(bundle: str, *, out: Output, registry: str = REGISTRY, store: str = STORE, trust: Path | None = None) -> int:
    """Write a bundle as a new directory, after it was verified and its golden messages were repeated.

    Example: interlock registry pull champion -o served --trust keys/trust.json

    Args:
        bundle: An alias or a digest.
        out: The directory to make.
        registry: The registry: a folder, or an fsspec URL.
        store: The store with its aliases.
        trust: The trust root; every role it requires must have signed.
    """
    with opened(registry, store, None) as found:
        pulled = found.pull(bundle, out, trust=_root(trust))
    console().print(f"{out} {pulled.digest}", markup=False, soft_wrap=True)
    return 0


@registry.command(name="list")
def list_(*, registry: str = REGISTRY, store: str = STORE, json: bool = False) -> int:
    """Show every bundle that was pushed, and what points at it.

    Example: interlock registry list

    Args:
        registry: The registry: a folder, or an fsspec URL.
        store: The store with its aliases.
        json: Print one machine-readable object.
    """
    from rich.table import Column, Table

    with opened(registry, store, None) as found:
        bundles, aliases = found.bundles(), found.records.aliases()
    points = {
        digest: [alias for alias in aliases.values() if alias.digest == digest]
        for digest in {*bundles, *(alias.digest for alias in aliases.values())}
    }
    if json:
        shown = {
            name: {"digest": one.digest, "epoch": one.epoch, "basis": one.basis.value, "time": one.time}
            for name, one in aliases.items()
        }
        say_json({"bundles": {digest: state.value for digest, state in bundles.items()}, "aliases": shown})
        return 0
    table = Table(Column("bundle", overflow="fold"), "state", "aliases")
    for digest in sorted(points):
        names = ", ".join(f"{alias.name} (by {alias.basis.value})" for alias in points[digest])
        table.add_row(digest, bundles[digest].value if digest in bundles else "missing", names)
    console().print(table)
    return 0


@registry.command
def alias(  # noqa: PLR0913 - the options of the command
    name: AliasName,
    bundle: str,
    /,
    *,
    trust: Path | None = None,
    token: Path | None = None,
    development: bool = False,
    note: str = "",
    registry: str = REGISTRY,
    store: str = STORE,
    actor: str | None = None,
) -> int:
    """Let an alias point at a bundle; for champion this makes it the active one. Exit 1 when it may not.

    Example: interlock registry alias champion sha256:9c... --trust keys/trust.json

    Args:
        name: champion, challenger or shadow.
        bundle: A digest, or another alias.
        trust: The trust root; every role it requires must have signed, and the receipt is judged again.
        token: A token of two approvers: lets an older or revoked bundle become champion, once.
        development: Ask neither signatures nor a verdict. Servers refuse such a bundle unless told otherwise.
        note: Why, for the ledger.
        registry: The registry: a folder, or an fsspec URL.
        store: The store with its aliases and the ledger.
        actor: Who does it; the name of the account by default.
    """
    from interlock.bundle.trust import read_small

    agreed = read_small(token) if token is not None else None
    with opened(registry, store, actor) as found:
        moved, entry = found.point(name, bundle, trust=_root(trust), token=agreed, development=development, note=note)
    say(f"{name} points at {moved.digest} by {moved.basis.value}", entry)
    return 0


@registry.command
def gc(*, registry: str = REGISTRY, store: str = STORE, json: bool = False) -> int:
    """Remove every bundle that no alias, rollout or ledger entry names.

    Example: interlock registry gc

    Args:
        registry: The registry: a folder, or an fsspec URL.
        store: The store with its aliases and the ledger.
        json: Print one machine-readable object.
    """
    with opened(registry, store, None) as found:
        removed = found.gc()
    if json:
        say_json({"removed": removed})
    else:
        console().print("\n".join([*removed, f"{len(removed)} removed"]), soft_wrap=True)
    return 0


@registry.command
def publish(
    bundle: str,
    *,
    mlflow: str,
    name: str | None = None,
    alias: str | None = None,
    trust: Path | None = None,
    registry: str = REGISTRY,
    store: str = STORE,
) -> int:
    """Publish a bundle to MLflow's model registry; an alias of ours becomes the alias there.

    Example: interlock registry publish champion --mlflow sqlite:///mlflow.db

    Args:
        bundle: An alias or a digest.
        mlflow: MLflow's server, or a database.
        name: The registered model; the bundle's name by default.
        alias: An alias there; by default that of ours which was asked for.
        trust: The trust root; every role it requires must have signed.
        registry: The registry: a folder, or an fsspec URL.
        store: The store with its aliases.
    """
    from interlock.bundle.open import open_verified
    from interlock.bundle.publish import publish as send
    from interlock.core.registry import ALIASES

    with opened(registry, store, None) as found:
        verified = found.shelf.fetch(found.digest_of(bundle))
    chosen = open_verified(verified, _root(trust), where=bundle)
    wanted = alias or (bundle if bundle in ALIASES else None)
    model = name or chosen.manifest.name
    version = send(chosen, mlflow, name=model, alias=wanted)
    console().print(f"{model} version {version}" + (f" as {wanted}" if wanted else ""), soft_wrap=True, markup=False)
    return 0


def say(done: str, entry: Entry | None) -> None:
    """Print what was done, and the ledger's entry about it."""
    there = f"entry {entry.sequence}\nhead {entry.hash}" if entry is not None else "it was so already"
    console().print(f"{done}\n{there}", soft_wrap=True, markup=False)
