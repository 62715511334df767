"""One worked number of a source document: what was claimed, what comes out, and whether the one follows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
EXACT = 1e-6  # of the last printed digit: what float arithmetic may add
ROUNDED = "differs only in the last printed digit: the document went on with rounded intermediate values"


class Verdict(StrEnum):
    """Whether the claimed value follows."""

    AGREES = "agrees"
    ROUNDING = "rounding"
    NO = "does not follow"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and what became of it. Its name is ``what``, unique within its source."""

    source: str
    section: str
    what: str
    claimed: str
    recomputed: str
    verdict: Verdict
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a verdict against a claim that gives no reason."""
        if self.verdict is Verdict.NO and not self.reason:
            raise ValueError(f"{self.source} {self.section}, {self.what}: {self.recomputed} needs a reason")


@dataclass(frozen=True)
class Ledger:
    """The claims of one source document, in its order."""

    source: str
    claims: list[Claim] = field(default_factory=list)

    def number(
        self,
        section: str,
        what: str,
        printed: str,
        value: float,
        reason: str = "",
        *,
        slack: float = 1.0,
        note: str = "",
    ) -> None:
        """Judge one printed number by its own digits.

        Half a unit of the last printed digit agrees; up to ``slack`` units is rounding; more does not follow.
        ``reason`` is kept where the number does not agree, ``note`` where it does.
        """
        text, off, unit = _read(printed, value)
        verdict = Verdict.NO
        if off <= (0.5 + EXACT) * unit:
            verdict, reason = Verdict.AGREES, note
        elif off <= (slack + EXACT) * unit:
            verdict, reason = Verdict.ROUNDING, reason or ROUNDED
        self.claims.append(Claim(self.source, section, what, printed, text, verdict, reason))

    def numbers(self, section: str, rows: dict[str, tuple[str, float]], reason: str = "") -> None:
        """Judge several numbers of one section; ``reason`` is kept where one does not agree."""
        for what, (printed, value) in rows.items():
            self.number(section, what, printed, value, reason)

    def fact(
        self, section: str, what: str, claimed: str, found: str, follows: bool, reason: str = "", *, note: str = ""
    ) -> None:
        """Record a claim that is more than one number; ``follows`` is computed by the caller."""
        verdict = Verdict.AGREES if follows else Verdict.NO
        self.claims.append(Claim(self.source, section, what, claimed, found, verdict, note if follows else reason))


def _read(printed: str, value: float) -> tuple[str, float, float]:
    """Return ``value`` in the printed form with one digit more, its distance, and the last printed digit's unit."""
    found = NUMBER.search(printed)
    if found is None or not math.isfinite(value):
        raise ValueError(f"expected a number to compare with, got {printed!r} and {value}")
    text = found.group().replace(",", "")
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - decimals)
    if exponent:
        shown = f"{value:.{decimals + 1}e}"
    elif not decimals and abs(value - round(value)) < EXACT:
        shown = f"{round(value):,}"
    else:
        shown = f"{value:,.{decimals + 1}f}"
    return printed[: found.start()] + shown + printed[found.end() :], abs(value - float(text)), unit
