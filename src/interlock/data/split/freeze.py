"""Parts to frozen sets and the manifest that proves what they are. Knows no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlock.core.dataset import CalibrationSet, Example, Part, Split, SplitManifest, TestSet, TrainSet
from interlock.core.errors import InputError, Problem
from interlock.data.split.crossings import Parts, apart, crossings, have_time
from interlock.data.split.units import Kin, Likeness

GIVEN = "given"


def freeze(
    parts: Parts,
    *,
    kin: Kin,
    likeness: Likeness,
    rule: str,
    seed: int,
    shares: Mapping[Part, float],
    removed: Sequence[Example],
    why: Sequence[str],
) -> Split:
    """Return the split with its proof.

    ``time`` is counted where time is the rule, and in a given split whose rows all have timestamps; else it is 0.

    Raises:
        RuntimeError: rows of our own dividing cross, which no data may bring about.
    """
    timed = have_time(parts) if rule == GIVEN else rule.endswith("time")
    counts = {kind: len(found) for kind, found in crossings(parts, kin=kin, likeness=likeness, timed=timed).items()}
    if rule != GIVEN and any(counts.values()):
        raise RuntimeError(f"this split shares rows between its parts: {counts}")
    train, calibration, test = TrainSet(parts["train"]), CalibrationSet(parts["calibration"]), TestSet(parts["test"])
    manifest = SplitManifest(
        rule=rule,
        seed=seed,
        shares={str(part): share for part, share in shares.items()},
        parts={part: tuple(sorted(row.id for row in rows)) for part, rows in parts.items()},
        fingerprints={"train": train.fingerprint, "calibration": calibration.fingerprint, "test": test.fingerprint},
        crossings=counts,
        removed=tuple(row.id for row in removed),
        near=likeness.name,
        apart=apart(parts, kin=kin),
        why=tuple(why),
    )
    return Split(train, calibration, test, manifest)


def check_ids(parts: Parts) -> None:
    """Raise InputError when one id is given to two rows."""
    seen: dict[str, Part] = {}
    problems = []
    for part, rows in parts.items():
        for row in rows:
            if row.id in seen:
                used = "no other row uses" if seen[row.id] == part else f"{seen[row.id]} does not use"
                problems.append(Problem(f"{part} rows", "id", f"an id that {used}", repr(row.id)))
            seen[row.id] = part
    if problems:
        raise InputError("rows share ids", problems, todo="Give every row its own id.")
