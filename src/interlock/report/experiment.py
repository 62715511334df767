"""An experiment's table: every arm against the first, a reading each, and what to do. Knows no training, no terminal.

Everything is chosen by the calibration rows. The test rows are looked at once, for the baseline and for what the
calibration rows recommend.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.contest import Contest, contests
from interlock.report.arms import Arm, By, Rows
from interlock.report.view import finite

POINTS = 100  # of accuracy in 1


@dataclass(frozen=True)
class Line:
    """One arm, measured and compared."""

    arm: Arm
    measurements: Mapping[str, Measurement]  # of the first seed's model; empty where training failed
    contest: Contest | None  # with the baseline; None for the baseline itself and where training failed
    reading: str

    def to_json(self) -> dict[str, Any]:
        """Return the line."""
        out: dict[str, Any] = {
            "name": self.arm.name,
            "settings": dict(self.arm.settings),
            "seeds": len(self.arm.outcomes),
            "measurements": {name: found.to_json() for name, found in self.measurements.items()},
            "train_minutes": finite(self.arm.minutes),
            "cached": all(model.cached for model in self.arm.models),
            "reading": self.reading,
        }
        if self.arm.failed is not None:
            out["failed"] = self.arm.failed
        if self.contest is not None:
            out |= contest_json(self.contest)
        return out


@dataclass(frozen=True)
class Table:
    """What an experiment found."""

    kind: str
    by: By
    rows: int  # calibration rows judged
    lines: tuple[Line, ...]  # the baseline first
    recommended: str | None  # an arm's name; None where none will do
    why: str
    test: Mapping[str, Mapping[str, Measurement]] = field(default_factory=dict)  # arm -> figures on the test rows
    test_contest: Contest | None = None  # of the recommended arm with the baseline
    notes: tuple[str, ...] = ()

    @property
    def baseline(self) -> Line:
        """The arm the others are compared with."""
        return self.lines[0]

    def to_json(self) -> dict[str, Any]:
        """Return everything."""
        chosen, base = self.recommended, self.baseline.arm.name
        return {
            "experiment": self.kind,
            "judged_on": "calibration",
            "judged_by": self.by,
            "n": self.rows,
            "baseline": base,
            "rows": [line.to_json() for line in self.lines],
            "recommendation": {"choose": chosen, "change": chosen not in {None, base}, "why": self.why},
            "test": {
                "measurements": {
                    name: {key: one.to_json() for key, one in found.items()} for name, found in self.test.items()
                },
                **(contest_json(self.test_contest) if self.test_contest else {}),
            },
            "notes": list(self.notes),
        }


def compare_arms(arms: Sequence[Arm], judging: Rows, test: Rows, *, kind: str, by: By = "accuracy") -> Table:
    """Measure every arm on the ``judging`` rows and compare it with the first one.

    Args:
        arms: the baseline first; it was trained, others may have failed.
        judging: the calibration rows.
        test: the test rows, measured for the baseline and the recommended arm only.
        kind: the experiment's name.
        by: what counts as better.
    """
    base = arms[0]
    trained = [arm for arm in arms[1:] if arm.failed is None]
    found = contests(judging.correct(base, by), [judging.correct(arm, by) for arm in trained])
    held = dict(zip((arm.name for arm in trained), found, strict=True))
    lines = tuple(_line(arm, judging, held.get(arm.name), by) for arm in arms)
    choice, why = _recommended(lines, by)
    return Table(kind, by, judging.gold.size, lines, choice.name, why, *on_test(base, choice, test, by), notes_of(arms))


def on_test(base: Arm, choice: Arm, test: Rows, by: By) -> tuple[dict[str, dict[str, Measurement]], Contest | None]:
    """Return the test rows' figures of the baseline and the recommended arm, and how they compare there."""
    looked_at = {arm.name: test.measure(arm.models[0]) for arm in (base, choice)}
    if base.name == choice.name:
        return looked_at, None
    return looked_at, contests(test.correct(base, by), [test.correct(choice, by)])[0]


def notes_of(arms: Sequence[Arm]) -> tuple[str, ...]:
    """Return what a reader should know of how the arms were trained."""
    seeds = max(len(arm.outcomes) for arm in arms)
    if seeds > 1:
        said = f"differences are means over {seeds} seeds and allow for another seed's effect"
        return (f"{said}; the other figures are the first seed's",)
    return ("one seed each: differences are between these models; --seeds 42,123,2024 says what the settings do",)


def reading(contest: Contest, by: By) -> str:
    """Return one sentence that says no more than the rows show."""
    gap = contest.difference
    if not gap.known:
        return f"{_said(by)} cannot be compared on {gap.n} rows"
    low, value, high = (POINTS * x for x in (gap.low, gap.value, gap.high))
    head = f"{_said(by)} {value:+.1f} points ({low:+.1f} to {high:+.1f}, adjusted p {contest.p_adjusted:.2g})"
    if contest.shown != "no difference shown":
        return f"{head}: {contest.shown}"
    needed = contest.rows_needed
    if gap.low > 0 or gap.high < 0:
        return f"{head}: no difference shown once all rows of this table are allowed for"
    if needed is None:
        seeds = " without more seeds" if gap.method == "student_seeds" else ""
        return f"{head}: no difference shown, and no number of rows would show one so small{seeds}"
    rows = "rows of the rarest labels" if by == "rare_recall" else "rows"
    return f"{head}: no difference shown; about {needed:,} more {rows} would show one of this size"


def contest_json(contest: Contest) -> dict[str, Any]:
    """Return a comparison as JSON holds it."""
    return {
        "difference": contest.difference.to_json(),
        "p": contest.p,
        "p_adjusted": contest.p_adjusted,
        "shown": contest.shown,
        "rows_needed": contest.rows_needed,
    }


def _line(arm: Arm, judging: Rows, contest: Contest | None, by: By) -> Line:
    if arm.failed is not None:
        return Line(arm, {}, None, f"not trained: {arm.failed}")
    said = "the baseline" if contest is None else reading(contest, by)
    return Line(arm, judging.measure(arm.models[0]), contest, said)


def _recommended(lines: Sequence[Line], by: By) -> tuple[Arm, str]:
    base = lines[0]
    better = [line for line in lines if line.contest is not None and line.contest.shown == "better"]
    if better:
        best = max(better, key=_gain)
        rare = [line.measurements.get("rare_recall", unmeasured("rare_recall")).value for line in (base, best)]
        rarest = f"; recall of the rarest labels {rare[0]:.3f} before, {rare[1]:.3f} now"
        known = all(map(math.isfinite, rare))
        once = (
            ""
            if len(best.arm.outcomes) > 1
            else "; of one model each, so repeat with --seeds before trusting the setting"
        )
        return best.arm, f"change to {best.arm.name}: {best.reading}{rarest if known else ''}{once}"
    others = sum(line.contest is not None for line in lines)
    worse = sum(line.contest is not None and line.contest.shown == "worse" for line in lines)
    said = f"none of the other {others} is shown to be better by {_said(by)}"
    return base.arm, f"keep {base.arm.name}: {said}" + (f", {worse} worse" if worse else "")


def _gain(line: Line) -> float:
    return line.contest.difference.value if line.contest is not None else -math.inf


def _said(by: By) -> str:
    return by.replace("_", " ")
