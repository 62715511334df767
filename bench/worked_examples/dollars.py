"""Section 22.3 of the numerical examples, and the intervals its dollars really have."""

from __future__ import annotations

import math

import numpy as np
from bench.worked_examples.claim import Ledger
from bench.worked_examples.uncertainty import RIGHT, N, Z

from interlock.measure.money import lower_first, saved_per_month, usd_per_month

MESSAGES, MISROUTE = 3_000_000, 0.013


def record(ledger: Ledger) -> None:
    """Record this section's claims."""
    _dollars(ledger)
    _intervals(ledger)


def _dollars(ledger: Ledger) -> None:
    ledger.number(
        "22.3",
        "monthly savings, bootstrapped",
        "$19,330",
        3471,
        "Section 13 and the introduction of section 22 put the saving at $3,471 a month; nothing in the document leads "
        "to a figure 5.6 times as large (harm share, messages and dollars of one harm are not stated).",
    )
    ledger.numbers(
        "22.3",
        {
            "low end from its own half-width": ("$15,640", 19_330 - 3690),
            "high end from its own half-width": ("$23,020", 19_330 + 3690),
            "lower bound, in words": ("$15.6K", 15.64),
        },
    )
    implied = 1 / (1 + N * (3690 / Z / 19_330) ** 2)
    ledger.fact(
        "22.3",
        "relative width of the dollar interval on 5,500 rows",
        "+-19%",
        f"+-{Z * math.sqrt(0.921 / (0.079 * N)):.0%} at 7.9 % errors",
        abs(implied - 0.079) < 0.02,
        f"A share of rows that is known to 19 % on 5,500 rows is {implied:.1%} of them, not the 7.9 % that are errors.",
    )


def _intervals(ledger: Ledger) -> None:
    order = np.random.default_rng(3).permutation(N)
    wrong, before = np.arange(N) >= RIGHT, np.arange(N) >= round(0.832 * N)
    found = [
        saved_per_month(wrong, champion, misroute_usd=MISROUTE, monthly_messages=MESSAGES)
        for champion in (before, before[order])
    ]
    ledger.fact(
        "13",
        "$3,471 a month is worth reporting by its lower bound",
        "lower bound first",
        lower_first(found[0]),
        found[0].low < 3471,
        note=f"if every remaining error was one before; from ${found[1].low:,.0f} if the two models err independently",
    )
    monthly = usd_per_month(wrong, misroute_usd=MISROUTE, monthly_messages=MESSAGES)
    share = usd_per_month(wrong, misroute_usd=1.0, monthly_messages=1.0)
    scaled = share.low * MISROUTE * MESSAGES
    ledger.fact(
        "22",
        "multiplying an interval by the other factors gives a wrong one",
        "wrong intervals",
        f"${scaled:,.0f} by multiplying, ${monthly.low:,.0f} by recomputing",
        abs(scaled - monthly.low) > 1,
        "Volume and dollars are constants here, and an interval times a constant is the interval. Recomputing matters "
        "once a second factor is itself measured, or the figure is a ratio.",
    )
