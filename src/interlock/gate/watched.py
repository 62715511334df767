"""What a step log and an audit say, as measurements that rules can limit. Knows no rules and no files.

These judge training and data, not a router: they rest on what was printed, not on rows that could be looked at again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from interlock.core.contract import Contract
from interlock.core.errors import InputError, Problem
from interlock.core.measurement import Measurement
from interlock.core.verdict import Judgement
from interlock.gate.judge import rules_of
from interlock.gate.rules import Evidence, judge_rules

GAINS = {"val_accuracy_gain": "val_acc", "val_rare_recall_gain": "val_rare_recall"}


def judge_watched(measured: Mapping[str, Measurement], contract: Contract, *, gate: str | None) -> Judgement:
    """Return the verdict of a gate on what was watched; what was not is inconclusive.

    Raises:
        InputError: the contract has no such gate.
    """
    verdicts = judge_rules(rules_of(contract, gate), Evidence(0.95, lambda _level: measured))
    return Judgement(tuple(verdicts), (), dict(measured))


def of_steps(lines: Sequence[Mapping[str, Any]]) -> dict[str, Measurement]:
    """Return what the last epoch of a step log brought over the one before; nothing before there are two."""
    epochs = [line for line in lines if line.get("event") == "epoch"]
    found = {}
    for name, key in GAINS.items():
        values = [_number(line.get(key), key) for line in epochs[-2:] if key in line]
        if len(values) == len(epochs[-2:]) == 2:  # noqa: PLR2004 - a gain is of one over another
            found[name] = _exact(name, values[1] - values[0], len(epochs))
    if epochs and "clipped_share" in epochs[-1]:
        found["clipped_share"] = _exact("clipped_share", _number(epochs[-1]["clipped_share"], "clipped_share"), 1)
    return found


def of_audit(body: Mapping[str, Any]) -> dict[str, Measurement]:
    """Return what an audit counted: rows of each label, bad synthetic rows, truncated messages."""
    try:
        rows = int(body["rows"])
        numbers = {str(one["code"]): dict(one.get("numbers", {})) for one in body["findings"]}
        notes = " ".join(map(str, body.get("notes", ())))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        problem = Problem("audit", "", "rows and findings, as interlock audit --json prints them", str(error)[:100])
        raise InputError("this is no audit", [problem]) from error
    found = {
        f"train_rows.{label}": _exact(f"train_rows.{label}", _number(count, label), max(1, rows))
        for label, count in numbers.get("label.share", {}).items()
    }
    bad = numbers.get("synthetic.quality", {}).get("bad_rate")
    if bad is None and "synthetic.quality" not in numbers and "synthetic" not in notes:
        bad = 0.0  # looked for, and there are no synthetic rows
    for name, value in (
        ("synthetic_bad_share", bad),
        ("truncated_share", numbers.get("text.truncated", {}).get("share")),
    ):
        if value is not None:
            found[name] = _exact(name, _number(value, name), rows)
    return found


def _exact(name: str, value: float, n: int) -> Measurement:
    return Measurement(name, value, n, value, value, method="counted")


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > sys.float_info.max:
        raise InputError(f"{name} is no number", [Problem("log", name, "a number", repr(value)[:80])])
    return float(value)
