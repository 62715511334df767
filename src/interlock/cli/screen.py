"""How results look on a terminal: tables, verdicts, progress. Prints to stdout for results, stderr for progress."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from interlock.core.measurement import Measurement
from interlock.core.verdict import Judgement, Status, Verdict

FILE_WIDTH = 110  # columns when the output goes to a file or a pipe
COLOURS = {Status.PASS: "green", Status.FAIL: "red", Status.INCONCLUSIVE: "yellow"}


def say_json(value: Any) -> None:
    """Print one machine-readable object as one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")


def console() -> Console:
    """Return the console for people's output."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=FILE_WIDTH)


def number(value: float) -> str:
    """Return a number for people; what is not known is said so."""
    if not math.isfinite(value):
        return "not known"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"  # noqa: PLR2004 - shares get four places


def interval(found: Measurement) -> str:
    """Return ``low to high``."""
    return f"{number(found.low)} to {number(found.high)}"


def measurement_table(found: Mapping[str, Measurement], *, title: str) -> Table:
    """Return a table of measurements with their intervals and n."""
    table = Table("measurement", "value", "95 % interval", "n", "method", title=title, title_justify="left")
    for name, measured in found.items():
        table.add_row(name, number(measured.value), interval(measured), str(measured.n), measured.method)
    return table


def print_judgement(judgement: Judgement, *, title: str) -> None:
    """Print a verdict so that a person can see what held it."""
    screen = console()
    table = Table("limit", "rule", "measured", "95 % interval", "n", "status", title=title, title_justify="left")
    for depth, verdict in _with_parts(judgement.verdicts):
        seen = verdict.evidence
        status = f"[{COLOURS[verdict.status]}]{verdict.status.value}[/]"
        if verdict.rows_needed is not None:
            status += f" ({verdict.rows_needed} more rows)"
        cells = (number(seen.value), interval(seen), str(seen.n)) if seen else ("", "", "")
        if seen is None and not verdict.parts:
            cells = ("not known", "", "0")
        table.add_row("  " * depth + verdict.limit, verdict.rule, *cells, status)
    if judgement.verdicts:
        screen.print(table)
    colour = "green" if judgement.eligible else "red"
    screen.print(f"[bold {colour}]{judgement.verdict}[/]: {', '.join(judgement.reasons)}")


def _with_parts(verdicts: Iterable[Verdict], depth: int = 0) -> Iterator[tuple[int, Verdict]]:
    for verdict in verdicts:
        yield depth, verdict
        yield from _with_parts(verdict.parts, depth + 1)


class Watching:
    """Progress on stderr: a bar on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._console = Console(stderr=True, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Show one event."""
        kind = event["event"]
        if kind in {"stage", "note"}:
            self._console.print(f"[bold]{event.get('stage', 'note')}[/] {event.get('detail', event.get('note', ''))}")
        elif kind == "warning":
            self._console.print(f"[yellow]{event['code']}[/] {event['detail']}: {event['decision']}")
        elif kind == "progress":
            self._bar(event["stage"], event["done"], event["total"], "")
        elif kind == "step":
            note = (
                f"loss {event['loss']:.3f}  lr {event['lr_head']:.1e}/{event['lr_bottom']:.1e}"
                f"  grad {event['grad_norm']:.2f}  {event['ex_per_sec']:.0f} ex/s  {event['mem_gb']:.1f} GB"
            )
            self._bar("train", event["step"], event["steps"], note)
        elif kind == "epoch":
            seen = " ".join(
                f"{key} {event[key]:.4f}"
                for key in ("train_loss", "val_loss", "val_acc", "val_macro_recall")
                if key in event
            )
            self._console.print(f"  epoch {event['epoch']}/{event['epochs']}  {seen}")

    def _bar(self, name: str, done: int, total: int, note: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, note="")
        self._bars.update(self._tasks[name], completed=done, total=total, note=note, visible=done < total)

    def __enter__(self) -> Self:
        """Start showing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""
        self._bars.stop()
