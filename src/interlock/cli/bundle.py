"""``interlock bundle``: what two bundles do not have in common, and bundles for other tools."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import Parameter

from interlock.cli.keys import ask_passphrase
from interlock.cli.screen import console, say_json

WIDEST = 60  # characters of a value shown

bundle = cyclopts.App(name="bundle", help="Compare bundles part by part, and write them for other tools.")


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(bundle)


@bundle.command
def diff(bundle_a: Path, bundle_b: Path, *, trust: Path | None = None, json: bool = False) -> int:
    """Show what differs between two bundles, part by part. Exit 0 when nothing does, 1 otherwise.

    Example: interlock bundle diff runs/1/bundle runs/2/bundle

    Args:
        bundle_a: A bundle directory.
        bundle_b: Another.
        trust: The trust root; every role it requires must have signed both.
        json: Print one machine-readable object.
    """
    from rich.table import Table

    from interlock.bundle.diff import differences
    from interlock.bundle.open import open_bundle

    a, b = open_bundle(bundle_a, trust), open_bundle(bundle_b, trust)
    found = differences(a, b)
    if json:
        say_json({"a": a.digest, "b": b.digest, "same": not found, "differences": [one.to_json() for one in found]})
    elif not found:
        console().print(f"the same but for their manifests: {a.digest} {b.digest}", soft_wrap=True)
    else:
        table = Table("part", "what", "a", "b")
        for one in found:
            table.add_row(*map(_short, (one.part, one.name, one.a, one.b)))
        console().print(table)
    return 1 if found else 0


def _short(value: object) -> str:
    from rich.markup import escape

    text = value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)
    return escape(text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…")


@bundle.command
def export(
    bundle: Path,
    *,
    to: Literal["huggingface", "mlflow", "model-signing"],
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    key: Path | None = None,
    trust: Path | None = None,
) -> int:
    """Write a verified bundle as a folder for other tools.

    Example: interlock bundle export runs/1/bundle --to huggingface -o exported

    Args:
        bundle: A bundle directory.
        to: huggingface (from_pretrained opens it), mlflow (a pyfunc model) or model-signing (the bundle and model.sig).
        out: The directory to make.
        key: For model-signing: an EC P-256 private key in PEM.
        trust: The trust root; every role it requires must have signed.
    """
    from interlock.bundle.export import export as write
    from interlock.bundle.interop import load_ec_key
    from interlock.bundle.open import open_bundle

    signing = load_ec_key(key, passphrase=ask_passphrase) if key is not None else None
    write(open_bundle(bundle, trust), out, to=to, key=signing)
    console().print(f"{out}", soft_wrap=True, markup=False)
    return 0
