"""Every error Interlock raises on purpose, named for what the caller should do about it.

    InterlockError
    ├── InputError            their data, contract or command line is wrong: mend it and run again (exit code 2)
    │   └── MissingExtraError     an optional part is not installed: run the printed command (exit code 2)
    ├── RefusedError          evidence or bytes did not verify: do not use them (exit code 1)
    └── UnavailableError      something needed did not answer: try again later (exit code 1)
        └── OverloadedError       too much is waiting: try again later, and more slowly (exit code 1)

A programming mistake inside Interlock stays a plain ``TypeError``, ``ValueError`` or ``AssertionError``; callers
catch only this hierarchy.
"""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LISTED_PROBLEMS = 50  # an error names at most this many problems, and says how many more there are


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, what was expected there and what was found."""

    where: str  # "rows.jsonl:12", "contract.yaml:7", "bundle/manifest.json"
    field: str  # "label", "decide.auto.confidence"; empty when the whole place is wrong
    expected: str
    got: str

    def __str__(self) -> str:
        """One line: ``where: field: expected ..., got ...``."""
        place = f"{self.where}: {self.field}" if self.field else self.where
        return f"{place}: expected {self.expected}, got {self.got}"


class InterlockError(Exception):
    """Base of everything Interlock raises on purpose."""

    exit_code = 2


class InputError(InterlockError):
    """What the caller gave is wrong. Carries every problem found, not only the first."""

    exit_code = 2

    def __init__(self, summary: str, problems: Iterable[Problem] = (), *, todo: str = "") -> None:
        """Collect ``problems`` under one ``summary``; ``todo`` is the sentence that says what to do."""
        self.summary = summary
        self.problems = tuple(problems)
        self.todo = todo
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [self.summary]
        lines += [f"  {problem}" for problem in self.problems[:LISTED_PROBLEMS]]
        if len(self.problems) > LISTED_PROBLEMS:
            lines.append(f"  ... and {len(self.problems) - LISTED_PROBLEMS} more problems")
        if self.todo:
            lines.append(self.todo)
        return "\n".join(lines)


class MissingExtraError(InputError):
    """An optional dependency is needed and not installed."""

    def __init__(self, what: str, extra: str, *, missing: str = "") -> None:
        """Say that ``what`` needs the extra ``extra``, and how to install it."""
        got = f" ({missing} is not installed)" if missing else ""
        super().__init__(f"{what} needs the extra '{extra}'{got}", todo=f"Run: pip install 'interlock[{extra}]'")
        self.extra = extra


def require(what: str, *, extra: str, modules: Sequence[str]) -> None:
    """Raise ``MissingExtraError`` for the first of ``modules`` that is not installed; nothing is imported."""
    for name in modules:
        if (name in sys.modules and sys.modules[name] is None) or importlib.util.find_spec(name) is None:
            raise MissingExtraError(what, extra, missing=name)


class RefusedError(InterlockError):
    """Something did not verify: a bundle, a receipt, a signature. Nothing of it was used."""

    exit_code = 1

    def __init__(self, summary: str, problems: Iterable[Problem] = ()) -> None:
        """Refuse with one ``summary`` and every problem found."""
        self.summary = summary
        self.problems = tuple(problems)
        lines = [summary, *(f"  {problem}" for problem in self.problems[:LISTED_PROBLEMS])]
        super().__init__("\n".join(lines))


class UnavailableError(InterlockError):
    """Something needed did not answer. What was asked for is not promised; asking again is safe."""

    exit_code = 1


class OverloadedError(UnavailableError):
    """Too much is waiting already; refused at once instead of waiting too."""


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the nearest of ``known``, or the list of them when none is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f" (did you mean '{near[0]}'?)"
    shown = ", ".join(list(known)[:12])
    return f" (known: {shown}{', ...' if len(known) > 12 else ''})"  # noqa: PLR2004 - a readable length
