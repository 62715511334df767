"""``interlock route``: a bundle at work, on one message or on a stream of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cyclopts

from interlock.cli.screen import console, number, say_json

if TYPE_CHECKING:
    from interlock.core.contract import Contract
    from interlock.core.decision import Decision
    from interlock.predict.predictor import Trace

LEADING = 5  # labels shown by --explain


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(route)


def route(bundle: Path, text: str | None = None, *, explain: bool = False, json: bool = False) -> int:
    """Decide where a message goes. Without TEXT, decide JSON lines from standard input, one Decision a line.

    Example: interlock route runs/1/bundle "where is my order?" --explain

    Args:
        bundle: A bundle directory.
        text: The message. Without it, standard input holds one {"text": ...} a line; the order is kept.
        explain: Show every stage: pieces, logits, probabilities, margin, band, reason.
        json: Print the Decision as one JSON object.
    """
    from interlock.bundle.open import open_bundle

    opened = open_bundle(bundle)
    if text is None:
        return _lines(opened.predictor.decide)
    trace = opened.predictor.trace(text, with_pieces=explain)
    if json:
        say_json({**trace.decision.to_json(), **({"explain": explanation(trace, opened.contract)} if explain else {})})
        return 0
    screen = console()
    decision = trace.decision
    screen.print(
        f"[bold]{decision.outcome.value}[/] to [bold]{decision.route}[/] ({decision.reason.value})", soft_wrap=True
    )
    if decision.label is not None and decision.confidence is not None and decision.margin is not None:
        screen.print(f"{decision.label}, confidence {number(decision.confidence)}, margin {number(decision.margin)}")
    if explain:
        print_explanation(trace, opened.contract)
    return 0


def _lines(decide: Callable[[str], Decision]) -> int:
    """Answer every line with one Decision, so that output n belongs to input n; what is no message is blocked."""
    from interlock.core.errors import InputError, Problem

    problems = []
    for number_, line in enumerate(sys.stdin.buffer, start=1):
        found = _text_of(line)
        if found is None:
            problems.append(
                Problem(
                    f"standard input:{number_}",
                    "text",
                    'a JSON object like {"text": "..."}',
                    f"{len(line)} bytes of something else",
                )
            )
        # A NUL is the shortest text that every input policy refuses as undecodable.
        say_json(decide("\0" if found is None else found).to_json())
    if problems:
        raise InputError("some lines were no messages; each was answered with the failure fallback", problems)
    return 0


def _text_of(line: bytes) -> str | None:
    from interlock.core.canonical import parse_json

    try:
        body = parse_json(line.decode("utf-8"))
    except (ValueError, UnicodeDecodeError):
        return None
    text = body.get("text") if isinstance(body, dict) else None
    return text if isinstance(text, str) else None


def explanation(trace: Trace, contract: Contract) -> dict[str, object]:
    """Return every stage of a decision as JSON."""
    return {
        "text": trace.text,
        "pieces": list(trace.pieces),
        "leading": [
            {"label": label, "logit": logit, "probability": probability}
            for label, logit, probability in _leading(trace, contract)
        ],
        "policy": contract.decide.model_dump(mode="json"),
        "fallback": contract.fallback.model_dump(mode="json"),
    }


def _leading(trace: Trace, contract: Contract) -> Iterator[tuple[str, float, float]]:
    if trace.logits is None or trace.probabilities is None:
        return
    for column in (-trace.logits).argsort(kind="stable")[:LEADING]:
        yield contract.label_names[column], float(trace.logits[column]), float(trace.probabilities[column])


def print_explanation(trace: Trace, contract: Contract) -> None:
    """Print every stage of a decision for people."""
    from rich.table import Table

    from interlock.core.contract import Bands

    screen, decision = console(), trace.decision
    if trace.text is None:
        screen.print("the input policy refused the text; no model saw it")
        return
    screen.print(f"pieces ({decision.tokens}): {' '.join(trace.pieces)}", markup=False, soft_wrap=True)
    table = Table("label", "logit", "probability", "route")
    for label, logit, probability in _leading(trace, contract):
        table.add_row(label, f"{logit:.3f}", f"{probability:.4f}", contract.labels[label].route)
    screen.print(table)
    if isinstance(contract.decide, Bands):
        bands = contract.decide
        screen.print(
            f"routed at confidence {bands.auto.confidence:g} with margin {bands.auto.margin:g}, guarded at confidence "
            f"{bands.guarded.confidence:g}, else to {contract.fallback.uncertain}",
            soft_wrap=True,
        )
    else:
        screen.print(f"{contract.decide.positive} at or above {contract.decide.threshold:g}", soft_wrap=True)
    if decision.unknown_score is not None:
        screen.print(f"unknown score {decision.unknown_score:.3f}")
    screen.print("  ".join(f"{stage} {ms:.3f} ms" for stage, ms in decision.stage_ms.items()), soft_wrap=True)
