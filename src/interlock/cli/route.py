"""``interlock route``: a bundle at work, on one message or on a stream of them."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter, validators

from interlock.cli.screen import console, number, say_json

if TYPE_CHECKING:
    from interlock.bundle.keys import SigningKey
    from interlock.bundle.open import Bundle
    from interlock.core.decision import Decision
    from interlock.predict.explain import Explanation

LONG = 256_000  # bytes of standard input that are worth the start of more processes


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(route)


def route(  # noqa: PLR0913 - the options of the command
    bundle: Path,
    text: str | None = None,
    *,
    explain: bool = False,
    occlusion: bool = False,
    conversation: Annotated[list[str] | None, Parameter(negative=())] = None,
    token: str | None = None,
    request_id: str | None = None,
    folder: Path = Path("keys"),
    trust: Path | None = None,
    workers: Annotated[int | None, Parameter(validator=validators.Number(gte=1, lte=256))] = None,
    json: bool = False,
) -> int:
    """Decide where a message goes. Without TEXT, decide JSON lines from standard input, one Decision a line.

    Example: interlock route runs/1/bundle "where is my order?" --explain

    Args:
        bundle: A bundle directory.
        text: The message. Without it, standard input holds one {"text": ...} a line, with "conversation" (the turns
            before it, a list) and "request_id" where there are any; the order is kept.
        explain: Show every stage: pieces, labels raw and calibrated, which band and why, unknown and several-intent
            scores, the most similar training rows.
        occlusion: With --explain, also what each word does: a run of the model for each of the first 64 words.
        conversation: A turn before TEXT; give it again for each turn, the oldest first. Contracts with input.context
            look at the last ones.
        token: Sign each Decision for the agent behind its route, with this handoff key: a name in the key folder, or a
            private key file.
        request_id: The request's id in the token; a random one if not given.
        folder: The key folder.
        trust: The trust root; every role it requires must have signed.
        workers: Processes that decide lines. One answers each line at once; several take 64 at a time. By default one,
            or one for each core where standard input is a file of 256 kilobytes or more.
        json: Print the Decision as one JSON object.
    """
    from interlock.bundle.open import open_bundle
    from interlock.cli.keys import find_key_of

    turns = tuple(conversation or ())
    _check_options(text, explain=explain, occlusion=occlusion, alone=bool(turns) or request_id is not None)
    key = find_key_of("handoff", token, folder=folder) if token is not None else None
    opened = open_bundle(bundle, trust)
    if text is None:
        return _lines(opened, bundle, key, processes=_processes(workers))
    if explain:
        found = opened.explain(text, turns, occlusion=occlusion)
        decision = found.trace.decision
    else:
        decision = opened.decide(text, turns)
    body = _body(decision, text, request_id, key)
    if json:
        say_json({**body, **({"explain": found.to_json()} if explain else {})})
        return 0
    show(decision)
    if "token" in body:
        said = f"token of {body['request_id']}\n{body['token']}"
        console().print(said, soft_wrap=True, markup=False, highlight=False)
    if explain:
        print_explanation(found)
    return 0


def _check_options(text: str | None, *, explain: bool, occlusion: bool, alone: bool) -> None:
    """Refuse options that do nothing; ``alone`` says that there is one about a message of its own."""
    from interlock.core.errors import InputError, Problem

    problems = []
    if text is None and (explain or alone):
        said = "a message to go with --explain, --conversation or --request-id"
        problems.append(Problem("command line", "TEXT", said, "none"))
    if occlusion and not explain:
        problems.append(Problem("command line", "--occlusion", "--explain beside it", "it alone"))
    if problems:
        raise InputError("these options do not go together", problems)


def _body(decision: Decision, text: str, request_id: str | None, key: SigningKey | None) -> dict[str, object]:
    """Return a Decision as JSON, with its token where a key is given."""
    if key is None:
        return decision.to_json()
    from interlock.bundle.handoff import make_token
    from interlock.core.clock import SystemClock

    name = request_id if request_id is not None else secrets.token_urlsafe(16)
    made = make_token(decision, key=key, request_id=name, text=text, at=SystemClock().now())
    return {**decision.to_json(), "request_id": name, "token": made}


def show(decision: Decision) -> None:
    """Print a Decision for people."""
    screen = console()
    screen.print(
        f"[bold]{decision.outcome.value}[/] to [bold]{decision.route}[/] ({decision.reason.value})", soft_wrap=True
    )
    if decision.label is not None and decision.confidence is not None and decision.margin is not None:
        said = f"{decision.label}, confidence {number(decision.confidence)}, margin {number(decision.margin)}"
        screen.print(said, markup=False, soft_wrap=True)
    if decision.intents:
        said = f"asks for {', '.join(decision.intents)}; routes {', '.join(decision.routes) or 'none'}"
        screen.print(said, markup=False, soft_wrap=True)


def _lines(opened: Bundle, bundle: Path, key: SigningKey | None, *, processes: int) -> int:
    """Answer every line with one Decision, so that output n belongs to input n; what is no message is blocked."""
    from interlock.bulk import NO_MESSAGE, answers
    from interlock.core.errors import InputError, Problem

    problems = []
    for count, answer in enumerate(answers(opened, bundle, sys.stdin.buffer, processes=processes), start=1):
        asked = answer.asked
        if wrong := answer.wrong:
            problems.append(Problem(f"standard input:{count}", wrong.field, wrong.expected, wrong.got))
        say_json(_body(answer.decision, asked.text if asked else NO_MESSAGE, asked.request_id if asked else None, key))
    if problems:
        raise InputError("some lines were no messages; each was answered with the failure fallback", problems)
    return 0


def _processes(wanted: int | None) -> int:
    """Return how many processes decide: every core where a long file is waiting, else one that answers at once."""
    if wanted is not None:
        return wanted
    try:
        source = os.fstat(sys.stdin.fileno())
    except (OSError, ValueError):  # no file behind it
        return 1
    return len(os.sched_getaffinity(0)) if stat.S_ISREG(source.st_mode) and source.st_size >= LONG else 1


def print_explanation(found: Explanation) -> None:
    """Print every stage of a decision for people."""
    from rich.markup import escape
    from rich.table import Table

    screen, trace, decision = console(), found.trace, found.trace.decision
    screen.print(f"because {found.why}", markup=False, soft_wrap=True)
    if trace.text is None:
        screen.print("the input policy refused the text; no model saw it")
        return
    cut = f", of which {len(trace.pieces)} were looked at" if decision.truncated else ""
    screen.print(f"pieces ({decision.tokens}{cut}): {_plain(' '.join(trace.pieces))}", markup=False, soft_wrap=True)
    table = Table("label", "logit", "raw", "calibrated", "route")
    for one in found.leading:
        table.add_row(escape(one.label), f"{one.logit:.3f}", f"{one.raw:.4f}", f"{one.probability:.4f}", one.route)
    screen.print(table)
    for line in _gates(found):
        screen.print(line, markup=False, soft_wrap=True)
    if found.neighbours:
        near = Table("similar training row", "label", "cosine", *(["text"] if found.neighbours[0].text else []))
        for row in found.neighbours:
            text = [escape(_plain(row.text))] if row.text else []
            near.add_row(escape(row.id), escape(row.label), f"{row.similarity:.3f}", *text)
        screen.print(near)
    if found.words:
        said = "  ".join(f"{_plain(word.word)} {word.effect:+.3f}" for word in found.words)
        screen.print(f"words, and what {decision.label} loses without each: {said}", markup=False, soft_wrap=True)
    screen.print("  ".join(f"{stage} {ms:.3f} ms" for stage, ms in decision.stage_ms.items()), soft_wrap=True)


def _gates(found: Explanation) -> Iterator[str]:
    from interlock.core.contract import Bands

    contract, trace, decision, several = found.contract, found.trace, found.trace.decision, found.trace.several
    if isinstance(contract.decide, Bands):
        bands = contract.decide
        yield (
            f"bands: routed at confidence {bands.auto.confidence:g} with margin {bands.auto.margin:g}, guarded at "
            f"confidence {bands.guarded.confidence:g}, else to {contract.fallback.uncertain}"
        )
    else:
        yield f"threshold: {contract.decide.positive} at or above {contract.decide.threshold:g}"
    if found.unknown_threshold is not None and decision.unknown_score is not None:
        side = "below" if decision.unknown_score < found.unknown_threshold else "not below"
        yield f"unknown score {decision.unknown_score:.3f}, {side} its threshold {found.unknown_threshold:.3f}"
    if trace.reread is not None:
        said = "which would be decided otherwise" if trace.doubted else "which goes the same way"
        yield f"with its unknown words corrected or left out it reads {_plain(trace.reread)!r}, {said}"
    if several is not None:
        yield f"several intents: probability {several.score:.3f}, threshold {several.threshold:.3f}; clauses: " + (
            _plain(" | ".join(found.clauses))
        )


def _plain(text: str) -> str:
    """Return a customer's text without what a terminal would obey."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
