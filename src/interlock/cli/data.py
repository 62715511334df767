"""``interlock traffic`` and ``interlock split``: rows made and rows divided."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from interlock.cli.screen import console, say_json


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
        console().print(f"{rows} messages in {out}")
    return 0


def split(
    data: Path,
    *,
    contract: Path,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    seed: int = 42,
    json: bool = False,
) -> int:
    """Divide rows into train, calibration and test files that share no group and no text, with a frozen manifest.

    Example: interlock split rows.jsonl --contract contract.yaml -o splits/1

    Args:
        data: Labelled messages.
        contract: The contract whose labels they carry.
        out: The folder to write.
        seed: Decides which rows go where.
        json: Print one machine-readable object.
    """
    from interlock.bundle.run import write_json
    from interlock.core.contract_file import parse_contract
    from interlock.core.errors import InputError
    from interlock.data.prepare import file_bytes, prepare
    from interlock.data.write import write_rows

    terms = parse_contract(file_bytes(contract), where=str(contract))
    made = prepare(data, calibration=None, test=None, contract=terms, seed=seed)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not an empty directory", todo="Give a new directory with -o.")
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", made.train), ("calibration", made.calibration), ("test", made.test)):
        write_rows(rows, out / f"{name}.jsonl")
    write_json(out / "split.json", made.manifest.to_json())
    counts = {part: len(ids) for part, ids in made.manifest.parts.items()}
    if json:
        say_json(
            {
                "manifest": str(out / "split.json"),
                "digest": made.manifest.digest,
                "counts": counts,
                "crossings": made.manifest.crossings,
            }
        )
    else:
        console().print(
            f"{counts} by rule '{made.manifest.rule}', shared rows {made.manifest.crossings}\n{made.manifest.digest}"
        )
    return 0
