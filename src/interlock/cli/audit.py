"""``interlock audit``: what is wrong with labelled rows, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cyclopts

from interlock.cli.screen import Watching, console, say_json

if TYPE_CHECKING:
    from interlock.data.audit.run import Audit

COLOURS = {"reject": "red", "warn": "yellow", "note": "cyan"}


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(audit)


def audit(
    data: Path,
    *,
    contract: Path,
    test: Path | None = None,
    calibration: Path | None = None,
    encoder: str | None = None,
    html: Path | None = None,
    json: bool = False,
) -> int:
    """List what is wrong with labelled rows, most serious first. Exit 1 when a rule refuses the data.

    Example: interlock audit rows.jsonl --contract contract.yaml --html audit.html

    Args:
        data: Labelled messages; a field "split" in them says which part a row is in.
        contract: The contract whose labels and limits apply.
        test: Test rows in a file of their own: what they share with the others is a finding.
        calibration: Calibration rows in a file of their own.
        encoder: minilm, a folder with tokenizer.json, or the file itself, to count tokens with; estimated without.
        html: Write one self-contained page with plots here.
        json: Print one machine-readable object.
    """
    from interlock.core.contract_file import parse_contract
    from interlock.data.audit.run import audit as walk
    from interlock.data.prepare import file_bytes

    terms = parse_contract(file_bytes(contract), where=str(contract))
    tokenizer = tokenizer_file(encoder) if encoder is not None else None
    with Watching() as watch:
        found = walk(data, contract=terms, test=test, calibration=calibration, tokenizer=tokenizer, watch=watch)
    if html is not None:
        _write_page(found, html)
    if json:
        say_json(found.to_json())
    else:
        show(found, page=html)
    return 0 if found.verdict == "accept" else 1


def tokenizer_file(encoder: str) -> Path:
    """Return the ``tokenizer.json`` that an encoder's name, folder or file means.

    Raises:
        InputError: there is none on this machine.
    """
    from interlock.core.errors import InputError, Problem
    from interlock.train.encoders import resolve

    given = Path(encoder)
    path = given if given.is_file() else Path(resolve(encoder).source) / "tokenizer.json"
    if not path.is_file():
        raise InputError(
            f"no tokenizer for {encoder!r} on this machine",
            [Problem("--encoder", "", "a folder with tokenizer.json, or that file", str(path))],
            todo="Leave --encoder out to estimate tokens.",
        )
    return path


def show(found: Audit, *, page: Path | None) -> None:
    """Print an audit for people."""
    from rich.markup import escape

    screen = console()
    for finding in found.findings:
        colour = COLOURS[finding.severity]
        screen.print(f"[bold {colour}]{finding.severity}[/] [bold]{finding.code}[/] {finding.count}")
        for example in finding.examples[:3]:
            screen.print(f"    {escape(example)}", style="dim", soft_wrap=True)
        screen.print(f"  [italic]{escape(finding.action)}[/]", soft_wrap=True)
    for note in found.notes:
        screen.print(f"note: {escape(note)}", soft_wrap=True)
    colour = "green" if found.verdict == "accept" else "red"
    where = f", page {escape(str(page))}" if page else ""
    screen.print(
        f"[bold {colour}]{found.verdict}[/]: {len(found.subject.rows)} rows, {len(found.findings)} findings{where}"
    )


def _write_page(found: Audit, path: Path) -> None:
    from interlock.data.audit.page import page
    from interlock.data.write import write_whole
    from interlock.report.figures import svg

    write_whole(path, [page(found, svg=svg)])
