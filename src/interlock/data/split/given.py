"""A split that came as files: frozen as it is, without what would leak. Knows no dividing of its own but one cut."""

from __future__ import annotations

from collections.abc import Iterable

from interlock.core.dataset import Dataset, Example, Split
from interlock.core.progress import Watch, unwatched
from interlock.data.split.divide import divide
from interlock.data.split.freeze import GIVEN, check_ids, freeze
from interlock.data.split.units import NEAR, Kin
from interlock.predict.normalise import same_text_key

CUT = 0.1  # of the training rows, to calibrate on when the files hold no rows for it


def given(
    train: Dataset,
    calibration: Dataset | None,
    test: Dataset,
    *,
    critical: Iterable[str] = (),
    seed: int = 0,
    watch: Watch = unwatched,
) -> Split:
    """Freeze a split that came as files.

    The test rows stay as they are. A training row whose text stands in calibration or test rows (or a calibration row
    whose text stands in the test rows) would leak, so it is taken out; the manifest names it. Near duplicates, groups
    and times stay as the files have them, and the manifest counts what crosses.

    Args:
        train: training rows.
        calibration: calibration rows; without them a tenth of the training rows is taken, clusters of near duplicates
            and groups whole.
        test: test rows.
        critical: labels that calibration rows taken from the training rows must hold.
        seed: decides which rows are taken.
        watch: told when near duplicates are looked for among many rows.

    Raises:
        InputError: ids that repeat, or training rows that allow no cut.
    """
    held = () if calibration is None else calibration.examples
    check_ids({"train": train.examples, "calibration": held, "test": test.examples})
    kin = Kin.of([*train, *held, *test], watch=watch)
    tests = _keys(test)
    kept, out = _without(train, tests | _keys(held))
    why: tuple[str, ...] = ()
    if calibration is None:
        rows = sorted(kept, key=lambda row: row.id)
        plan = divide(
            rows, kin, shares={"train": 1 - CUT, "calibration": CUT}, critical=critical, by="stratified", seed=seed
        )
        taken = {row.id for row in plan.rows(rows, "calibration")}
        held = tuple(row for row in kept if row.id in taken)
        kept = tuple(row for row in kept if row.id not in taken)
        why = (f"calibration rows were taken from the training rows ({plan.likeness.name} kept whole)", *plan.why)
    else:
        held, more = _without(held, tests)
        out = (*out, *more)
    return freeze(
        {"train": kept, "calibration": held, "test": test.examples},
        kin=kin,
        likeness=NEAR,
        rule=GIVEN,
        seed=seed if calibration is None else 0,
        shares={},
        removed=out,
        why=why,
    )


def _keys(rows: Iterable[Example]) -> set[str]:
    return {same_text_key(row.text) for row in rows}


def _without(rows: Iterable[Example], texts: set[str]) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    kept: list[Example] = []
    out: list[Example] = []
    for row in rows:
        (out if same_text_key(row.text) in texts else kept).append(row)
    return tuple(kept), tuple(out)
