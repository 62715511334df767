"""An evaluation as ``evaluation.md``: a page to read in a minute. Knows no terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from interlock.core.measurement import Measurement
from interlock.measure.money import lower_first
from interlock.report.buckets import Band
from interlock.report.costs import price
from interlock.report.evaluation import Evaluation

SHOWN = ("accuracy", "macro_f1", "ece_debiased", "nll", "brier", "cost_per_message", "coverage", "accepted_accuracy")
PAIRS, WORST = 10, 10
ACTIVE = re.compile(r"([\\`*_\[\]<>|&!~$#])")  # what Markdown acts on inside a line
INSIDE = re.compile(r"(?<=\w)\\_(?=\w)")  # inside a word an underscore means itself


def evaluation_page(found: Evaluation, *, title: str, pictures: Iterable[str] = ()) -> str:
    """Return the page; ``pictures`` are names whose files stand beside it."""
    rows = f"{found.confusion.rows} rows with one label, {found.confusion.errors} of them wrong."
    measured = [found.measurements[name] for name in SHOWN if name in found.measurements]
    measured += [m for name, m in found.measurements.items() if name.startswith(("unknown_", "latency_p95"))]
    parts = [f"# {plain(title)}", rows, _table(("measurement", "value", "95 % interval", "n"), map(_line, measured))]
    parts += [*_money(found), *_confused(found), *_slices(found), *_buckets(found)]
    parts += [f"![{name}]({name}.svg)" for name in pictures]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Return a text from the data as Markdown that shows it and does nothing else."""
    return INSIDE.sub("_", ACTIVE.sub(r"\\\1", " ".join(text.split())))


def _money(found: Evaluation) -> list[str]:
    costs = found.costs
    unit = f"Business-weighted error {costs.total:g} harm units over {costs.per_message.n} rows."
    lines = [
        f"- misroutes a month: {lower_first(costs.misroutes)}",
        f"- left to the fallback a month: {lower_first(costs.reviews)}",
        f"- for each misroute that this avoids: {price(costs.avoided)}",
    ]
    flips = sorted({flip.pair for flip in costs.flips if flip.flips and flip.pair is not None})
    names = found.view.contract.label_names
    said = [f"{plain(names[gold])} taken for {plain(names[said])}" for gold, said in flips[:PAIRS]]
    more = f" and {len(flips) - PAIRS} more" if len(flips) > PAIRS else ""
    turns = "costs that move the cheapest threshold when halved or half as high again"
    return ["## Cost", unit, "\n".join([*lines, f"- {turns}: {', '.join(said) or 'none'}{more}"])]


def _confused(found: Evaluation) -> list[str]:
    table = found.confusion
    head = ("gold", "decided", "rows", "share of errors", "severity", "examples")
    lines = []
    for pair in table.pairs[:PAIRS]:
        texts = table.examples[pair.gold, pair.predicted]
        seen = "<br>".join(f"`{_code(key)}` {plain(text)}" for key, text in texts.items())
        share = f"{pair.share.value:.3f} ({pair.share.low:.3f} to {pair.share.high:.3f})"
        lines.append((plain(pair.gold), plain(pair.predicted), str(pair.count), share, f"{pair.severity:g}", seen))
    said = f"{table.half} of {len(table.pairs)} pairs make half of the errors."
    return ["## Confusion", said, _table(head, lines)] if lines else ["## Confusion", "No errors."]


def _slices(found: Evaluation) -> list[str]:
    ranked = [one for table in found.slices.tables.values() for one in table.slices]
    ranked.sort(key=lambda one: (one.accuracy.value, -one.accuracy.n))
    lines = [(plain(one.accuracy.slice or ""), *_cells(one.accuracy), f"{one.p:.3g}") for one in ranked[:WORST]]
    said = "The least accurate slices. All intervals hold together at 95 %; p compares with the other rows, adjusted."
    return ["## Slices", said, _table(("slice", "accuracy", "interval", "n", "p"), lines)]


def _buckets(found: Evaluation) -> list[str]:
    sides = [f"{side} {what}" for side in ("raw", "calibrated") for what in ("rows", "mean", "accuracy")]
    head = ("confidence", *sides)
    return ["## Confidence", _table(head, map(_band, found.buckets))]


def _band(band: Band) -> Sequence[str]:
    cells = [plain(band.name)]
    for bucket in (band.raw, band.calibrated):
        if bucket is None or not bucket.n:
            cells += ["0" if bucket else "", "", ""]
        else:
            seen = bucket.accuracy
            accuracy = f"{seen.value:.3f} ({seen.low:.3f} to {seen.high:.3f})"
            cells += [str(bucket.n), f"{bucket.confidence:.3f}", accuracy]
    return cells


def _line(found: Measurement) -> Sequence[str]:
    return (plain(found.name), *_cells(found))


def _cells(found: Measurement) -> tuple[str, str, str]:
    value, low, high = (f"{x:.4g}" if math.isfinite(x) else "not known" for x in (found.value, found.low, found.high))
    return value, f"{low} to {high}", str(found.n)


def _code(text: str) -> str:
    return re.sub(r"[`|\s]", "?", text)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = "|" + "---|" * len(head)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(cells)} |" for cells in lines)])
