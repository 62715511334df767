"""Two bundles on the same labelled rows, each exactly as it serves. The walk of ``evaluate``, twice and paired."""

from __future__ import annotations

from pathlib import Path

from interlock.bundle.open import Bundle
from interlock.core.clock import Clock, SystemClock
from interlock.core.contract import Contract
from interlock.core.dataset import Dataset
from interlock.core.errors import InputError, Problem
from interlock.core.progress import Watch, every, unwatched
from interlock.data.read import read
from interlock.gate.derive import Derived
from interlock.gate.take import Subject, take
from interlock.report.comparison import Comparison, Prices, compare_views
from interlock.report.view import View


def compare(
    a: Bundle,
    b: Bundle,
    data: str | Path,
    *,
    prices: Prices | None = None,
    watch: Watch = unwatched,
    clock: Clock | None = None,
) -> Comparison:
    """Compare two bundles on ``data``: every test is paired by row.

    Args:
        a: an opened bundle; its contract's costs, routes and money price the differences.
        b: another one, such as the one in service.
        data: labelled messages whose labels both know.
        prices: what a asks for beyond b's.
        watch: told how far it is.
        clock: stamps nothing that is kept.

    Raises:
        InputError: rows that do not read, or bundles that know different labels.
    """
    _check_labels(a.contract, b.contract)
    rows = read(data, labels=a.contract.label_names, turns=a.contract.input.turns)
    first, second = (_seen(bundle, rows, watch, clock or SystemClock()) for bundle in (a, b))
    return compare_views(first, second, prices=prices or Prices())


def _seen(bundle: Bundle, rows: Dataset, watch: Watch, clock: Clock) -> View:
    subject = Subject(name=bundle.manifest.name, identity=bundle.manifest.identity)
    receipt = take(bundle.predictor, rows, subject, clock=clock, progress=every(watch, f"measure {subject.name}"))
    return View(Derived(receipt), rows.examples)


def _check_labels(a: Contract, b: Contract) -> None:
    ours, theirs = set(a.label_names), set(b.label_names)
    if ours != theirs:
        differ = ", ".join(sorted(ours ^ theirs)[:10])
        problem = Problem("bundles", "labels", "the same labels in both", f"a difference in {differ}")
        raise InputError("the bundles decide between different labels", [problem])
