"""``interlock traffic`` and ``interlock split``: rows made and rows divided."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import cyclopts
from cyclopts import Parameter

from interlock.cli.screen import Watching, console, say_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlock.core.contract import Contract
    from interlock.core.dataset import Split
    from interlock.data.split.check import Checked

MEANINGS = {
    "exact": "stand in an earlier part too, character for character",
    "normalised": "stand in an earlier part but for case, spacing and what cannot be seen",
    "near": "are nearly a text of an earlier part",
    "group": "belong to a group of an earlier part",
    "time": "are older than a row of an earlier part",
}


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(traffic)
    app.command(split)


def traffic(
    *,
    rows: int = 55_000,
    seed: int = 7,
    drift: str | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
) -> int:
    """Write messages of the synthetic MangaAssist world as JSON lines; the same options give the same bytes.

    Example: interlock traffic --rows 2000 --seed 1 -o rows.jsonl

    Args:
        rows: How many messages.
        seed: Decides every one of them.
        drift: What changes over time, such as "share:promotion=0.2@0.5,slang@0.6".
        out: The file to write; standard output without it.
    """
    import json

    from interlock.data.traffic import parse_drift, simulate
    from interlock.data.write import write_whole

    lines = (
        json.dumps(row, ensure_ascii=False) + "\n"
        for row in simulate(rows, seed=seed, drift=parse_drift(drift) if drift else None)
    )
    if out is None:
        sys.stdout.writelines(lines)
    else:
        write_whole(out, lines)
        console().print(f"{rows} messages in {out}", markup=False, soft_wrap=True)
    return 0


def split(  # noqa: PLR0913 - one option per choice
    data: Path,
    *,
    contract: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    by: Literal["auto", "time", "stratified"] = "auto",
    shares: str = "0.8,0.1,0.1",
    seed: int = 42,
    check: bool = False,
    calibration: Path | None = None,
    test: Path | None = None,
    json: bool = False,
) -> int:
    """Divide rows into train, calibration and test files that share nothing, with a frozen manifest; or check a split.

    Example: interlock split rows.jsonl --contract contract.yaml -o splits/1

    Example: interlock split --check train.jsonl --calibration validation.jsonl --test test.jsonl

    Args:
        data: Labelled messages. With --check, training rows, one file with a field "split", or a folder written here.
        contract: The contract whose labels they carry; --check needs none.
        out: The folder to write.
        by: Cut in time, or look at labels only; auto cuts in time where that loses few rows.
        shares: Of train, calibration and test rows.
        seed: Decides which rows go where.
        check: Write nothing; say what the parts of an existing split share. Exit 1 when they leak.
        calibration: Calibration rows of a split that exists.
        test: Test rows of a split that exists.
        json: Print one machine-readable object.
    """
    from interlock.core.contract_file import parse_contract
    from interlock.core.errors import InputError
    from interlock.data.cards import cards
    from interlock.data.prepare import file_bytes, prepare
    from interlock.data.split.divide import parse_shares

    terms = None if contract is None else parse_contract(file_bytes(contract), where=str(contract))
    if check:
        return _check(data, terms, calibration=calibration, test=test, json=json)
    if terms is None or out is None:
        raise InputError("splitting needs --contract and -o", todo="Or give --check to look at a split that exists.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not an empty directory", todo="Give a new directory with -o.")
    asked = parse_shares(shares)
    with Watching() as watch:
        made = prepare(
            data, calibration=calibration, test=test, contract=terms, seed=seed, shares=asked, by=by, watch=watch
        )
        pages = cards(terms, made, thorough=True, watch=watch)
    write_split(made, pages, out)
    if json:
        say_json({"manifest": str(out / "split.json"), **summary(made)})
    else:
        show_split(made)
    return 0


def _check(data: Path, contract: Contract | None, *, calibration: Path | None, test: Path | None, json: bool) -> int:
    from interlock.data.split.check import check

    labels = None if contract is None else contract.label_names
    with Watching() as watch:
        found = check(data, calibration=calibration, test=test, labels=labels, watch=watch)
    if json:
        say_json(found.to_json())
    else:
        show_check(found)
    return 0 if found.clean else 1


def write_split(made: Split, pages: Mapping[str, str], out: Path) -> None:
    """Write the three files and the pages about them, then the manifest that says they are whole."""
    from interlock.bundle.run import write_json
    from interlock.data.write import write_rows, write_whole

    out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", made.train), ("calibration", made.calibration), ("test", made.test)):
        write_rows(rows, out / f"{name}.jsonl")
    for name, page in pages.items():
        write_whole(out / name, [page])
    write_json(out / "split.json", made.manifest.to_json())


def summary(made: Split) -> dict[str, object]:
    """Return what ``--json`` prints of a split."""
    manifest = made.manifest
    return {
        "digest": manifest.digest,
        "counts": {part: len(ids) for part, ids in manifest.parts.items()},
        "crossings": manifest.crossings,
        "rule": manifest.rule,
        "near": manifest.near,
        "apart": manifest.apart,
        "removed": len(manifest.removed),
        "why": list(manifest.why),
    }


def show_split(made: Split) -> None:
    """Print a split for people."""
    screen, manifest = console(), made.manifest
    counts = ", ".join(f"{part} {len(ids)}" for part, ids in manifest.parts.items())
    screen.print(f"{counts} by rule '{manifest.rule}', near duplicates: {manifest.near}", soft_wrap=True)
    screen.print(f"shared rows {manifest.crossings}", soft_wrap=True)
    for note in manifest.why:
        screen.print(f"note: {note}", soft_wrap=True, markup=False)
    if manifest.removed:
        first = ", ".join(manifest.removed[:10])
        screen.print(
            f"removed {len(manifest.removed)} rows, all listed in split.json: {first}", soft_wrap=True, markup=False
        )
    screen.print(manifest.digest)


def show_check(found: Checked) -> None:
    """Print what the parts of a split share, with the first pairs of each kind."""
    screen = console()
    screen.print(", ".join(f"{part} {count}" for part, count in found.counts.items()))
    for kind, meaning in MEANINGS.items():
        some = found.crossings[kind]
        if kind == "time" and not found.timed:
            screen.print("time: not a rule of this split, or rows without timestamps")
            continue
        colour = "green" if not some else "red" if kind in found.promised else "yellow"
        screen.print(f"[{colour}]{kind}[/] {len(some)} rows of a later part ({found.texts(kind)} texts) {meaning}")
        for pair in found.to_json()["examples"].get(kind, ()):
            for row in (pair["earlier"], pair["later"]):
                screen.print(f"    {row['part']} {row['id']}: {row['text']}", style="dim", soft_wrap=True, markup=False)
    for broken in found.broken:
        screen.print(broken, style="red", soft_wrap=True, markup=False)
    screen.print("[bold green]clean[/]" if found.clean else "[bold red]leaks[/]")
