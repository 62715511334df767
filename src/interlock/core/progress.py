"""How long work tells whoever watches how far it is. Knows no screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Watch = Callable[[Mapping[str, Any]], None]
"""Called with one event at a time, each a mapping with the key ``event``:

``stage`` (a step of a walk begins: ``stage``, ``detail``), ``progress`` (``stage``, ``done``, ``total``),
``note`` (something a person should know: ``note``), and the step log's ``step`` and ``epoch``.
"""


def unwatched(event: Mapping[str, Any]) -> None:
    """Watch nothing."""


def every(watch: Watch, stage: str, *, step: int = 50) -> Callable[[int, int], None]:
    """Return a counter that reports every ``step`` rows and the last one."""

    def count(done: int, total: int) -> None:
        if done % step == 0 or done == total:
            watch({"event": "progress", "stage": stage, "done": done, "total": total})

    return count
