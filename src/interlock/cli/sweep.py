"""``interlock sweep``: bounds of the policy from evidence, shown on rows that did not choose them."""

from __future__ import annotations

import json as json_module
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

from interlock.cli.screen import Watching, console, measurement_table, say_json

if TYPE_CHECKING:
    from interlock.calibrate.policy import Aim
    from interlock.core.measurement import Measurement
    from interlock.report.policy import Swept

STEP = 4  # every so many candidates are shown


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(sweep)


def sweep(  # noqa: PLR0913 - one option per choice
    bundle: Path,
    data: Path,
    *,
    aim: str = "precision=0.98",
    review_capacity: float = 1.0,
    error: float = 0.05,
    per_label: bool = False,
    report_data: Path | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    json: bool = False,
) -> int:
    """Fit the policy's bounds to an aim on one half of the rows, and show every candidate on the other. Exit 1: none.

    Example: interlock sweep runs/1/bundle calibration.jsonl --aim precision=0.98 -o policy

    Args:
        bundle: A bundle directory.
        data: Labelled messages that the bundle was neither trained nor judged on, such as its calibration rows.
        aim: precision=P (of what is routed by itself, shown with a chance of error of --error), risk=R (share of all
            messages routed wrongly), cost (dollars of errors and reviews), or no-missed-positive (threshold contracts).
        review_capacity: For cost: share of messages that people can review.
        error: For precision: chance of promising it though it does not hold.
        per_label: For precision: bounds of their own for labels with rows enough.
        report_data: Rows to report on; all of DATA fits then. Without it half of DATA does, by digest.
        out: Write sweep.json, policy.yaml (contract keys) and the risk-coverage picture into this folder.
        json: Print one machine-readable object.
    """
    from interlock.bundle.open import open_bundle
    from interlock.core.errors import require
    from interlock.report.policy import write_sweep
    from interlock.sweep import sweep as walk

    wanted = read_aim(aim, capacity=review_capacity, error=error, per_label=per_label)
    if out is not None:
        require("Pictures", extra="train", modules=["matplotlib"])
    with Watching() as watch:
        found = walk(open_bundle(bundle), data, aim=wanted, report_data=report_data, watch=watch)
    body = {"bundle": str(bundle), "data": str(data), **found.to_json()}
    if out is not None:
        write_sweep(found, out, body=json_module.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    if json:
        say_json(body)
    else:
        _show(found, out)
    return 0 if found.policy is not None else 1


def read_aim(text: str, *, capacity: float, error: float, per_label: bool) -> Aim:
    """Return the aim that ``text`` spells.

    Raises:
        InputError: with every problem.
    """
    from interlock.calibrate.policy import Aim
    from interlock.core.errors import InputError, Problem

    problems = []
    found = re.fullmatch(r"(precision|risk)=([0-9.eE+-]+)|(cost)|(no-missed-positive)", text.strip())
    share = float("nan")
    if found is not None and found[2] is not None:
        try:
            share = float(found[2])
        except ValueError:
            found = None
    if found is None or (found[2] is not None and not 0 < 1 - share < 1):  # also as it is rounded
        said = "precision=P or risk=R with a share between 0 and 1, cost, or no-missed-positive"
        problems.append(Problem("command line", "--aim", said, repr(text)))
    if not 0 <= capacity <= 1:
        problems.append(Problem("command line", "--review-capacity", "a share in 0-1", f"{capacity}"))
    if not 0 < error < 1:
        problems.append(Problem("command line", "--error", "a chance between 0 and 1", f"{error}"))
    kind = (found[1] or found[3] or found[4]) if found is not None else None
    if per_label and kind not in {None, "precision"}:
        problems.append(Problem("command line", "--per-label", "with --aim precision=P", repr(text)))
    if problems or kind is None:
        raise InputError("there is no such aim", problems)
    return Aim(kind, share, capacity=capacity, error=error, per_label=per_label)  # type: ignore[arg-type]


def _show(found: Swept, out: Path | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    screen = console()
    title = f"Candidates on {found.rows[1]} rows; fitted on {found.rows[0]} others (* chosen, + shown to reach the aim)"
    names = list(found.candidates[0].figures)
    table = Table("bound", *names, title=title, title_justify="left")
    for place, candidate in enumerate(found.candidates):
        own = candidate.threshold == found.fit.threshold
        if own or place % STEP == 0:
            mark = f"{' *' if own else ''}{' +' if candidate.certified else ''}"
            table.add_row(f"{candidate.threshold:.4g}{mark}", *(_cell(one) for one in candidate.figures.values()))
    screen.print(table)
    for name, measured in (("The bundle's own policy", found.current), ("The fitted policy", found.chosen)):
        if measured:
            screen.print(measurement_table(measured, title=f"{name}, on the report rows"))
    for one in (sets for sets in found.sets if sets.coverage.known):
        kind = "each label's messages apart" if one.by_label else "all together"
        said = (
            f"label sets of {one.among}, {kind}: {_cell(one.labels)} labels, {_cell(one.coverage)} hold the right one"
        )
        screen.print(f"{said}, {one.coverage.n} rows", markup=False, soft_wrap=True)
    if found.repeats:
        screen.print(f"{found.repeats} rows were left out: they nearly repeat another one", soft_wrap=True)
    screen.print(escape(found.fit.why), soft_wrap=True)
    if out is not None:
        screen.print(f"wrote {escape(str(out))}", soft_wrap=True)


def _cell(found: Measurement) -> str:
    return f"{found.value:.4g} ({found.low:.4g}-{found.high:.4g})" if found.known else "not known"
