"""The model card of a bundle: what it is for and what was measured, with intervals. Knows no training."""

from __future__ import annotations

from interlock.core.contract import Contract
from interlock.core.measurement import Measurement
from interlock.core.verdict import Judgement

SHOWN = (
    "accuracy",
    "macro_f1",
    "ece_debiased",
    "nll",
    "brier",
    "cost_per_message",
    "coverage",
    "accepted_accuracy",
    "latency_p95_ms",
)


def model_card(contract: Contract, judgement: Judgement, identity: dict[str, str]) -> str:
    """Return ``card.md``."""
    fallback = contract.fallback
    purpose = (
        f"An intent router over {len(contract.labels)} labels ({contract.label_version}). "
        "It decides where a message goes; it does not authorise anything. "
        f"What it is unsure of goes to `{fallback.uncertain}`, what fails goes to `{fallback.failure}`."
    )
    verdict = f"Verdict at packing: **{judgement.verdict}** ({', '.join(judgement.reasons)})."
    lines = [
        f"# {contract.name}",
        "",
        purpose,
        "",
        verdict,
        "",
        "| measurement | value | 95 % interval | n |",
        "|---|---|---|---|",
    ]
    lines += [_line(judgement.measurements[name]) for name in SHOWN if name in judgement.measurements]
    lines += ["", "| part | version or digest |", "|---|---|"]
    lines += [f"| {name} | `{value}` |" for name, value in sorted(identity.items())]
    return "\n".join([*lines, ""])


def _line(found: Measurement) -> str:
    return f"| {found.name} | {found.value:.4g} | {found.low:.4g} to {found.high:.4g} ({found.method}) | {found.n} |"
