"""``interlock compare``: two bundles on the same labelled rows, every difference tested."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cyclopts

from interlock.cli.screen import Watching, console, interval, number, say_json

if TYPE_CHECKING:
    from interlock.report.comparison import Comparison

SURE = 0.05  # adjusted p below which a difference is said to be more than chance
SMALLEST = 1e-4  # p shown
FLIPS = 5  # flips named


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(compare)


def compare(
    bundle_a: Path,
    bundle_b: Path,
    data: Path,
    *,
    extra_usd: float | None = None,
    retraining_usd: float | None = None,
    months: float = 12.0,
    trust: Path | None = None,
    json: bool = False,
) -> int:
    """Compare two bundles on the same labelled messages, each as it serves; every difference is a minus b, paired.

    Example: interlock compare runs/2/bundle runs/1/bundle rows.jsonl --retraining-usd 500 --months 6

    Args:
        bundle_a: A bundle directory; its contract's costs, routes and money price the differences.
        bundle_b: Another, such as the one in service.
        data: Labelled messages whose labels both know.
        extra_usd: What a costs more than b to run, dollars a month: adds the price of a misroute avoided and of a
            point of accuracy.
        retraining_usd: What making a cost, once, in dollars: adds what that brings back.
        months: Months over which making a should pay.
        trust: The trust root; every role it requires must have signed both.
        json: Print one machine-readable object.
    """
    from interlock.bundle.open import open_bundle
    from interlock.compare import compare as walk
    from interlock.report.comparison import Prices

    prices = Prices(extra_usd=extra_usd, retraining_usd=retraining_usd, months=months)
    with Watching() as watch:
        found = walk(open_bundle(bundle_a, trust), open_bundle(bundle_b, trust), data, prices=prices, watch=watch)
    if json:
        say_json({"a": str(bundle_a), "b": str(bundle_b), "data": str(data), **found.to_json()})
    else:
        show(found, title=f"{data}: a is {bundle_a}, b is {bundle_b}")
    return 0


def show(found: Comparison, *, title: str) -> None:
    """Print a comparison for people."""
    from rich.markup import escape
    from rich.table import Table

    screen = console()
    heads = ("figure", "a", "b", "a - b", "95 % interval", "p", "p, adjusted", "n")
    table = Table(*heads, title=escape(title), title_justify="left")
    for test in found.tests:
        p = [f"<{SMALLEST}" if value < SMALLEST else f"{value:.4f}" for value in (test.p, test.p_adjusted)]
        name = f"[bold]{test.name}[/]" if test.p_adjusted < SURE else test.name
        gap = test.difference
        table.add_row(name, number(test.a), number(test.b), number(gap.value), interval(gap), *p, str(gap.n))
    screen.print(table)
    for line in _worth(found):
        screen.print(line, markup=False, soft_wrap=True)


def _worth(found: Comparison) -> Iterator[str]:
    from interlock.report.comparison import said as dollars

    ratio, names = found.cost_ratio, found.contract.label_names
    if math.isfinite(ratio.value):
        yield f"cost of a over cost of b: {number(ratio.value)} ({interval(ratio)})"
    pairs = sorted({flip.pair for flip in found.flips if flip.flips})
    said = ", ".join(f"{names[gold]} taken for {names[predicted]}" for gold, predicted in pairs[:FLIPS])
    more = f" and {len(pairs) - FLIPS} more" if len(pairs) > FLIPS else ""
    yield f"costs that change which is cheaper when halved or half as high again: {said or 'none'}{more}"
    for name, figure in found.usd.items():
        yield f"{name.replace('_', ' ')}: {dollars(name, figure)}"
    if found.retraining is not None:
        back = found.retraining
        months = f"{back.payback_months:.1f} months" if math.isfinite(back.payback_months) else "not shown"
        verdict = "pays" if back.pays else "is not shown to pay"
        yield f"retraining {verdict}: return {number(back.roi.value)} ({interval(back.roi)}), payback {months}"
