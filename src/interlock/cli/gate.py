"""``interlock gate``: evidence, judged again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import Parameter

from interlock.cli.screen import console, print_judgement, say_json

if TYPE_CHECKING:
    from interlock.core.receipt import Receipt
    from interlock.gate.record import Judged


COUNTED = ("load_error_rate", "synthetic_bad_share", "truncated_share", "clipped_share")
UNCOUNTED = "attempts are not counted without --store: judged as the first candidate of its rows"


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
    gate: str | None = None,
    contract: Path | None = None,
    champion: Path | None = None,
    counts: Annotated[tuple[str, ...], Parameter(negative_iterable=())] = (),
    store: str | None = None,
    actor: str | None = None,
    json: bool = False,
) -> int:
    """Judge a frozen receipt again, from the file alone. Exit 0 when it is eligible for shadow traffic, 1 to hold.

    Example: interlock gate runs/1/receipt.json --store interlock.db

    Args:
        receipt: A receipt that a build wrote; or, with --contract, a step log (train.jsonl) or a printed audit.
        gate: Judge by this one of the contract's gates instead of its limits.
        contract: The contract that has the gate, for a step log or an audit. A receipt holds its own.
        champion: Receipt of the router in service, on the same rows.
        counts: What was counted elsewhere, as MEASUREMENT=BAD/OF: load_error_rate=3/100000. May be given again.
        store: Enter the attempt and the verdict in the ledger of this store (a file, or a database URL).
        actor: Who asks; the name of the account by default.
        json: Print one machine-readable object.
    """
    from interlock.cli.ledger import recording
    from interlock.core.clock import SystemClock
    from interlock.gate.judge import Beside
    from interlock.gate.record import judge_on_record

    if contract is not None:
        return _watched(receipt, contract, gate=gate, json=json)
    found, claimed = read_receipt(receipt)
    other = read_receipt(champion)[0] if champion else None
    counted = dict(_count(text) for text in counts)
    beside = Beside(champion=other, gate=gate, counts=counted, now=SystemClock().now())
    with recording(store, actor) as record:
        judged = judge_on_record(found, record, claimed_digest=claimed, beside=beside)
    if json:
        say_json({"receipt": str(receipt), "digest": found.digest, "rows": found.evaluation_set, **_said(judged)})
    else:
        _show(judged, title=f"{found.name}: {len(found.rows)} rows")
    return 0 if judged.judgement.eligible else 1


def _said(judged: Judged) -> dict[str, Any]:
    there = {"note": UNCOUNTED} if judged.entry is None else {"entry": judged.entry.to_json()}
    return {**judged.judgement.to_json(), "attempt": judged.attempt, **there}


def _show(judged: Judged, *, title: str) -> None:
    screen, entry = console(), judged.entry
    if entry is None:
        screen.print(f"[yellow]{UNCOUNTED}[/]", soft_wrap=True)
    print_judgement(judged.judgement, title=title)
    if entry is not None:
        said = f"candidate {judged.attempt} on these rows; entry {entry.sequence}\nhead {entry.hash}"
        screen.print(said, soft_wrap=True)


def _watched(path: Path, contract: Path, *, gate: str | None, json: bool) -> int:
    """Judge a step log or an audit by a gate of a contract."""
    from interlock.core.canonical import read_json
    from interlock.core.contract_file import parse_contract
    from interlock.data.prepare import file_bytes
    from interlock.gate.watched import judge_watched, of_audit, of_steps

    lines = [read_json(line, where=f"{path}:{n}") for n, line in enumerate(file_bytes(path).splitlines(), start=1)]
    bodies = [line for line in lines if isinstance(line, dict)]
    audits = [body for body in bodies if "findings" in body]
    measured = of_audit(audits[-1]) if audits else of_steps(bodies)
    judgement = judge_watched(measured, parse_contract(file_bytes(contract), where=str(contract)), gate=gate)
    if json:
        say_json({**judgement.to_json(), "receipt": str(path)})
    else:
        print_judgement(judgement, title=f"{path}: {gate or 'limits'}")
    return 0 if judgement.eligible else 1


def _count(text: str) -> tuple[str, tuple[int, int]]:
    """Read ``MEASUREMENT=BAD/OF``."""
    from interlock.core.errors import InputError, Problem, did_you_mean

    name, _, shares = text.partition("=")
    bad, _, whole = shares.partition("/")
    if name not in COUNTED:
        problem = Problem("--counts", name, f"a measurement{did_you_mean(name, COUNTED)}", "another name")
        raise InputError("this cannot be counted elsewhere", [problem])
    if not (bad.isascii() and bad.isdigit() and whole.isascii() and whole.isdigit() and int(bad) <= int(whole) > 0):
        problem = Problem("--counts", name, "BAD/OF, such as 3/100000", repr(shares))
        raise InputError("this is no count", [problem])
    return name, (int(bad), int(whole))
