"""How results look on a terminal: tables, verdicts, progress. Prints to stdout for results, stderr for progress."""

from __future__ import annotations

import json
import math
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from interlock.core.measurement import Measurement
from interlock.core.verdict import Judgement, Status, Verdict

FILE_WIDTH = 110  # columns when the output goes to a file or a pipe
SHOWN_STEPS = 6  # the newest, in the live table
STEPS = {"step": "train", "adapt": "adapt", "soup": "one more"}  # event -> what it is called
EPOCHS = {"epoch": "epoch", "adapt_epoch": "adapting, epoch", "soup_epoch": "one more model, epoch"}
STEP_SHOWN = ("epoch", "step", "loss", "lr head", "lr bottom", "gradient norm", "examples/s", "memory")
EPOCH_SHOWN = ("train_loss", "val_loss", "val_acc", "val_macro_recall", "val_rare_recall")
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
        table.add_row(escape(name), number(measured.value), interval(measured), str(measured.n), measured.method)
    return table


def print_judgement(judgement: Judgement, *, title: str) -> None:
    """Print a verdict so that a person can see what held it."""
    screen = console()
    table = Table(
        "limit", "rule", "measured", "95 % interval", "n", "status", title=escape(title), title_justify="left"
    )
    for depth, verdict in _with_parts(judgement.verdicts):
        seen = verdict.evidence
        status = f"[{COLOURS[verdict.status]}]{verdict.status.value}[/]"
        if verdict.rows_needed is not None:
            status += f" ({verdict.rows_needed} more rows)"
        cells = (number(seen.value), interval(seen), str(seen.n)) if seen else ("", "", "")
        if seen is None and not verdict.parts:
            cells = ("not known", "", "0")
        table.add_row("  " * depth + escape(verdict.limit), escape(verdict.rule), *cells, status)
    if judgement.verdicts:
        screen.print(table)
    colour = "green" if judgement.eligible else "red"
    screen.print(f"[bold {colour}]{judgement.verdict}[/]: {escape(', '.join(judgement.reasons))}")


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
            speed_estimate_period=300,
        )
        self._tasks: dict[str, Any] = {}
        self._steps: deque[tuple[str, ...]] = deque(maxlen=SHOWN_STEPS)
        self._tenths = 0
        self._live = Live(get_renderable=self._rendered, console=self._console, transient=True)

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Show one event."""
        kind = event["event"]
        if kind in {"stage", "note"}:
            said = escape(str(event.get("detail", event.get("note", ""))))
            self._console.print(f"[bold]{event.get('stage', 'note')}[/] {said}")
        elif kind == "warning":
            said = escape(f"{event['detail']}: {event['decision']}")
            self._console.print(f"[yellow]{event['code']}[/] {said}")
        elif kind == "progress":
            self._bar(event["stage"], event["done"], event["total"])
        elif kind in STEPS:
            self._step(STEPS[kind], event)
        elif kind in EPOCHS:
            seen = " ".join(f"{key} {event[key]:.4f}" for key in EPOCH_SHOWN if key in event)
            self._console.print(f"  {EPOCHS[kind]} {event['epoch']}/{event['epochs']}  {seen}")

    def _step(self, name: str, event: Mapping[str, Any]) -> None:
        """Show a logged step: in the live table, or each tenth of the way as a line where there is no terminal."""
        cells = step_cells(event)
        self._steps.append(tuple(cells.values()))
        self._bar(name, event["step"], event["steps"])
        tenths = 10 * event["step"] // event["steps"]
        if not self._console.is_terminal and tenths != self._tenths:
            self._console.print(
                f"  {name}  {'  '.join(f'{key} {value}' for key, value in cells.items())}", soft_wrap=True
            )
        self._tenths = tenths
        if event["step"] == event["steps"]:
            self._steps.clear()

    def _bar(self, name: str, done: int, total: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total, visible=done < total)

    def _rendered(self) -> RenderableType:
        if not self._steps:
            return self._bars
        table = Table(*STEP_SHOWN, padding=(0, 1, 0, 0), box=None)
        for cells in self._steps:
            table.add_row(*cells)
        return Group(table, self._bars)

    def __enter__(self) -> Self:
        """Start showing."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""
        self._live.stop()


def step_cells(event: Mapping[str, Any]) -> dict[str, str]:
    """Return what the live table says of a logged step; ``clipped`` counts the steps since the last line."""
    clipped = f" ({event['clipped']} clipped)" if event["clipped"] else ""
    values = (
        f"{event['epoch']}",
        f"{event['step']}/{event['steps']}",
        f"{event['loss']:.3f}",
        f"{event['lr_head']:.1e}",
        f"{event['lr_bottom']:.1e}",
        f"{event['grad_norm']:.2f}{clipped}",
        f"{event['ex_per_sec']:.0f}",
        f"{event['mem_gb']:.1f} GB",
    )
    return dict(zip(STEP_SHOWN, values, strict=True))
