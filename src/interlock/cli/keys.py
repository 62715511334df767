"""``interlock keys``, ``interlock sign`` and ``interlock verify``: who vouches for a bundle."""

from __future__ import annotations

import getpass
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cyclopts

from interlock.cli.screen import console, say_json

if TYPE_CHECKING:
    from datetime import datetime

    from interlock.bundle.keys import SigningKey
    from interlock.bundle.open import Bundle
    from interlock.bundle.trust import Trust, Trusted

PASSPHRASE = "INTERLOCK_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
FOLDER = Path("keys")
TRUST = "trust.json"

keys = cyclopts.App(name="keys", help="Make keys, and say whose signatures count, as what.")


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(keys)
    app.command(sign)
    app.command(verify)


def load_root(folder: Path) -> Trust:
    """Return the trust root of a key folder; one that trusts nobody when there is none yet."""
    from interlock.bundle.trust import NOBODY, read_trust

    return read_trust(folder / TRUST) if (folder / TRUST).exists() else NOBODY


def _save(folder: Path, root: Trust, said: str) -> int:
    from interlock.bundle.durable import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / TRUST, root.to_bytes())
    console().print(f"{said}\n{folder / TRUST} is version {root.version}", soft_wrap=True, markup=False)
    return 0


@keys.command
def api(name: str, /, *, role: Literal["client", "metrics", "admin"] = "client") -> int:
    """Make an API key of a server, and print it this once with the lines of the settings that know it.

    Example: interlock keys api checkout --role client >> keys.toml

    Args:
        name: Whose key it is.
        role: What it is for: client asks for decisions, metrics reads metrics, admin also changes the bundle.
    """
    import hashlib
    import secrets

    from interlock.core.errors import InputError, Problem

    if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) is None:
        raise InputError("this is no name", [Problem("name", "", "1 to 64 of A-Z a-z 0-9 . _ -", repr(name)[:80])])
    key = secrets.token_urlsafe(32)
    hashed = hashlib.sha256(key.encode()).hexdigest()
    print(f"the key of {name}, which is kept nowhere: {key}", file=sys.stderr)
    print(f'[[keys]]\nname = "{name}"\nrole = "{role}"\nsha256 = "{hashed}"')
    return 0


@keys.command
def new(
    name: str,
    /,
    *,
    role: Literal["builder", "approver", "handoff"] | None = None,
    folder: Path = FOLDER,
    passphrase: bool = False,
) -> int:
    """Make a key pair: NAME.key.json to hand out, and private/NAME.pem, which only its owner can read.

    Example: interlock keys new alice --role builder

    Args:
        name: Whose key it is. One person has keys for one role.
        role: Trust the key at once: builder and approver sign bundles, handoff signs decisions for agents.
        folder: The key folder.
        passphrase: Ask for a passphrase, or take it from INTERLOCK_KEY_PASSPHRASE, and encrypt the private key with it.
    """
    from interlock.bundle.keys import new_key, private_path
    from interlock.core.clock import SystemClock

    key = new_key(folder, name, passphrase=ask_passphrase() if passphrase else None)
    made = f"{key.name} {key.keyid}\n{folder / f'{name}.key.json'}\n{private_path(folder, name)}"
    if role is None:
        console().print(made, soft_wrap=True, markup=False)
        return 0
    return _save(folder, load_root(folder).with_key(key, role, at=SystemClock().now()), f"{made}\ntrusted as {role}")


@keys.command(name="list")
def list_(*, folder: Path = FOLDER, json: bool = False) -> int:
    """Show every key of the trust root.

    Example: interlock keys list

    Args:
        folder: The key folder.
        json: Print one machine-readable object.
    """
    from rich.table import Column, Table

    from interlock.core.clock import SystemClock

    root, now = load_root(folder), SystemClock().now()
    if json:
        say_json(root.model_dump(mode="json", exclude_none=True))
        return 0
    title = f"Version {root.version}; must sign: {', '.join(root.required)}"
    if root.expires is not None:
        title += f"; {'expired at' if root.untimely(now) else 'until'} {root.expires}"
    table = Table("name", "role", Column("key id", overflow="fold"), "state", title=title, title_justify="left")
    for keyid, key in root.keys.items():
        table.add_row(key.name, key.role, keyid, _state(key, now))
    console().print(table)
    return 0


def _state(key: Trusted, now: datetime) -> str:
    if key.revoked is not None:
        return f"revoked {key.revoked.at}: {key.revoked.reason}"
    if late := key.untimely(now):
        return late[1]
    return "trusted" if key.expires is None else f"trusted until {key.expires}"


@keys.command
def trust(
    key: Path,
    /,
    *,
    role: Literal["builder", "approver", "handoff"],
    expires: str | None = None,
    folder: Path = FOLDER,
) -> int:
    """Let a key sign bundles as builder or as approver, or decisions as handoff.

    Example: interlock keys trust bob.key.json --role approver

    Args:
        key: A public key file (NAME.key.json). Compare its id with its owner before.
        role: The one role of this key and of its owner.
        expires: Until when, as 2027-01-31T00:00:00+00:00; without it, until it is revoked.
        folder: The key folder.
    """
    from interlock.bundle.trust import read_public
    from interlock.core.clock import SystemClock

    public = read_public(key)
    said = f"{public.name} {public.keyid} is trusted as {role}{f' until {expires}' if expires else ''}"
    listed = load_root(folder).with_key(public, role, at=SystemClock().now(), expires=expires)
    return _save(folder, listed, said)


@keys.command
def expire(until: str, /, *, key: str | None = None, folder: Path = FOLDER) -> int:
    """Let the trust root, or one key of it, count until a time and no longer; a later time renews it.

    Example: interlock keys expire 2027-01-31T00:00:00+00:00 --key sha256:1f...

    Args:
        until: ISO 8601, in UTC.
        key: The id of the key; the whole trust root without it.
        folder: The key folder.
    """
    ending = load_root(folder).until(until, keyid=key)
    return _save(folder, ending, f"{key or 'the trust root'} counts until {until}")


@keys.command
def revoke(keyid: str, /, *, reason: str, folder: Path = FOLDER) -> int:
    """Let no signature of a key count any more, whenever it was made.

    Example: interlock keys revoke sha256:1f... --reason "laptop lost"

    Args:
        keyid: The key's id.
        reason: Why, for whoever is refused.
        folder: The key folder.
    """
    from interlock.core.clock import SystemClock

    ended = load_root(folder).without(keyid, reason=reason, at=SystemClock().now())
    return _save(folder, ended, f"{keyid} is revoked")


@keys.command
def require(*roles: Literal["builder", "approver"], folder: Path = FOLDER) -> int:
    """Say which roles must have signed a bundle; both, unless this says otherwise.

    Example: interlock keys require builder approver

    Args:
        roles: builder, approver or both.
        folder: The key folder.
    """
    return _save(folder, load_root(folder).requiring(roles), f"must sign: {', '.join(roles)}")


def sign(
    bundle: Path,
    *,
    key: str,
    role: Literal["builder", "approver"] | None = None,
    folder: Path = FOLDER,
) -> int:
    """Verify a bundle, replay its golden messages, and sign its manifest.

    Example: interlock sign runs/1/bundle --key alice --role builder

    Args:
        bundle: A bundle directory.
        key: The name of a key in the key folder, or a private key file.
        role: Sign only if the trust root knows the key in this role.
        folder: The key folder.
    """
    from interlock.bundle.open import open_bundle
    from interlock.bundle.sign import sign_bundle

    signing, root = find_key(key, folder=folder), load_root(folder)
    known = root.keys.get(signing.keyid)
    if role is not None or (known is not None and known.role == "handoff"):
        check_role(signing, role or "builder or approver", root)
    opened = open_bundle(bundle)
    keyid = sign_bundle(bundle, opened.verified, signing)
    console().print(f"signed {opened.digest}\nby {keyid}", soft_wrap=True)
    return 0


def find_key(key: str, *, folder: Path = FOLDER) -> SigningKey:
    """Return a private key by its name in the key folder, or by its file.

    Raises:
        InputError: it is neither, or no key.
    """
    from interlock.bundle.keys import load_key, private_path
    from interlock.core.errors import InputError, Problem

    named = private_path(folder, key)
    path = named if named.is_file() else Path(key)
    if not path.is_file():
        said = f"the name of a private key in {folder}, or its file"
        raise InputError(
            "there is no such key", [Problem("command line", "", said, repr(key))], todo="See: interlock keys --help"
        )
    return load_key(path, passphrase=ask_passphrase)


def find_key_of(role: str, key: str, *, folder: Path = FOLDER) -> SigningKey:
    """Return a private key as ``find_key`` does, unless the folder's trust root knows it as something else.

    Raises:
        InputError: it is to sign as a builder, say: what it signed here would count for nobody, or spoil what others
            signed.
    """
    found, root = find_key(key, folder=folder), load_root(folder)
    if found.keyid in root.keys:
        check_role(found, role, root)
    return found


def check_role(key: SigningKey, role: str, root: Trust) -> None:
    """Refuse a key that does not sign as ``role`` by a trust root.

    Raises:
        InputError: it is unknown, revoked, out of its time, or of another role.
    """
    from interlock.core.clock import SystemClock
    from interlock.core.errors import InputError, Problem

    known = root.keys.get(key.keyid)
    if known is None:
        state = "an unknown key"
    elif known.revoked is not None:
        state = "a revoked key"
    elif late := known.untimely(SystemClock().now()):
        state = late[1]
    elif known.role != role:
        state = f"one to sign as {known.role}"
    else:
        return
    problem = Problem("trust root", key.keyid, f"a trusted {role}", state)
    raise InputError(f"this key does not sign as {role}", [problem], todo="See: interlock keys list")


def ask_passphrase() -> str:
    """Return the passphrase of a key, from the environment or from who sits there."""
    return os.environ.get(PASSPHRASE) or getpass.getpass("Passphrase: ")


def verify(bundle: Path, *, trust: Path | None = None, json: bool = False) -> int:
    """Check every byte of a bundle, its signatures and its golden messages. Exit 1 when anything differs.

    Example: interlock verify runs/1/bundle --trust keys/trust.json

    Args:
        bundle: A bundle directory.
        trust: The trust root. Without it signatures are not checked, and the output says so.
        json: Print one machine-readable object.
    """
    from interlock.bundle.open import open_bundle

    opened = open_bundle(bundle, trust)
    signers = [{"role": one.role, "name": one.name, "keyid": one.keyid} for one in opened.signers]
    if json:
        body = {"bundle": str(bundle), "digest": opened.digest, "files": len(opened.manifest.files), "verified": True}
        say_json({**body, "signed": opened.signed, "signers": signers})
        return 0
    screen = console()
    screen.print(f"[green]verified[/] {opened.manifest.name} {opened.digest} ({len(opened.manifest.files)} files)")
    for one in opened.signers:
        screen.print(f"signed as {one.role} by {one.name} {one.keyid}", markup=False, soft_wrap=True)
    if not opened.signers:
        screen.print(f"[yellow]{_unsigned(opened)}[/]", soft_wrap=True)
    return 0


def _unsigned(opened: Bundle) -> str:
    if opened.verified.signature is None:
        return "not signed: nobody vouches for these bytes"
    return "signatures not checked: give the trust root with --trust"
