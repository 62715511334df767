"""All trainings of an experiment, one after the other or in worker processes. Knows no statistics."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from interlock.core.clock import Clock, SystemClock
from interlock.core.errors import InputError, Problem
from interlock.core.progress import Watch, unwatched
from interlock.train.experiments.cache import CACHE, folder_of, key_of, recall, store
from interlock.train.experiments.trial import Material, Outcome, Trial, run_trial
from interlock.train.training import forget


@dataclass(frozen=True)
class Failed:
    """A training that could not be done, and why."""

    why: str


def run_trials(
    trials: Sequence[Trial], material: Material, *, out: Path, parallel: int, watch: Watch, clock: Clock
) -> list[Outcome | Failed]:
    """Return the outcome of each trial, in their order; what ``out`` holds already is not trained again.

    Args:
        trials: what to train.
        material: what they share.
        out: the experiment's folder.
        parallel: worker processes; each has an equal share of the cores' threads.
        watch: told of every step when there is one process, of every finished trial otherwise.
        clock: for speeds, in this process.
    """
    if not 1 <= parallel <= (os.cpu_count() or 1):
        raise InputError(
            "this many processes do not fit", [Problem("--parallel", "", f"1 to {os.cpu_count()}", str(parallel))]
        )
    keys = [key_of(trial, material) for trial in trials]
    found: dict[str, Outcome | Failed] = {}
    for key in keys:
        if (known := recall(folder_of(out / CACHE, key), key=key)) is not None:
            found[key] = known
    todo = {key: trial for key, trial in zip(keys, trials, strict=True) if key not in found}
    watch({"event": "stage", "stage": "experiment", "detail": f"{len(set(keys))} trainings, {len(found)} known"})
    if parallel == 1 or len(todo) <= 1:
        for done, (key, trial) in enumerate(todo.items(), start=1):
            watch({"event": "stage", "stage": "train", "detail": f"{done} of {len(todo)}: {trial.name}"})
            found[key] = _work(trial, material, out, key, watch, clock)
    else:
        found |= _in_processes(todo, material, out=out, parallel=parallel, watch=watch)
    return [found[key] for key in keys]


def _in_processes(
    todo: dict[str, Trial], material: Material, *, out: Path, parallel: int, watch: Watch
) -> dict[str, Outcome | Failed]:
    threads = max(1, (os.cpu_count() or 1) // parallel)
    context = multiprocessing.get_context("spawn")  # a forked torch may wait for threads that are not there
    found: dict[str, Outcome | Failed] = {}
    with ProcessPoolExecutor(
        min(parallel, len(todo)), mp_context=context, initializer=_prepare, initargs=(threads,)
    ) as pool:
        waiting: dict[Future[Outcome | Failed], str] = {
            pool.submit(_work, trial, material, out, key, unwatched, SystemClock()): key for key, trial in todo.items()
        }
        for done, future in enumerate(as_completed(waiting), start=1):
            found[waiting[future]] = future.result()
            watch({"event": "note", "note": f"{done} of {len(todo)} trained: {todo[waiting[future]].name}"})
            watch({"event": "progress", "stage": "experiment", "done": done, "total": len(todo)})
    return found


def _prepare(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _work(trial: Trial, material: Material, out: Path, key: str, watch: Watch, clock: Clock) -> Outcome | Failed:
    folder = folder_of(out / CACHE, key)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = run_trial(trial, material, folder=folder, key=key, watch=watch, clock=clock)
    except InputError as error:
        return Failed(str(error))
    store(outcome, folder, key=key)
    forget(folder)
    return outcome
