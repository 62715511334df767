"""An experiment as ``experiment.json`` and ``experiment.md``: a page to read in a minute. Knows no terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from interlock.core.measurement import Measurement
from interlock.data.write import write_whole
from interlock.report import challenge
from interlock.report.challenge import Counterfactuals, Injections
from interlock.report.experiment import Table
from interlock.report.models import Bench, fits
from interlock.report.page import plain
from interlock.report.seeds import FIGURES, Seeds

Cells = Sequence[str]
HEADS = ("accuracy", "macro-F1", "rare recall", "ECE", "cost", "P95 ms")
KEYS = ("accuracy", "macro_f1", "rare_recall", "ece_debiased", "cost_per_message", "latency_p95_ms")


def write_experiment(
    found: Table | Bench | Seeds, folder: Path, *, about: Mapping[str, Any], notes: Sequence[str] = ()
) -> None:
    """Write both files, the page last."""
    body = {**found.to_json(), **about}
    body["notes"] = [*body.get("notes", []), *notes]
    write_whole(folder / "experiment.json", [json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"])
    write_whole(folder / "experiment.md", [page(found, about=about, notes=body["notes"])])


def write_challenge(found: Injections | Counterfactuals, folder: Path, *, about: Mapping[str, Any]) -> None:
    """Write both files of a challenged bundle, the page last; examples are masked."""
    body = {**found.to_json(), **about}
    write_whole(folder / "experiment.json", [json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"])
    head, lines = challenge.cells(found)
    named = "Injected errors" if isinstance(found, Injections) else "Changed messages"
    parts = [f"# {named}", f"Contract {plain(str(about['contract']))}, bundle `{about['bundle']}`."]
    parts.append(markdown_table(head, [[plain(cell) for cell in line] for line in lines]))
    parts += [f"Note: {plain(note)}." for note in (found.notes if isinstance(found, Injections) else ())]
    for suite in found.suites if isinstance(found, Counterfactuals) else ():
        said = [f"{one['label']} now {one['now']}: {one['text']} -> {one['changed']}" for one in suite.worst]
        parts += [f"## {suite.name}", "\n".join(f"- {plain(line)}" for line in said)] if said else []
    write_whole(folder / "experiment.md", ["\n\n".join(parts) + "\n"])


def page(found: Table | Bench | Seeds, *, about: Mapping[str, Any], notes: Sequence[str]) -> str:
    """Return the page."""
    head, lines = cells(found)
    parts = [f"# {title(found)}", f"Data {plain(str(about['data']))}, contract {plain(str(about['contract']))}."]
    parts.append(markdown_table(head, [[plain(cell) for cell in line] for line in lines]))
    if isinstance(found, Bench):
        head, lines = money_cells(found)
        parts.append(markdown_table(head, [[plain(cell) for cell in line] for line in lines]))
    if isinstance(found, Seeds):
        parts.append(f"**Reading.** {plain(found.why)}.")
    else:
        table = found.table if isinstance(found, Bench) else found
        parts.append("\n".join(f"- {plain(line.arm.name)}: {plain(line.reading)}" for line in table.lines[1:]))
        parts.append(f"**Recommendation.** {plain(table.why)}.")
        parts += _on_test(table)
    parts += [f"Note: {plain(note)}." for note in notes]
    return "\n\n".join(part for part in parts if part) + "\n"


def title(found: Table | Bench | Seeds) -> str:
    """Return what was compared, and on which rows."""
    if isinstance(found, Seeds):
        return f"Seeds, on {found.rows} test rows"
    table = found.table if isinstance(found, Bench) else found
    return f"{table.kind.capitalize()}, judged on {table.rows} calibration rows"


def readings(found: Table | Bench | Seeds) -> list[str]:
    """Return the sentences that a screen shows under the table, the recommendation last."""
    if isinstance(found, Seeds):
        return [found.why]
    table = found.table if isinstance(found, Bench) else found
    return [*(f"{line.arm.name}: {line.reading}" for line in table.lines[1:]), *table.notes, table.why]


def cells(found: Table | Bench | Seeds) -> tuple[Cells, list[list[str]]]:
    """Return the table's head and its lines, for any screen."""
    if isinstance(found, Seeds):
        return _seed_cells(found)
    table = found.table if isinstance(found, Bench) else found
    head = ["", *HEADS, "min", "points against the first", "shown"]
    lines = []
    for line in table.lines:
        gap = line.contest.difference if line.contest else None
        delta = f"{100 * gap.value:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})" if gap else ""
        shown = line.contest.shown if line.contest else "failed" if line.arm.failed else "baseline"
        figures = [share(line.measurements.get(key)) for key in KEYS]
        lines.append([line.arm.name, *figures, f"{line.arm.minutes:.1f}", delta, shown])
    return head, lines


def money_cells(found: Bench) -> tuple[Cells, list[list[str]]]:
    """Return the head and the lines of the table of prices: dollars a month of serving and of misroutes."""
    lines = []
    for name, prices in found.prices.items():
        point = prices.per_point.value if prices.per_point is not None else math.nan
        said = f"{point:,.2f}" if math.isfinite(point) else "none"
        fits_budget = "yes" if fits(found.table, name, found.budget_ms) else "not shown"
        lines.append([name, f"{prices.serving.value:,.2f}", f"{prices.misroutes.value:,.0f}", said, fits_budget])
    return ["", "serving $", "misroutes $", "serving $ per point", "within the budget"], lines


def share(found: Measurement | None) -> str:
    """Return a figure with its interval, in as few letters as tell it."""
    if found is None or not math.isfinite(found.value):
        return "not known"
    form = ".1f" if found.name.endswith("_ms") else ".3f"
    if not found.known:
        return format(found.value, form)
    bounds = form if found.name.endswith("_ms") else ".2f"
    return f"{found.value:{form}} ({found.low:{bounds}}-{found.high:{bounds}})"


def markdown_table(head: Cells, lines: Sequence[Cells]) -> str:
    """Return a Markdown table."""
    rule = "|" + "---|" * len(head)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(line)} |" for line in lines)])


def _seed_cells(found: Seeds) -> tuple[Cells, list[list[str]]]:
    lines = [[name, *(share(one[figure]) for figure in FIGURES)] for name, one in found.by_seed.items()]
    lines.append(["mean over seeds", *(share(found.means.get(figure)) for figure in FIGURES)])
    lines.append(["sd over seeds", *(f"{found.sds[f]:.4f}" if f in found.sds else "" for f in FIGURES)])
    lines.append(["sd of rows (accuracy)", f"{found.accuracy.sampling_sd:.4f}", *("" for _ in FIGURES[1:])])
    return ["", *HEADS[:-1]], lines


def _on_test(table: Table) -> list[str]:
    lines = [[plain(name), *(share(found[key]) for key in KEYS[:-1])] for name, found in table.test.items()]
    said = "The test rows, looked at once, for these only:"
    if table.test_contest is not None:
        gap = table.test_contest.difference
        said += f" a difference of {100 * gap.value:+.1f} points ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})."
    return [said, markdown_table(["", *HEADS[:-1]], lines)]
