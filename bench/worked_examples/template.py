"""The scenario template: the shared baseline, its gate, the interval block, the ablation and comparison tables."""

from __future__ import annotations

import math

from bench.worked_examples.claim import Ledger
from bench.worked_examples.training import SHARES
from bench.worked_examples.uncertainty import RARE, RIGHT, N, Z, possible

from interlock.core.measurement import Measurement
from interlock.measure.power import rows_needed, rows_to_clear
from interlock.measure.proportion import clopper_pearson, proportion

SOURCE = "Scenario Template: Research-Grade 8-File Pattern"
ABLATION = (  # gamma, accuracy, half-width, change
    (1.0, 0.913, 0.005, "-0.8pp"),
    (1.5, 0.918, 0.004, "-0.3pp"),
    (2.0, 0.921, 0.004, "0"),
    (2.5, 0.920, 0.005, "-0.1pp"),
    (3.0, 0.916, 0.005, "-0.5pp"),
)


def record(ledger: Ledger) -> None:
    """Record this document's claims."""
    _baseline(ledger)
    _gate(ledger)
    _intervals(ledger)
    _injections(ledger)
    _ablation(ledger)
    _methods(ledger)


def _baseline(ledger: Ledger) -> None:
    ledger.numbers(
        "1",
        {
            "class shares together": ("100%", sum(SHARES.values())),
            "total, in thousands": ("55K", 50 + 5),
            "training rows, in thousands": ("44K", 55 * 0.8),
            "validation rows, in thousands": ("5.5K", 55 * 0.1),
            "slots of the pattern": ("10", len(range(10))),
        },
    )
    ledger.fact(
        "1",
        "88.6% on escalation, 3% of the test rows",
        "88.6%",
        f"146/{RARE} = {146 / RARE:.1%}, 147/{RARE} = {147 / RARE:.1%}",
        possible("0.886", RARE),
        "3 % of 5,500 test rows are 165, and no whole number of them is 88.6 %.",
    )


def _gate(ledger: Ledger) -> None:
    accuracy = proportion("accuracy", RIGHT, N)
    more = rows_needed(accuracy, limit=0.915)
    ledger.fact(
        "1",
        "accuracy 92.1% on 5,500 rows supports the gate of 91.5%",
        "low end 0.9168 of its interval",
        f"low end {accuracy.low:.4f}",
        accuracy.low >= 0.915,
        f"With the interval that 5,500 rows really give, the gate is inconclusive; about {more:,} more rows at the "
        "same accuracy would settle it.",
    )
    error = Measurement("ece", 0.0397, N, 0.0336, 0.0458)
    ledger.fact(
        "1",
        "ECE 0.0397 supports the gate of 0.04",
        "0.0397 <= 0.04",
        "0.0336 to 0.0458",
        error.high <= 0.04,
        "By the document's own interval the error may be above the gate; it passes by its value only.",
    )
    ledger.fact(
        "1",
        "the gate on business-weighted error can be checked",
        "<= baseline x 0.85",
        f"1,562 needs a baseline of at least {1562 / 0.85:,.0f}",
        follows=False,
        reason="No document states the baseline's score, so nothing printed says whether 1,562 passes.",
    )
    ledger.fact(
        "1",
        "the latency the documents plan passes the gate of 15 ms",
        "P95 <= 15 ms",
        "15.5 ms planned, 14.2, 12.4 and 12 ms reported",
        follows=False,
        reason="The numerical examples' budget sums to 15.5 ms (wrongly), the ablation tables say 14.2, the load "
        "test 12.4 and the model bench 12 for the same model.",
    )


def _intervals(ledger: Ledger) -> None:
    for name, value, half, low, high in (
        ("accuracy", 0.921, 0.0042, "0.9168", "0.9252"),
        ("macro-F1", 0.864, 0.0078, "0.8562", "0.8718"),
        ("ECE", 0.0397, 0.0061, "0.0336", "0.0458"),
    ):
        ledger.number("3.3", f"low end of {name} from its half-width", low, value - half)
        ledger.number("3.3", f"high end of {name} from its half-width", high, value + half)
    ledger.number(
        "3.3",
        "half-width of accuracy on 5,500 rows",
        "0.0042",
        Z * math.sqrt(0.921 * 0.079 / N),
        "See 22.1 of the numerical examples. The two documents also name different seeds ({42, 123, 2024} and {2025, "
        "2026, 2027}) for digit-identical results, which resampling does not give.",
    )


def _injections(ledger: Ledger) -> None:
    rows = round(0.01 * N)
    low, _ = clopper_pearson(rows, rows)
    ledger.fact(
        "3.6",
        "prompt injection on 1% of the test shows at least 95% right",
        ">= 95%",
        f"{rows} of {rows} right: low end {low:.3f}",
        low >= 0.95,
        f"1 % is {rows} rows; even without a single failure {rows_to_clear(1.0, limit=0.95)} are needed to show 95 %.",
    )
    ledger.fact(
        "3.6",
        "typos in 2% of the test can cost at most 0.8 points",
        "<= 0.8pp",
        f"at most {2 * 0.921:.2f} points if all break",
        2 * 0.921 > 0.8,
        note="a criterion that can fail: it allows 43 % of the right rows among those touched to break",
    )


def _ablation(ledger: Ledger) -> None:
    for gamma, accuracy, half, printed in ABLATION:
        ledger.number("3.A", f"change at gamma {gamma}", printed, 100 * (accuracy - 0.921))
        ledger.number(
            "3.A",
            f"half-width of accuracy at gamma {gamma}",
            f"{half}",
            Z * math.sqrt(accuracy * (1 - accuracy) / N),
            "5,500 rows at about 92 % give 0.007 to 0.0075 for every row of the table; nothing makes it 0.004 for one "
            "and 0.005 for its neighbour.",
        )
    ledger.number(
        "3.A",
        "half-width at gamma 2.5 against the numerical examples'",
        "0.005",
        0.004,
        "Section 23 of the numerical examples gives the same 92.0 % with +-0.4 points.",
        slack=0.5,
    )


def _methods(ledger: Ledger) -> None:
    ledger.number(
        "3.B",
        "accuracy of plain cross-entropy against the dry run's",
        "0.911",
        0.912,
        "The dry run's log of the same comparison has 91.2 %: a difference of 5 or 6 rows.",
        slack=0.5,
    )
    ledger.number("3.B", "accuracy of weighted cross-entropy against the dry run's", "0.915", 0.915)
    ledger.number("3.B", "accuracy of focal loss against the dry run's", "0.921", 0.921)
