"""Levers that change the world partway, and their short notation for a command line. Knows no message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from interlock.core.errors import InputError, did_you_mean
from interlock.data.traffic.intents import INTENTS
from interlock.data.traffic.seasons import DAYS, START

KINDS = ("share", "slang", "new_intent", "burst", "attack", "broken")
EXAMPLE = "share:promotion=0.2@0.5,slang@0.6,new_intent@0.7,burst:order_tracking*4@0.8,attack:0.05@0.5,broken:0.1@0.9"
DEFAULT_AMOUNT = {"slang": 0.5, "new_intent": 0.08, "attack": 0.05, "broken": 0.1}  # shares of messages
BURST_DAYS = 7.0
_LEVER = re.compile(r"(?P<kind>\w+)(?::(?P<what>[^@]*))?@(?P<start>[^@]+?)(?:\.\.(?P<end>[^@]+))?")


@dataclass(frozen=True, slots=True)
class Lever:
    """One change: how much, of what, and from when to when (days since the world's first day)."""

    amount: float
    start: float
    end: float = float(DAYS)
    intent: str = ""

    def on(self, day: float) -> bool:
        """Return whether the lever is pulled on this day."""
        return self.start <= day < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """Everything that changes in a world; no lever is pulled unless given.

    Attributes:
        share: an intent's share of messages becomes ``amount``; the others shrink in proportion.
        burst: an intent's share is multiplied by ``amount``.
        slang: ``amount`` of messages use words the world did not know before.
        new_intent: ``amount`` of messages are digital reader problems, which none of the ten labels covers.
        attack: ``amount`` of messages are prompt injections or spam.
        broken: ``amount`` of messages arrive truncated, nearly empty or in a mangled encoding.
    """

    share: tuple[Lever, ...] = ()
    burst: tuple[Lever, ...] = ()
    slang: tuple[Lever, ...] = ()
    new_intent: tuple[Lever, ...] = ()
    attack: tuple[Lever, ...] = ()
    broken: tuple[Lever, ...] = ()

    def amount(self, kind: str, day: float) -> float:
        """Return the share of messages that ``kind`` touches on this day."""
        levers: tuple[Lever, ...] = getattr(self, kind)
        return sum(lever.amount for lever in levers if lever.on(day))

    def shares(self, shares: dict[str, float], day: float) -> dict[str, float]:
        """Return the intents' shares on this day."""
        for lever in (*self.share, *self.burst):
            if lever.on(day):
                wanted = lever.amount if lever in self.share else min(0.9, shares[lever.intent] * lever.amount)
                rest = (1.0 - wanted) / (1.0 - shares[lever.intent])
                shares = {name: wanted if name == lever.intent else share * rest for name, share in shares.items()}
        return shares


def parse_drift(text: str) -> Drift:
    """Parse the notation of ``--drift``: levers separated by commas, each ``kind[:what]@from[..to]``.

    ``from`` and ``to`` are a fraction of the world's time (0 to 1) or a date (``2025-11-20``).

    Raises:
        InputError: for an unknown lever or intent, a missing or wrong number, or a time outside the world.
    """
    levers: dict[str, tuple[Lever, ...]] = {}
    for part in text.split(","):
        kind, lever = _lever(part.strip())
        levers[kind] = (*levers.get(kind, ()), lever)
    return Drift(**levers)


def _lever(part: str) -> tuple[str, Lever]:
    found = _LEVER.fullmatch(part)
    if not found:
        _refuse(part, "a lever like 'slang@0.6'" + _near(part))
    kind, what = found["kind"], found["what"] or ""
    if kind not in KINDS:
        _refuse(part, f"one of {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
    start = _day(found["start"], part)
    end = (
        _day(found["end"], part)
        if found["end"]
        else min(float(DAYS), start + BURST_DAYS)
        if kind == "burst"
        else float(DAYS)
    )
    if not start < end:
        _refuse(part, "an end after the start")
    if kind in {"share", "burst"}:
        mark = "=" if kind == "share" else "*"
        intent, found_mark, amount = what.partition(mark)
        if not found_mark:
            _refuse(part, f"'{kind}:INTENT{mark}NUMBER@FROM'")
        if intent not in INTENTS:
            _refuse(part, f"an intent{did_you_mean(intent, INTENTS)}")
        return kind, Lever(_number(amount, part, most=0.95 if kind == "share" else 100.0), start, end, intent)
    return kind, Lever(_number(what, part, most=1.0) if what else DEFAULT_AMOUNT[kind], start, end)


def _number(text: str, part: str, *, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0.0 < number <= most:  # also refuses NaN
        _refuse(part, f"a number above 0 and up to {most:g}, not {text!r}")
    return number


def _day(text: str, part: str) -> float:
    try:
        share = float(text)
    except ValueError:
        return _date(text, part)
    if not 0.0 <= share <= 1.0:
        _refuse(part, f"a time between 0 and 1 or a date, not {text!r}")
    return share * DAYS


def _date(text: str, part: str) -> float:
    try:
        day = (datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) - START).days
    except ValueError:
        _refuse(part, f"a time between 0 and 1 or a date like 2025-11-20, not {text!r}")
    if not 0 <= day <= DAYS:
        _refuse(part, f"a date in the world's nine months from {START:%Y-%m-%d}")
    return float(day)


def _near(part: str) -> str:
    kind = re.split(r"[:@]", part)[0]
    return did_you_mean(kind, KINDS) if kind not in KINDS else ""


def _refuse(part: str, expected: str) -> NoReturn:
    raise InputError(f"drift {part!r}: expected {expected}", todo=f"For example: {EXAMPLE}")
