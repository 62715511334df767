"""Questions about a message whose answers are the router's labels or routes. Knows no dialect and no HTTP server.

An answer is only ever as sure as the decision: what was not routed, went to several places, or went where nobody
asked, has no answer. Probabilities are those over all labels, so a part of the options has a sum below 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from interlock.core.decision import Decision, Outcome
from interlock.serve.message import Reply
from interlock.serve.pool import Made
from interlock.serve.refusal import Refusal
from interlock.serve.router import Router
from interlock.serve.schema import MOST_TURNS, Edge

MOST_OPTIONS = 255
MOST_NAMED = 50  # labels that a refusal names
SURE = (Outcome.ROUTED, Outcome.GUARDED)


class Part(Edge):
    """A piece of a turn."""

    type: Literal["input_text", "output_text", "text"]
    text: str
    prompt_cache_breakpoint: dict[str, Any] | None = None


class Turn(Edge):
    """Something that was said. Instructions to a model (system, developer) are not part of a conversation."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | Annotated[list[Part], Field(min_length=1, max_length=64)]
    type: Literal["message"] = "message"
    phase: Literal["commentary", "final_answer"] | None = None

    @property
    def text(self) -> str:
        """The whole of it."""
        return self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)


Said = str | Annotated[list[Turn], Field(min_length=1, max_length=MOST_TURNS + 1)]


def message_of(said: Said, *, field: str) -> tuple[str, list[str]]:
    """Return the text to decide, and the turns before it.

    Raises:
        Refusal: the last turn is not a user's; ``field`` names where.
    """
    if isinstance(said, str):
        return said, []
    if said[-1].role != "user":
        raise Refusal("invalid_request", problems=[{"field": field, "expected": "a user's turn as the last one"}])
    *before, last = [turn.text for turn in said if turn.role in {"user", "assistant"}]
    return last, before


@dataclass(frozen=True, slots=True)
class Options:
    """What one question lets the router answer: its labels, or its routes."""

    names: tuple[str, ...]
    labels: bool  # else routes

    @classmethod
    def of(cls, names: Sequence[str], router: Router, *, fields: Sequence[str]) -> Options:
        """Return options that the router knows; ``fields`` say where each was named.

        Raises:
            Refusal: naming those it does not know, or that stand there twice, by their fields.
        """
        routes = {*router.labels.values(), router.failure, router.uncertain}
        labels = all(name in router.labels for name in names)
        known = router.labels.keys() if labels or not all(name in routes for name in names) else routes
        wanted = f"a label, or in every option a route, of the contract: {_listed(router.labels)}; {_listed(routes)}"
        problems = [
            {"field": field, "expected": "each option once" if name in known else wanted}
            for place, (name, field) in enumerate(zip(names, fields, strict=True))
            if name not in known or name in names[:place]
        ]
        if problems:
            raise Refusal("invalid_request", problems=problems)
        return cls(tuple(names), labels)


@dataclass(frozen=True, slots=True)
class Judged:
    """One decision, to be asked about."""

    decision: Decision
    router: Router
    probabilities: tuple[float, ...]  # by label, in the contract's order

    @classmethod
    def of(cls, made: Made, router: Router) -> Judged:
        """Take what a worker made of a message."""
        return cls(made.decision, router, made.probabilities)

    @property
    def sure(self) -> bool:
        """Whether the message was sent to one place."""
        decision = self.decision
        return decision.outcome in SURE and len(decision.routes) < 2 and bool(self.probabilities)  # noqa: PLR2004 - several

    def chosen(self, options: Options) -> int | None:
        """Return the option the message went to; ``None`` without a sure one among them."""
        name = self.decision.label if options.labels else self.decision.route
        return options.names.index(name) if self.sure and name in options.names else None

    def shares(self, options: Options) -> list[float]:
        """Return the calibrated probability of each option, in 0-1; a route has that of all its labels."""
        by_label = dict(zip(self.router.labels, self.probabilities, strict=True))
        if options.labels:
            return [by_label[name] for name in options.names]
        to = self.router.labels
        return [min(1.0, sum(p for label, p in by_label.items() if to[label] == name)) for name in options.names]


def confidence(share: float, among: int) -> float:
    """Return how far an answer's probability lies above an even guess among so many, in 0-1; of one, its probability.

    The measure of the System One dialect's choices, here for every answer.
    """
    return share if among == 1 else max(0.0, (share - 1 / among) / (1 - 1 / among))


def level(shares: Sequence[float]) -> float:
    """Return the expected level, from 0, of a message that has one of these."""
    return sum(place * share for place, share in enumerate(shares)) / (sum(shares) or 1.0)


def told(body: dict[str, Any], decision: Decision) -> Reply:
    """Reply in a dialect, with headers that say what it has no words for."""
    said = {"outcome": decision.outcome.value, "reason": decision.reason.value, "route": decision.route}
    return Reply.json(body, headers=[(f"x-interlock-{name}".encode(), value.encode()) for name, value in said.items()])


def _listed(names: Any) -> str:
    listed = sorted(names)
    return ", ".join(listed[:MOST_NAMED]) + (
        f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    )
