"""Two typed decision dialects over the same decisions: OpenAI's ``/v1/decisions``, and ``/v1/systemone``.

A router knows its labels and routes and nothing else: they are the options of a choice, the levels of a score, and the
name of a predicate. Knows no bundle and no server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from interlock.answer import Message
from interlock.serve import systemone as keyed
from interlock.serve.access import CLIENTS
from interlock.serve.message import Reply, Request
from interlock.serve.options import MOST_OPTIONS, Judged, Options, Said, confidence, level, message_of, told
from interlock.serve.refusal import Refusal
from interlock.serve.replies import Share
from interlock.serve.router import Router
from interlock.serve.routes import Route
from interlock.serve.schema import Edge, RouteRequest, read
from interlock.serve.service import Service

MOST_QUESTIONS = 400
About = str | list[Any]  # instructions to a model, which a router has no use for


class Option(Edge):
    """One option of a choice."""

    value: str
    description: str | None = None


class Level(Edge):
    """One level of a score."""

    label: str
    description: str | None = None


class Predicate(Edge):
    """Whether the message is of the label, or for the route, that the question is named after."""

    type: Literal["predicate"]
    name: str
    instructions: About


class Choice(Edge):
    """Which of some labels or routes."""

    type: Literal["choice"]
    name: str | None = None
    instructions: About
    choices: Annotated[list[Option], Field(min_length=2, max_length=MOST_OPTIONS)]


class Score(Edge):
    """Which of some labels or routes, in their order."""

    type: Literal["score"]
    name: str | None = None
    instructions: About
    levels: Annotated[list[Level], Field(min_length=2, max_length=MOST_OPTIONS)]


Question = Annotated[Predicate | Choice | Score, Field(discriminator="type")]


class DecisionsRequest(Edge):
    """Questions about one message, as OpenAI's clients ask them."""

    model: Annotated[str, Field(description="The contract's name.")]
    input: Said
    questions: Annotated[list[Question], Field(min_length=1, max_length=MOST_QUESTIONS)]
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    safety_identifier: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="Whose message it is; kept only as a keyed digest, for erasure."
    )


class PredicateAnswer(Edge):
    """How probable a predicate is."""

    type: Literal["predicate"]
    name: str
    probability: Share


class OptionShare(Edge):
    """How probable an option is."""

    value: str
    probability: Share


class ChoiceAnswer(Edge):
    """Where the message was sent."""

    type: Literal["choice"]
    name: str | None
    choice: str
    confidence: Share
    probabilities: list[OptionShare]


class LevelShare(Edge):
    """How probable a level is."""

    label: str
    value: int
    probability: Share


class ScoreAnswer(Edge):
    """The expected level."""

    type: Literal["score"]
    name: str | None
    score: float
    confidence: Share
    probabilities: list[LevelShare]


class RefusalAnswer(Edge):
    """The message was not sent anywhere, or to none of the options."""

    type: Literal["refusal"]
    name: str | None


class DecisionsReply(Edge):
    """An answer to each question, in their order."""

    model: str
    answers: list[PredicateAnswer | ChoiceAnswer | ScoreAnswer | RefusalAnswer]
    usage: dict[str, Any]


@dataclass(eq=False)
class Dialects:
    """The dialects' operations on a service."""

    service: Service
    message: Callable[[RouteRequest, str], Message]  # its time begins now

    def routes(self) -> list[Route]:
        """Return the operations with their policies."""
        own = ("not_found", "starting", "overloaded", "not_recorded")
        return [
            Route("POST", "/v1/decisions", self.decisions, CLIENTS, DecisionsRequest, DecisionsReply, own),
            Route(
                "POST",
                "/v1/systemone",
                self.systemone,
                CLIENTS,
                keyed.SystemOneRequest,
                keyed.SystemOneReply,
                own,
            ),
        ]

    async def decisions(self, request: Request) -> Reply:
        """Answer typed questions about one message, as OpenAI's /v1/decisions does."""
        self.service.admit()  # before the body is looked at: a refusal must cost little
        asked = read(DecisionsRequest, await request.json(limit=self.service.settings.max_body_bytes))
        router = self._router(asked.model)
        options = [_options(one, router, f"questions.{place}") for place, one in enumerate(asked.questions)]
        text, before = message_of(asked.input, field="input")
        judged = await self._judged(request, text, before, asked.safety_identifier)
        answers = [_answered(one, known, judged) for one, known in zip(asked.questions, options, strict=True)]
        tokens = judged.decision.tokens or 0
        usage = {
            "input_tokens": tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens,
        }
        return told({"model": router.name, "answers": answers, "usage": usage}, judged.decision)

    async def systemone(self, request: Request) -> Reply:
        """Answer typed questions about one message, as /v1/systemone does."""
        self.service.admit()
        asked = read(keyed.SystemOneRequest, await request.json(limit=self.service.settings.max_body_bytes))
        router = self._router(asked.model)
        options = {name: keyed.options(name, one, router) for name, one in asked.questions.items()}
        text, before = message_of(asked.state, field="state")
        judged = await self._judged(request, text, before)
        answers = {name: keyed.answered(one, options[name], judged) for name, one in asked.questions.items()}
        usage = {"input_tokens": judged.decision.tokens or 0, "output_tokens": 0}
        return told({"model": router.name, "answers": answers, "usage": usage}, judged.decision)

    def _router(self, model: str | None) -> Router:
        router = self.service.router()
        if model not in {None, router.name}:
            raise Refusal("not_found", f"the model here is {router.name}")
        return router

    async def _judged(self, request: Request, text: str, before: list[str], subject: str | None = None) -> Judged:
        """Decide the message, on record under the request's id."""
        router = self.service.router()  # nothing is awaited since the questions were checked against it
        asked = RouteRequest(text=text, conversation=before, subject=subject)
        _, made = await self.service.made(self.message(asked, request.request_id), request.notes, shares=True)
        return Judged.of(made, router)


def _options(question: Predicate | Choice | Score, router: Router, field: str) -> Options:
    """Return what a question lets the router answer."""
    if isinstance(question, Predicate):
        return Options.of([question.name], router, fields=[f"{field}.name"])
    if isinstance(question, Choice):
        names, part = [one.value for one in question.choices], "choices.{}.value"
    else:
        names, part = [one.label for one in question.levels], "levels.{}.label"
    return Options.of(names, router, fields=[f"{field}.{part.format(place)}" for place in range(len(names))])


def _answered(question: Predicate | Choice | Score, options: Options, judged: Judged) -> dict[str, Any]:
    if isinstance(question, Predicate):
        if not judged.sure:
            return _refused(question.name)
        return {"type": "predicate", "name": question.name, "probability": judged.shares(options)[0]}
    chosen = judged.chosen(options)
    if chosen is None:
        return _refused(question.name)
    shares = judged.shares(options)
    common = {"type": question.type, "name": question.name, "confidence": confidence(shares[chosen], len(shares))}
    if isinstance(question, Choice):
        return {**common, "choice": options.names[chosen], "probabilities": _shares(options.names, shares)}
    levels = [{**one, "value": place} for place, one in enumerate(_shares(options.names, shares, name="label"))]
    return {**common, "score": level(shares), "probabilities": levels}


def _shares(names: Sequence[str], shares: Sequence[float], *, name: str = "value") -> list[dict[str, Any]]:
    return [{name: one, "probability": share} for one, share in zip(names, shares, strict=True)]


def _refused(name: str | None) -> dict[str, Any]:
    return {"type": "refusal", "name": name}
