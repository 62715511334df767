"""Changed messages by suite, and as a file to keep beside golden examples. Knows no model."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from interlock.core.canonical import read_json
from interlock.core.dataset import Example
from interlock.core.errors import InputError, Problem
from interlock.data.perturb import changes
from interlock.data.perturb.changes import Change
from interlock.data.write import write_whole

Test = Literal["invariance", "direction"]
SUITES: dict[str, Test] = {  # invariance: the label stays; direction: the router must not become surer
    "entity": "invariance",
    "synonym": "invariance",
    "code_switch": "invariance",
    "typo": "invariance",
    "case": "invariance",
    "politeness": "invariance",
    "hollow": "direction",
}
FIELDS = ("suite", "test", "of", "label", "text", "changed")


@dataclass(frozen=True, slots=True)
class Case:
    """One changed message."""

    suite: str
    test: Test
    of: str  # id of the row it was made of
    label: str  # of both texts
    text: str
    changed: str

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return asdict(self)


def make_cases(rows: Iterable[Example], *, seed: int) -> Iterator[Case]:
    """Yield a case of every suite for each row it can change; the same rows and seed give the same cases."""
    rows = tuple(rows)
    ways: dict[str, Change] = {
        "entity": changes.entity(row.text for row in rows),
        "synonym": changes.synonym,
        "code_switch": changes.code_switch,
        "typo": changes.typo,
        "case": changes.case,
        "politeness": changes.politeness,
        "hollow": changes.hollow,
    }
    for suite, test in SUITES.items():
        for row in rows:
            changed = ways[suite](row.text, random.Random(f"{seed}\0{suite}\0{row.id}"))
            if changed is not None and changed != row.text:
                yield Case(suite, test, row.id, row.label, row.text, changed)


def write_cases(cases: Iterable[Case], path: Path) -> None:
    """Write cases as JSON lines; they hold the messages' texts."""
    write_whole(path, (json.dumps(case.to_json(), ensure_ascii=False) + "\n" for case in cases))


def read_cases(path: Path, *, labels: Iterable[str]) -> list[Case]:
    """Read what ``write_cases`` wrote.

    Raises:
        InputError: naming every line that is no case, or whose label ``labels`` does not hold.
    """
    known = set(labels)
    cases: list[Case] = []
    problems: list[Problem] = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    for number, line in enumerate(lines, start=1):
        where = f"{path}:{number}"
        try:
            body = read_json(line, where=where)
        except InputError as error:
            problems += error.problems
            continue
        problem = _problem(body, known, where)
        if problem is not None:
            problems.append(problem)
        else:
            cases.append(Case(**body))
    if problems or not cases:
        raise InputError(
            f"{path} is no suite of changed messages", problems or [Problem(str(path), "", "cases", "none")]
        )
    return cases


def _problem(body: Any, labels: set[str], where: str) -> Problem | None:
    if not isinstance(body, dict) or set(body) != set(FIELDS) or not all(isinstance(v, str) for v in body.values()):
        return Problem(where, "", f"texts under {', '.join(FIELDS)}", str(body)[:80])
    if body["test"] not in {"invariance", "direction"}:
        return Problem(where, "test", "invariance or direction", repr(body["test"]))
    if body["label"] not in labels:
        return Problem(where, "label", "a label of the bundle's contract", repr(body["label"]))
    return None
