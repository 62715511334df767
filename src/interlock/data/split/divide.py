"""All rows to three parts: what stays together first, then time, then label shares. Knows no files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from interlock.core.dataset import PARTS, Dataset, Example, Part, Split
from interlock.core.errors import InputError, Problem
from interlock.core.progress import Watch, unwatched
from interlock.data.split.freeze import check_ids, freeze
from interlock.data.split.plans import Plan, Planner, Rule
from interlock.data.split.units import NEAR, Kin

By = Literal["auto", "time", "stratified"]
SHARES: Mapping[Part, float] = {"train": 0.8, "calibration": 0.1, "test": 0.1}
LOST = 0.02  # share of the rows that a cut in time may cost before the automatic choice gives time up
PARTED = 0.1  # share of the rows that may be lost where groups chain through texts they share
ALIKE_OFF = 0.01  # shares of rows off by less than this more are no reason to keep less together


def parse_shares(text: str) -> dict[Part, float]:
    """Return the shares written as ``0.8,0.1,0.1``: train, calibration, test.

    Raises:
        InputError: not three positive numbers that sum to 1.
    """
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    if not (len(numbers) == len(PARTS) and min(numbers) > 0 and abs(sum(numbers) - 1) <= 1e-9):  # noqa: PLR2004 - rounding
        raise InputError(
            "these are no shares",
            [Problem("--shares", "", "three positive numbers that sum to 1, like 0.8,0.1,0.1", repr(text)[:80])],
        )
    return dict(zip(PARTS, numbers, strict=True))


def split(
    dataset: Dataset,
    *,
    critical: Iterable[str] = (),
    shares: Mapping[Part, float] = SHARES,
    by: By = "auto",
    seed: int = 42,
    watch: Watch = unwatched,
) -> Split:
    """Divide rows so that parts share no group, no text and no near duplicate.

    Precedence: what belongs together stays together, then time, then label shares. Where near duplicates chain into
    clusters that leave no room for a split, less and less like texts are kept together (``LADDER``), and the manifest
    says so. The same rows and options give the same bytes, whatever the order of the file.

    Args:
        dataset: all labelled rows.
        critical: labels that must be present in every part; every other label must be present in train.
        shares: part -> share of the rows, summing to 1.
        by: ``time`` cuts at two instants and loses the lesser side of every unit that straddles a cut; ``stratified``
            looks at labels only; ``auto`` cuts in time where all rows have timestamps and few rows are lost (``LOST``).
        seed: decides which rows go where; the order of the file does not.
        watch: told when near duplicates are looked for among many rows.

    Raises:
        InputError: ids that repeat, one label only, labels in too few separate rows, or ``time`` without timestamps.
    """
    check_ids({"train": dataset.examples})
    _check_labels(dataset)
    rows = sorted(dataset, key=lambda row: row.id)
    if by == "time":
        _check_timestamps(rows)
    kin = Kin.of(rows, watch=watch)
    plan = divide(rows, kin, shares=shares, critical=critical, by=by, seed=seed)
    grouped = "grouped, " if any(row.group is not None for row in rows) else ""
    return freeze(
        {part: plan.rows(rows, part) for part in PARTS},
        kin=kin,
        likeness=plan.likeness,
        rule=grouped + plan.rule,
        seed=seed,
        shares=shares,
        removed=plan.rows(rows, None),
        why=plan.why,
    )


def divide(
    rows: Sequence[Example], kin: Kin, *, shares: Mapping[Part, float], critical: Iterable[str], by: By, seed: int
) -> Plan:
    """Return the first plan that fits, else the one that keeps most together among those nearest to the shares.

    Raises:
        InputError: no plan gives every part the labels it needs.
    """
    everywhere, needed = tuple(shares), set(critical)
    needs: dict[str, Sequence[Part]] = {
        label: everywhere if label in needed else everywhere[:1]
        for label in sorted(needed | {label for row in rows for label in row.labels})
    }
    affordable = {"time": 1.0 if by == "time" else LOST, "stratified": PARTED}
    seen: list[Plan] = []
    rules: Sequence[Rule] = ("time", "stratified") if by == "auto" else (by,)
    for plan in Planner(rows, kin, shares, needs, seed).plans(rules):
        seen.append(plan)
        if not plan.short and not plan.off and plan.lost <= affordable[plan.rule] * len(rows):
            break
    else:
        whole = [plan for plan in seen if not plan.short and plan.lost <= affordable[plan.rule] * len(rows)]
        if not whole:
            raise InputError(
                "these rows do not allow a split with every needed label in every part",
                seen[-1].short,
                todo="Label more rows for these, of other groups and with other texts.",
            )
        nearest = min(plan.far for plan in whole)
        plan = next(plan for plan in whole if plan.far <= nearest + ALIKE_OFF)
    return _explained(plan, seen, rows, by=by)


def _explained(plan: Plan, seen: Sequence[Plan], rows: Sequence[Example], *, by: By) -> Plan:
    """Add what a reader of the manifest should know about how the plan was chosen."""
    why = list(plan.why)
    if by == "auto" and plan.rule != "time":
        why.append(f"not by time: {_no_time(seen, rows)}")
    if plan.likeness != NEAR:
        first = next(other for other in reversed(seen) if other.rule == plan.rule and other.likeness == NEAR)
        reasons = [*first.off, *(f"{problem.field}: {problem.got}" for problem in first.short)]
        why.append(
            f"near duplicates stay together only where {plan.likeness.name}, for by the usual definition "
            f"({NEAR.name}) they chain into clusters too large to divide: {'; '.join(reasons[:3])}"
        )
    if plan.lost:
        why.append(
            f"{plan.lost} of {len(rows)} rows were removed: most of their group or of their near duplicates stand in "
            "another part"
        )
    labels = {label for row in rows for label in row.labels}
    tested = {label for row in plan.rows(rows, "test") for label in row.labels}
    if "test" in plan.parts and (unseen := sorted(labels - tested)):
        why.append(
            f"no test row carries {', '.join(unseen)}: label more separate rows, or nothing will be known of them"
        )
    return replace(plan, why=(*why, *plan.off))


def _no_time(seen: Sequence[Plan], rows: Sequence[Example]) -> str:
    timed = next((plan for plan in seen if plan.rule == "time"), None)
    if timed is None:
        return f"{sum(row.timestamp is None for row in rows)} of {len(rows)} rows have no timestamp"
    if timed.lost > LOST * len(rows):
        return f"{timed.lost} of {len(rows)} rows sit in groups or near duplicates that straddle a cut"
    reasons = [*(f"{problem.field}: {problem.got}" for problem in timed.short), *timed.off]
    return "; ".join(reasons[:3])


def _check_labels(dataset: Dataset) -> None:
    labels = dataset.counts()
    if len(labels) < 2:  # noqa: PLR2004 - a choice needs two
        raise InputError(
            "these rows carry one label only",
            [Problem("data", "label", "at least two labels", f"{next(iter(labels), 'none')!r}")],
            todo="A router needs at least two labels to choose between.",
        )


def _check_timestamps(rows: Sequence[Example]) -> None:
    problems = [
        Problem("data", f"timestamp of row {row.id}", "ISO 8601, like 2026-04-21T14:03:22Z", "none")
        for row in rows
        if row.timestamp is None
    ]
    if problems:
        raise InputError(
            f"a cut in time needs a timestamp in every row; {len(problems)} of {len(rows)} have none",
            problems,
            todo="Add timestamps, or split with --by stratified.",
        )
