"""One dataset to train, calibration and test rows that share nothing; same seed, same bytes. Knows no model."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from interlock.core.dataset import (
    PARTS,
    CalibrationSet,
    Dataset,
    Example,
    Part,
    Split,
    SplitManifest,
    TestSet,
    TrainSet,
)
from interlock.core.errors import InputError, Problem
from interlock.predict.normalise import same_text_key

SHARES: Mapping[Part, float] = {"train": 0.8, "calibration": 0.1, "test": 0.1}


def split(
    dataset: Dataset, *, critical: Iterable[str] = (), shares: Mapping[Part, float] = SHARES, seed: int = 42
) -> Split:
    """Split rows by label shares, keeping every group and every repeated text whole.

    Args:
        dataset: all labelled rows.
        critical: labels that must be present in every part.
        shares: part -> share of the rows, summing to 1.
        seed: decides which rows go where; the order of the file does not.

    Raises:
        InputError: a label has too few rows to be in every part.
    """
    _check_counts(dataset, shares)
    units = _units(dataset)
    placed = _assign(units, shares, seed)
    parts = {part: tuple(row for row in dataset if placed[row.id] == part) for part in PARTS}
    _check_present(parts, dataset, set(critical))
    rule = "grouped" if any(row.group is not None for row in dataset) else "stratified"
    return _frozen(parts, rule=rule, seed=seed, shares={str(part): share for part, share in shares.items()})


def given(train: Dataset, calibration: Dataset, test: Dataset) -> Split:
    """Freeze a split that came as files.

    The test and calibration rows stay as they are. A training row whose text stands in either of them (or a calibration
    row whose text stands in the test rows) would leak, so it is taken out; the manifest names it.
    """
    tests = {same_text_key(row.text) for row in test}
    kept_calibration, out = _without(calibration, tests)
    kept_train, more = _without(train, tests | {same_text_key(row.text) for row in calibration})
    parts: dict[Part, tuple[Example, ...]] = {
        "train": kept_train,
        "calibration": kept_calibration,
        "test": test.examples,
    }
    _check_ids(parts)
    return _frozen(parts, rule="given", seed=0, shares={}, removed=(*more, *out))


def cut_calibration(train: Dataset, *, seed: int, share: float = 0.1) -> tuple[Dataset, Dataset]:
    """Take a calibration share out of training rows, for data whose official files have only train and test."""
    units = _units(train)
    placed = _assign(units, {"train": 1 - share, "calibration": share}, seed)
    inside = tuple(row for row in train if placed[row.id] == "train")
    return Dataset(inside), Dataset(tuple(row for row in train if placed[row.id] == "calibration"))


@dataclass(frozen=True, slots=True)
class _Unit:
    """Rows that must stay together."""

    first: str  # smallest id, for an order that does not depend on the file's
    ids: tuple[str, ...]
    labels: Counter[str]


def _units(dataset: Dataset) -> list[_Unit]:
    parent = {row.id: row.id for row in dataset}

    def root(id_: str) -> str:
        while parent[id_] != id_:
            parent[id_] = parent[parent[id_]]
            id_ = parent[id_]
        return id_

    first_with: dict[tuple[str, str], str] = {}
    for row in dataset:
        ties = [("text", same_text_key(row.text))] + ([("group", row.group)] if row.group is not None else [])
        for tie in ties:
            parent[root(row.id)] = root(first_with.setdefault(tie, row.id))
    members: dict[str, list[Example]] = defaultdict(list)
    for row in dataset:
        members[root(row.id)].append(row)
    return [
        _Unit(min(row.id for row in rows), tuple(row.id for row in rows), Counter(row.label for row in rows))
        for rows in members.values()
    ]


def _assign(units: Sequence[_Unit], shares: Mapping[Part, float], seed: int) -> dict[str, Part]:
    """Place the largest units first, each where its labels are relatively scarcest (Sechidis et al. 2011, by unit)."""
    totals: Counter[str] = Counter()
    for unit in units:
        totals.update(unit.labels)
    missing = {part: {label: share * total for label, total in totals.items()} for part, share in shares.items()}
    order = sorted(units, key=lambda unit: unit.first)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda unit: -len(unit.ids))
    placed: dict[str, Part] = {}
    for unit in order:
        part = max(shares, key=lambda part: _need(unit, missing[part], shares[part], totals))
        for label, count in unit.labels.items():
            missing[part][label] -= count
        placed.update(dict.fromkeys(unit.ids, part))
    return placed


def _need(unit: _Unit, missing: Mapping[str, float], share: float, totals: Counter[str]) -> float:
    return sum(count * missing[label] / (share * totals[label]) for label, count in unit.labels.items())


def _check_counts(dataset: Dataset, shares: Mapping[Part, float]) -> None:
    counts = Counter(row.label for row in dataset)
    least = len(shares)
    if len(counts) < 2:  # noqa: PLR2004 - a choice needs two
        raise InputError(
            "these rows carry one label only",
            [Problem("data", "label", "at least two labels", f"{next(iter(counts), 'none')!r}")],
            todo="A router needs at least two labels to choose between.",
        )
    few = [
        Problem("data", f"label {label}", f"at least {least} rows, one for each of {', '.join(shares)}", f"{count}")
        for label, count in counts.items()
        if count < least
    ]
    if few:
        raise InputError("some labels have too few rows to split", few, todo="Label more rows, or take the label out.")


def _check_present(parts: Mapping[Part, tuple[Example, ...]], dataset: Dataset, critical: set[str]) -> None:
    labels = {row.label for row in dataset}
    problems = []
    for part, rows in parts.items():
        absent = labels - {row.label for row in rows}
        needed = labels if part == "train" else critical
        problems += [
            Problem("split", f"{part} rows of label {label}", "at least 1", "0 (its rows sit in too few groups)")
            for label in sorted(absent & needed)
        ]
    if problems:
        raise InputError(
            "the groups do not allow a split with every needed label in every part",
            problems,
            todo="Label rows of more groups for these labels.",
        )


def _check_ids(parts: Mapping[Part, tuple[Example, ...]]) -> None:
    seen: dict[str, Part] = {}
    problems = []
    for part, rows in parts.items():
        for row in rows:
            if row.id in seen and seen[row.id] != part:
                problems.append(Problem(f"{part} rows", "id", f"an id that {seen[row.id]} does not use", repr(row.id)))
            seen[row.id] = part
    if problems:
        raise InputError("the given files share row ids", problems)


def _without(rows: Dataset, texts: set[str]) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    kept = tuple(row for row in rows if same_text_key(row.text) not in texts)
    return kept, tuple(row for row in rows if same_text_key(row.text) in texts)


def _frozen(
    parts: Mapping[Part, tuple[Example, ...]],
    *,
    rule: str,
    seed: int,
    shares: dict[str, float],
    removed: tuple[Example, ...] = (),
) -> Split:
    train, calibration, test = (TrainSet(parts["train"]), CalibrationSet(parts["calibration"]), TestSet(parts["test"]))
    manifest = SplitManifest(
        rule=rule,
        seed=seed,
        shares=shares,
        parts={part: tuple(sorted(row.id for row in rows)) for part, rows in parts.items()},
        fingerprints={"train": train.fingerprint, "calibration": calibration.fingerprint, "test": test.fingerprint},
        crossings=crossings(train, calibration, test),
        removed=tuple(row.id for row in removed),
    )
    return Split(train, calibration, test, manifest)


def crossings(train: Dataset, calibration: Dataset, test: Dataset) -> dict[str, int]:
    """Count rows of a later part that an earlier one holds too: by exact text, normalised text and group."""
    later = [(calibration, [train]), (test, [train, calibration])]
    keys: dict[str, Callable[[Example], str | None]] = {
        "exact": lambda row: row.text,
        "normalised": lambda row: same_text_key(row.text),
        "group": lambda row: row.group,
    }
    out: dict[str, int] = {}
    for name, key in keys.items():
        out[name] = sum(_shared(rows, earlier, key) for rows, earlier in later)
    return out


def _shared(rows: Dataset, earlier: Sequence[Dataset], key: Callable[[Example], str | None]) -> int:
    known = {key(row) for part in earlier for row in part} - {None}
    return sum(key(row) in known for row in rows)
