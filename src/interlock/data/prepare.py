"""Data files to the three sets, by our split or by the official one. Knows no training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interlock.core.contract import Contract
from interlock.core.dataset import Part, Split
from interlock.core.errors import InputError, Problem
from interlock.core.progress import Watch, unwatched
from interlock.data.read import read
from interlock.data.split.divide import SHARES, By, split
from interlock.data.split.given import given


def file_bytes(path: str | Path) -> bytes:
    """Return the bytes of one file the user named.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def prepare(
    data: str | Path,
    *,
    calibration: str | Path | None,
    test: str | Path | None,
    contract: Contract,
    seed: int,
    shares: Mapping[Part, float] = SHARES,
    by: By = "auto",
    watch: Watch = unwatched,
) -> Split:
    """Return the split: ours, or the official one with what would leak taken out of training.

    Args:
        data: all labelled rows, or the training rows of an official split.
        calibration: its calibration rows; without them a tenth of ``data`` is taken.
        test: its test rows.
        contract: whose labels every row must carry.
        seed: of whatever is split here.
        shares: part -> share of the rows, when the split is ours.
        by: the rule of ours: time, stratified, or whichever suits the rows.
        watch: told of what takes long.

    Raises:
        InputError: unreadable rows, a label without rows, or calibration rows given without test rows.
    """
    turns = contract.input.turns
    rows = read(data, labels=contract.label_names, turns=turns)
    counts = rows.counts()
    if missing := [label for label in contract.label_names if not counts[label]]:
        raise InputError(
            f"the contract and {data} disagree",
            [Problem(str(data), f"label {label}", "at least one row", "none") for label in missing],
            todo="Label rows for these, or take the labels out of the contract.",
        )
    if test is None:
        if calibration is not None:
            raise InputError(
                "--calibration needs --test too", todo="Give both files of the official split, or neither."
            )
        return split(rows, critical=contract.critical, shares=shares, by=by, seed=seed, watch=watch)
    if by != "auto" or shares != SHARES:
        raise InputError(
            "files of an official split stay as they are: no rule and no shares apply",
            todo="Leave --by and --shares out, or give all rows in one file.",
        )
    tests = read(test, labels=contract.label_names, turns=turns)
    held = None if calibration is None else read(calibration, labels=contract.label_names, turns=turns)
    return given(rows, held, tests, critical=contract.critical, seed=seed, watch=watch)
