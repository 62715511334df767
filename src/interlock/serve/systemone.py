"""The System One dialect's questions and answers, as ``transformers serve`` and others speak it. Knows no service.

It has no refusal: what is not sure has the confidence 0 and even probabilities, and a ``noul`` is 0.5.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from interlock.serve.options import MOST_OPTIONS, Judged, Options, Said, confidence, level
from interlock.serve.replies import Share
from interlock.serve.router import Router
from interlock.serve.schema import Edge, few

MOST_QUESTIONS = 64
Content = str | dict[str, Any] | list[Any] | None  # words to a model, which a router has no use for


class Noul(Edge):
    """Whether the message is of the label, or for the route, that the question is named after."""

    type: Literal["noul"]
    instructions: Content = None
    criteria: dict[Literal["true", "false"], Content] | None = None


class KeyedChoice(Edge):
    """Which of some labels or routes; they are the keys."""

    type: Literal["choice"]
    instructions: Content = None
    criteria: Annotated[
        dict[str, Content],
        Field(min_length=1, max_length=MOST_OPTIONS),
        BeforeValidator(partial(few, most=MOST_OPTIONS)),
    ]


class KeyedScore(Edge):
    """Which of some labels or routes, in their order."""

    type: Literal["score"]
    instructions: Content = None
    criteria: Annotated[list[str], Field(min_length=1, max_length=MOST_OPTIONS)]


Question = Annotated[Noul | KeyedChoice | KeyedScore, Field(discriminator="type")]


class SystemOneRequest(Edge):
    """Questions about one message, by their names."""

    model: Annotated[str | None, Field(description="The contract's name.")] = None
    state: Annotated[Said, Field(description="The message, or a conversation that ends with it.")]
    questions: Annotated[
        dict[str, Question],
        Field(min_length=1, max_length=MOST_QUESTIONS),
        BeforeValidator(partial(few, most=MOST_QUESTIONS)),
    ]
    assets: Annotated[dict[str, Any], Field(max_length=0, description="None: a router reads no images.")] = Field(
        default_factory=dict
    )


class NoulAnswer(Edge):
    """The probability that it is so; 0.5 when nobody is sure."""

    type: Literal["noul"]
    noul: Share


class KeyedChoiceAnswer(Edge):
    """Where the message was sent; of confidence 0 when nobody is sure."""

    type: Literal["choice"]
    choice: str
    confidence: Share
    probabilities: dict[str, Share]


class KeyedScoreAnswer(Edge):
    """The expected level; of confidence 0 when nobody is sure."""

    type: Literal["score"]
    score: float
    legend: dict[str, str]
    confidence: Share
    probabilities: dict[str, Share]


class SystemOneReply(Edge):
    """An answer to each question, by their names."""

    model: str
    answers: dict[str, NoulAnswer | KeyedChoiceAnswer | KeyedScoreAnswer]
    usage: dict[str, int]


def options(name: str, question: Noul | KeyedChoice | KeyedScore, router: Router) -> Options:
    """Return what a question lets the router answer.

    Raises:
        Refusal: naming options that the router does not know.
    """
    if isinstance(question, Noul):
        return Options.of([name], router, fields=["questions"])
    names = list(question.criteria)
    return Options.of(names, router, fields=[f"questions.*.criteria.{place}" for place in range(len(names))])


def answered(question: Noul | KeyedChoice | KeyedScore, known: Options, judged: Judged) -> dict[str, Any]:
    """Return the answer to a question."""
    if isinstance(question, Noul):
        return {"type": "noul", "noul": judged.shares(known)[0] if judged.sure else 0.5}
    chosen, count = judged.chosen(known), len(known.names)
    shares = [1 / count] * count if chosen is None else judged.shares(known)
    sure = 0.0 if chosen is None else confidence(shares[chosen], count)
    if isinstance(question, KeyedChoice):
        choice = known.names[_fallback(known, judged) if chosen is None else chosen]
        by_name = dict(zip(known.names, shares, strict=True))
        return {"type": "choice", "choice": choice, "confidence": sure, "probabilities": by_name}
    legend = {str(place): name for place, name in enumerate(known.names)}
    by_level = {str(place): share for place, share in enumerate(shares)}
    return {"type": "score", "score": level(shares), "legend": legend, "confidence": sure, "probabilities": by_level}


def _fallback(known: Options, judged: Judged) -> int:
    """Return the option to name where none is meant: where the message went, when that was asked for."""
    return known.names.index(judged.decision.route) if judged.decision.route in known.names else 0
