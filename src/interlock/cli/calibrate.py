"""``interlock calibrate``: does stated confidence mean what it says, and which calibrator mends it."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import Parameter

from interlock.cli.screen import console, interval, number, say_json

if TYPE_CHECKING:
    from interlock.calibrate.choose import Choice
    from interlock.calibrate.rows import Flags, Floats
    from interlock.core.errors import Problem
    from interlock.core.measurement import Measurement
    from interlock.measure.reliability import Bucket
    from interlock.predict.calibrators import ConfidenceCalibrator
    from interlock.report.buckets import Band

FLAGS = {"1": True, "true": True, "0": False, "false": False}
Judged = Mapping[str, Mapping[str, "Measurement"]]


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(calibrate)


def calibrate(
    *, scores: Path, out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None, json: bool = False
) -> int:
    """Judge the confidences of any model, raw and after each calibrator, on rows that calibrator never saw.

    Example: interlock calibrate --scores scores.csv -o calibration

    Args:
        scores: CSV or JSON lines with confidence (0-1) and correct (0, 1, true or false), one row a prediction.
        out: Write the fitted calibrators as JSON and the plots as SVG and PNG into this folder.
        json: Print one machine-readable object.
    """
    from interlock.calibrate.choose import choose_for_scores
    from interlock.calibrate.crossfit import crossfit_scores
    from interlock.calibrate.scores import judge_scores
    from interlock.core.errors import require
    from interlock.report.buckets import bands

    if out is not None:
        require("Plots", extra="train", modules=["matplotlib"])
    stated, hits = read_scores(scores)
    judged, choice = judge_scores(stated, hits), choose_for_scores(stated, hits)
    mended = crossfit_scores(stated, hits, kind=choice.kind)
    buckets = bands(stated, mended, hits)
    if out is not None:
        _write(out, stated, hits, mended, choice.kind)
    if json:
        say_json(_body(judged, choice, buckets, rows=stated.size))
    else:
        _show(judged, choice, buckets, rows=stated.size, out=out)
    return 0


def read_scores(path: Path) -> tuple[Floats, Flags]:
    """Return the (n,) confidences and hits of a table.

    Raises:
        InputError: the file cannot be read or has no rows; or with every bad row's place, what was expected and got.
    """
    import numpy as np

    from interlock.core.errors import InputError, Problem
    from interlock.data.formats import raw_rows

    problems: list[Problem] = []
    stated, hits = [], []
    for where, row in raw_rows(path):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        confidence, hit = _confidence(row.get("confidence")), _hit(row.get("correct"))
        if confidence is None:
            problems.append(Problem(where, "confidence", "a number in 0-1", _got(row, "confidence")))
        if hit is None:
            problems.append(Problem(where, "correct", "0, 1, true or false", _got(row, "correct")))
        if confidence is not None and hit is not None:
            stated.append(confidence)
            hits.append(hit)
    if problems:
        raise InputError(f"{path}: {len(problems)} problems, nothing was calibrated", problems)
    return np.array(stated, dtype=np.float64), np.array(hits, dtype=np.bool_)


def _confidence(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found <= 1 else None


def _hit(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in {0, 1}:
        return bool(value)
    return FLAGS.get(value.strip().lower()) if isinstance(value, str) else None


def _got(row: Mapping[str, Any], name: str) -> str:
    return repr(row[name])[:60] if name in row else "nothing"


def _body(judged: Judged, choice: Choice[ConfidenceCalibrator], buckets: list[Band], *, rows: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        kind: {name: measured.to_json() for name, measured in figures.items()} for kind, figures in judged.items()
    }
    found["buckets"] = [band.to_json() for band in buckets]
    return {**found, "chosen": choice.kind, "n": rows}


def _show(
    judged: Judged, choice: Choice[ConfidenceCalibrator], buckets: list[Band], *, rows: int, out: Path | None
) -> None:
    from rich.markup import escape
    from rich.table import Table

    screen = console()
    names = list(judged["raw"])
    title = f"{rows} rows; every row judged by a calibrator that never saw it; 95 % intervals below"
    table = Table("calibrator", *names, title=title, title_justify="left", show_lines=True)
    for kind, figures in judged.items():
        cells = [f"{number(figures[name].value)}\n{_span(figures[name])}" for name in names]
        table.add_row(f"[bold green]{kind}[/]" if kind == choice.kind else kind, *cells)
    screen.print(table)
    heads = [f"{side}\n{what}" for side in ("raw", choice.kind) for what in ("rows", "stated", "accuracy")]
    table = Table("confidence", *heads, title="Buckets", title_justify="left", show_lines=True)
    for band in buckets:
        table.add_row(band.name, *_cells(band.raw), *_cells(band.calibrated))
    screen.print(table)
    screen.print(f"chosen: [bold green]{choice.kind}[/], the simplest within one standard error of the least nll")
    if out is not None:
        screen.print(f"wrote {escape(str(out))}", soft_wrap=True)


def _span(found: Measurement) -> str:
    return interval(found) if found.known else ""


def _cells(bucket: Bucket | None) -> tuple[str, str, str]:
    if bucket is None or not bucket.n:
        return "0", "", ""
    return str(bucket.n), number(bucket.confidence), f"{number(bucket.accuracy.value)}\n{interval(bucket.accuracy)}"


def _write(out: Path, stated: Floats, hits: Flags, mended: Floats, chosen: str) -> None:
    """Write every calibrator fitted on all rows, the chosen one again as ``calibrator.json``, and the plots."""
    from interlock.calibrate.curve import quality_by_labels
    from interlock.calibrate.kinds import SCORE_FITS
    from interlock.data.write import write_whole
    from interlock.measure.plots.by_rows import by_rows_picture
    from interlock.measure.plots.histogram import confidence_picture
    from interlock.measure.plots.reliability import reliability_picture
    from interlock.measure.reliability import reliability
    from interlock.report.figures import save

    for kind, fit in SCORE_FITS.items():
        text = json_module.dumps(fit(stated, hits).to_json(), indent=1) + "\n"
        write_whole(out / f"{kind}.json", [text])
        if kind == chosen:
            write_whole(out / "calibrator.json", [text])
    both = {"raw": stated, f"{chosen}, cross-fitted": mended} if chosen != "raw" else {"raw": stated}
    metrics = {"nll": "log loss on rows left out", "ece_debiased": "calibration error (debiased) on rows left out"}
    pictures = {
        "reliability": reliability_picture({name: reliability(said, hits, bins=10) for name, said in both.items()}),
        "confidence": confidence_picture(both),
        "labels": by_rows_picture(quality_by_labels(stated, hits), metrics=metrics),
    }
    save(out, pictures)
