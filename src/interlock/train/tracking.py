"""What a watcher is told, written to TensorBoard or MLflow. Knows no training; a tracker that fails stops nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from interlock.core.errors import require
from interlock.core.progress import Watch

Tracker = Literal["tensorboard", "mlflow"]
MODULES = {"tensorboard": ["torch", "tensorboard"], "mlflow": ["mlflow"]}
# Event -> the start of its numbers' names.
PREFIXES = {"step": "train", **{name: name for name in ("epoch", "adapt", "adapt_epoch", "soup", "soup_epoch")}}
EXPERIMENT = "interlock"  # in MLflow
COUNTS = {"step", "steps", "epoch", "epochs"}  # where a value stands, not values


class Writer(Protocol):
    """What a tracker can do."""

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write values at a step."""

    def texts(self, values: Mapping[str, str]) -> None:
        """Write what is no number."""

    def close(self, *, failed: bool) -> None:
        """Write what is left, and end."""


class Tracking:
    """A watcher that writes; the writer is opened with the first numbers, when the run folder is there."""

    def __init__(self, opened: Callable[[int], Writer], about: Mapping[str, Any], *, also: Watch) -> None:
        """Open with ``opened``, given the first step; ``about`` is the run's choices; ``also`` is told everything."""
        self._opened, self._about, self._also = opened, {key: str(value) for key, value in about.items()}, also
        self._writer: Writer | None = None
        self._step, self._broken = 0, False

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Write one event."""
        self._also(event)
        kind = event["event"]
        if kind in PREFIXES:
            self._step = event.get("step", self._step)
            values = dict(numbers({key: value for key, value in event.items() if key not in COUNTS}, PREFIXES[kind]))
            self._do(lambda writer: writer.scalars(values, self._step))
        elif kind == "warning":
            said = {f"warning/{event['code']}": f"{event['detail']}: {event['decision']}"}
            self._do(lambda writer: writer.texts(said))

    def finish(self, values: Mapping[str, float], texts: Mapping[str, str]) -> None:
        """Write what came out in the end."""
        finite = {f"test/{name}": value for name, value in values.items() if math.isfinite(value)}
        self._do(lambda writer: writer.scalars(finite, self._step))
        self._do(lambda writer: writer.texts(texts))

    def _do(self, write: Callable[[Writer], object]) -> None:
        if self._broken:
            return
        try:
            if self._writer is None:
                self._writer = self._opened(self._step)
                self._writer.texts(self._about)
            write(self._writer)
        except Exception as error:  # noqa: BLE001 - whatever a tracker's network or disk raises
            self._broken = True
            detail = f"{type(error).__name__}: {str(error)[:200]}"
            decision = "the build goes on without; train.jsonl has every line"
            self._also({"event": "warning", "code": "tracking.failed", "detail": detail, "decision": decision})

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was opened."""
        if self._writer is not None:
            self._do(lambda writer: writer.close(failed=kind is not None))


def numbers(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """Yield every finite number of a nested event under a name like ``train/layers/0/grad``."""
    for key, value in values.items():
        name = f"{prefix}/{re.sub(r'[^A-Za-z0-9_. -]', '_', key)}"
        if isinstance(value, Mapping):
            yield from numbers(value, name)
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value)


def tracking(tracker: Tracker, *, run: Path, about: Mapping[str, Any], also: Watch) -> Tracking:
    """Return the watcher that writes to ``tracker``.

    Args:
        tracker: ``tensorboard`` writes into the folder of that name in the run; ``mlflow`` to the server or store that
            MLflow itself is set up for.
        run: the run folder; its last part names the run.
        about: the run's choices.
        also: another watcher, told everything and when the tracker fails.

    Raises:
        MissingExtraError: it is not installed.
    """
    require(f"Logging to {tracker}", extra=tracker, modules=MODULES[tracker])

    def opened(step: int) -> Writer:
        return _TensorBoard(run / "tensorboard", step) if tracker == "tensorboard" else _MLflow(run.name)

    return Tracking(opened, about, also=also)


class _TensorBoard:
    def __init__(self, folder: Path, first: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder), purge_step=first)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def texts(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self._writer.add_text(name, value)

    def close(self, *, failed: bool) -> None:  # noqa: ARG002 - a folder of events has no end state
        self._writer.close()


class _MLflow:
    def __init__(self, run: str) -> None:
        import mlflow

        self._client: Any = mlflow.MlflowClient()
        found = self._client.get_experiment_by_name(EXPERIMENT)
        experiment_id = found.experiment_id if found else self._client.create_experiment(EXPERIMENT)
        self._run: str = self._client.create_run(experiment_id, run_name=run).info.run_id

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        import mlflow

        mlflow.log_metrics(dict(values), step=step, run_id=self._run)

    def texts(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self._client.set_tag(self._run, name, value)

    def close(self, *, failed: bool) -> None:
        self._client.set_terminated(self._run, "FAILED" if failed else "FINISHED")
