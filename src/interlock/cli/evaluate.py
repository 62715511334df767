"""``interlock evaluate``: a bundle measured on labelled rows, as short ranked tables or a folder to read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

from interlock.cli.screen import Watching, console, interval, measurement_table, number, say_json

if TYPE_CHECKING:
    from rich.table import Table

    from interlock.core.measurement import Measurement
    from interlock.report.buckets import Band
    from interlock.report.evaluation import Evaluation

SHOWN = 8  # lines of a ranked table
PER_LABEL = ("recall.", "precision.", "f1.")


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(evaluate)


def evaluate(
    bundle: Path,
    data: Path,
    *,
    unknown: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    trust: Path | None = None,
    json: bool = False,
) -> int:
    """Measure a bundle on labelled messages, one at a time as it serves, every number with n and its interval.

    Example: interlock evaluate runs/1/bundle rows.jsonl --unknown other.jsonl -o evaluation

    Args:
        bundle: A bundle directory.
        data: Labelled messages whose labels the contract knows.
        unknown: Messages the router should not know; these rows need only a text.
        out: Write evaluation.json, evaluation.md and the pictures into this folder.
        trust: The trust root; every role it requires must have signed.
        json: Print one machine-readable object.
    """
    from interlock.bundle.open import open_bundle
    from interlock.core.errors import require
    from interlock.evaluate import evaluate as walk

    if out is not None:
        require("Pictures", extra="train", modules=["matplotlib"])
    with Watching() as watch:
        found = walk(open_bundle(bundle, trust), data, unknown=unknown, watch=watch)
    about = {"bundle": str(bundle), "data": str(data)}
    if out is not None:
        from interlock.report.folder import write_evaluation

        write_evaluation(found, out, title=f"{data.name}, as {bundle.name} serves it", about=about)
    if json:
        say_json({**about, **found.to_json(texts=True)})
    else:
        show(found, title=f"{data}, as {bundle} serves it", out=out)
    return 0


def show(found: Evaluation, *, title: str, out: Path | None) -> None:
    """Print an evaluation for people."""
    from rich.markup import escape

    screen = console()
    whole = {name: one for name, one in found.measurements.items() if not name.startswith(PER_LABEL)}
    screen.print(measurement_table(whole, title=escape(title)))
    for table in tables(found):
        screen.print(table)
    for line in _money(found):
        screen.print(line, markup=False, soft_wrap=True)
    if out is not None:
        screen.print(f"read {escape(str(out / 'evaluation.md'))}", soft_wrap=True)


def tables(found: Evaluation) -> Iterator[Table]:
    """Yield the ranked tables: confusion, slices, confidence, thresholds."""
    yield _confusion(found)
    yield _slices(found)
    yield _buckets(found.policy_buckets or found.buckets)
    yield _thresholds(found)


def _confusion(found: Evaluation) -> Table:
    from rich.markup import escape

    table = found.confusion
    said = f"Most confused: {table.half} of {len(table.pairs)} pairs make half of {table.errors} errors"
    out = _table(said, "gold", "decided", "rows", "share of errors", "severity", "so far")
    for pair in table.pairs[:SHOWN]:
        share = _share(pair.share)
        names = (escape(pair.gold), escape(pair.predicted))
        out.add_row(*names, str(pair.count), share, f"{pair.severity:g}", f"{pair.cumulative:.2f}")
    return out


def _slices(found: Evaluation) -> Table:
    from rich.markup import escape

    every = [one for table in found.slices.tables.values() for one in table.slices]
    every.sort(key=lambda one: (one.accuracy.value, -one.accuracy.n))
    said = f"Least accurate of {len(every)} slices; all intervals hold together at 95 %"
    out = _table(said, "slice", "accuracy", "interval", "n", "p against the rest")
    for one in every[:SHOWN]:
        out.add_row(escape(one.accuracy.slice or ""), *_cells(one.accuracy), f"{one.p:.3g}")
    return out


def _buckets(bands: list[Band]) -> Table:
    heads = [f"{side} {what}" for side in ("raw", "calibrated") for what in ("n", "mean", "accuracy")]
    out = _table("Confidence against accuracy", "confidence", *heads)
    for band in bands:
        cells: list[str] = []
        for bucket in (band.raw, band.calibrated):
            if bucket is None or not bucket.n:
                cells += ["0" if bucket else "", "", ""]
            else:
                share = _share(bucket.accuracy)
                cells += [str(bucket.n), number(bucket.confidence), share]
        out.add_row(band.name, *cells)
    return out


def _thresholds(found: Evaluation) -> Table:
    points, own = found.thresholds, set(found.view.marks.values())
    shown = [point for place, point in enumerate(points) if place % 4 == 0 or point.threshold in own]
    out = _table("Thresholds (* the contract's)", "threshold", *points[0].shares, "dollars of 1,000 messages")
    for point in shown:
        cells = [_share(one) for one in (*point.shares.values(), point.cost)]
        out.add_row(f"{point.threshold:g}{' *' if point.threshold in own else ''}", *cells)
    return out


def _money(found: Evaluation) -> Iterator[str]:
    from interlock.measure.money import lower_first

    costs = found.costs
    yield f"business-weighted error {costs.total:g} harm units over {costs.per_message.n} rows"
    yield f"misroutes a month: {lower_first(costs.misroutes)}"
    yield f"left to the fallback a month: {lower_first(costs.reviews)}"
    if costs.cheapest is not None:
        turning = len({flip.pair for flip in costs.flips if flip.flips})
        tried = len({flip.pair for flip in costs.flips})
        said = f"cheapest threshold on these rows {costs.cheapest.threshold:g}"
        yield f"{said}; {turning} of {tried} costs move it when halved or half as high again"


def _share(found: Measurement) -> str:
    return f"{found.value:.3f} ({found.low:.2f}-{found.high:.2f})" if math.isfinite(found.value) else "not known"


def _cells(found: Measurement) -> tuple[str, str, str]:
    return number(found.value), interval(found), str(found.n)


def _table(title: str, *heads: str) -> Table:
    from rich.table import Table

    return Table(*heads, title=title, title_justify="left")
