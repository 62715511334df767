"""The label contract: what right means for one router. Knows no YAML; ``contract_file`` reads that."""

from __future__ import annotations

import unicodedata
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from interlock.core.canonical import digest_of
from interlock.core.limits import Limit, Rules
from interlock.core.strict import Digest, Name, NotNegative, Positive, Share, Strict, Text, later

MOST_TURNS = 10  # of a conversation, before a message
LEVELS: dict[str, float] = {"low": 1, "medium": 3, "high": 7, "very_high": 12}  # of harm


UnknownMethod = Literal["auto", "max_softmax", "energy", "mahalanobis", "relative_mahalanobis", "knn", "combined"]


class Label(Strict):
    """One label: where it routes, what it means, and how much a miss matters."""

    route: Name
    means: str = ""
    not_: str = Field(default="", alias="not")
    critical: bool = False
    keywords: tuple[Text, ...] = ()  # phrases of the keyword baseline


class Context(Strict):
    """How much of the conversation before a message is looked at."""

    turns: Annotated[int, Field(ge=1, le=MOST_TURNS)]  # the last ones; older ones are dropped first when tokens run out


class InputPolicy(Strict):
    """What is done to a text, and which texts are refused, before any model sees it."""

    version: Name = "input-v1"
    form: Literal["readable", "plain"] = later("readable")  # what is made of the text's characters; plain: NFC alone
    trim: bool = True
    max_tokens: Annotated[int, Field(ge=8, le=512)] = 128
    max_chars: Annotated[int, Field(ge=1, le=1_000_000)] = 8000
    context: Context | None = later(None)

    @property
    def turns(self) -> int:
        """How many turns before a message are looked at."""
        return self.context.turns if self.context is not None else 0


class Fallback(Strict):
    """Routes for messages the router does not decide."""

    uncertain: Name = "human_review"
    failure: Name = "human_review"


class AutoBand(Strict):
    """Confidence and margin at or above which a message is routed without a second look."""

    confidence: Share = 0.80
    margin: Share = 0.20
    labels: dict[Text, Share] = later({})  # confidence for messages of one label, instead of the one for all

    def at(self, label: str) -> float:
        """Return the confidence that messages of a label need."""
        return self.labels.get(label, self.confidence)


class GuardedBand(Strict):
    """Confidence at or above which a message is routed and marked for audit."""

    confidence: Share = 0.55


class Unknown(Strict):
    """The gate for messages unlike the training data."""

    method: UnknownMethod = later("auto")
    keep_known: Annotated[float, Field(gt=0.5, lt=1)] = 0.95  # share of known traffic the gate lets through


class Ambiguous(Strict):
    """Messages whose two leading labels are too close to tell: never routed without a second look."""

    margin: Share = 0.10


class Several(Strict):
    """Detection of messages with more than one intent."""

    enabled: bool = False
    keep_single: Annotated[float, Field(gt=0.5, lt=1)] | None = later(None)  # share with one intent left alone
    threshold: Share | None = later(None)  # probability of several from which it acts, instead of one fitted to that
    then: Literal["top2", "split", "clarify"] = later("top2")


class Bands(Strict):
    """Policy for any number of labels: confidence and margin bands."""

    auto: AutoBand = AutoBand()
    guarded: GuardedBand = GuardedBand()
    level: Literal["label", "route"] = later("label")  # whose probability counts: labels of one route add up, or not
    ambiguous: Ambiguous | None = later(None)
    unknown: Unknown | None = None
    several: Several = Several()
    reread: bool = later(default=True)  # read messages with words the router never met a second time, without these
    fitted_on: Digest | None = later(None)  # the rows these bounds were fitted on; never the test rows

    @model_validator(mode="after")
    def _ordered(self) -> Bands:
        for auto in (self.auto.confidence, *self.auto.labels.values()):
            if not auto >= self.guarded.confidence:
                raise ValueError(
                    f"auto.confidence {auto} must be at least guarded.confidence {self.guarded.confidence}"
                )
        return self


class Threshold(Strict):
    """Policy for two labels: the positive one is chosen when its score reaches the threshold."""

    positive: Name
    threshold: Annotated[float, Field(gt=0, lt=1)]
    reread: bool = later(default=True)  # as under bands
    fitted_on: Digest | None = later(None)  # the rows the threshold was fitted on; never the test rows


class Costs(Strict):
    """What each kind of misroute costs, in harm units."""

    levels: dict[Name, NotNegative] = Field(default_factory=lambda: dict(LEVELS))
    default: Name = "medium"
    pairs: tuple[
        Annotated[tuple[str, ...], Field(min_length=3, max_length=4)], ...
    ] = ()  # true, predicted, level[, both_ways]


class Money(Strict):
    """What errors and reviews cost in dollars, and how many messages come in a month."""

    misroute_usd: NotNegative = 0.013
    review_usd: NotNegative = 0.25
    monthly_messages: Positive = 3_000_000


class Slices(Strict):
    """Parts of the evaluation rows that an average must not hide."""

    required: tuple[Name, ...] = ()  # no critical row of these slices may be missed
    critical_min_recall: dict[Name, Share] = Field(default_factory=dict)  # label -> recall its interval must support


class Evaluation(Strict):
    """The registered evaluation: a receipt must match it exactly before any of its numbers count."""

    dataset_version: Name | None = None
    split_manifest_version: Name | None = None
    model_version: Name | None = None
    fixtures: tuple[Text, ...] = ()  # the exact row ids; empty means "the split manifest's test rows"
    rows: Digest | None = later(None)  # digest of the rows with their labels and slices, ``Receipt.evaluation_set``
    identity: dict[Name, Text] = later({})  # what else a receipt must say of itself: seed, code_version, ...


def _policy(value: Any) -> str:
    keys = value if isinstance(value, dict) else vars(value) if isinstance(value, Strict) else ()
    return "threshold" if "positive" in keys or "threshold" in keys else "bands"


class Contract(Strict):
    """Everything a router promises: labels, routes, policies, costs and limits.

    The order of ``labels`` is the column order of every array of scores, so it is part of the digest; the order of
    all other keys, comments and layout are not.
    """

    contract: Literal[1]
    name: Name
    label_version: Name
    labels: Annotated[dict[Text, Label], Field(min_length=2)]
    input: InputPolicy = InputPolicy()
    fallback: Fallback = Fallback()
    decide: Annotated[
        Annotated[Bands, Tag("bands")] | Annotated[Threshold, Tag("threshold")], Discriminator(_policy)
    ] = Bands()
    costs: Costs = Costs()
    money: Money = Money()
    slices: Slices = Slices()
    limits: Rules = Field(default_factory=dict)  # the gate of every build
    gates: dict[Name, Annotated[Rules, Field(min_length=1)]] = later({})  # further gates, judged by name
    evaluation: Evaluation = Evaluation()
    consumer: Name | None = None  # the agent that accepts this router's decisions

    @field_validator("labels")
    @classmethod
    def _distinct_labels(cls, labels: dict[str, Label]) -> dict[str, Label]:
        seen: dict[str, str] = {}
        for name in labels:
            folded = unicodedata.normalize("NFKC", name).casefold()
            if folded in seen:
                raise ValueError(f"labels {seen[folded]!r} and {name!r} differ only by case or Unicode form")
            seen[folded] = name
        return labels

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """The labels in column order."""
        return tuple(self.labels)

    @cached_property
    def index(self) -> dict[str, int]:
        """Label -> column."""
        return {label: column for column, label in enumerate(self.labels)}

    @cached_property
    def critical(self) -> frozenset[str]:
        """Labels whose misses matter most; under a threshold policy the positive label always is."""
        marked = {name for name, label in self.labels.items() if label.critical}
        return frozenset(marked | ({self.decide.positive} if isinstance(self.decide, Threshold) else set()))

    def limit(self, name: str) -> Limit | None:
        """Return the limit of a measurement that every build must keep, when there is one."""
        found = self.limits.get(name)
        return found if isinstance(found, Limit) else None

    def to_json(self) -> dict[str, Any]:
        """Return the canonical form: defaults filled in, labels as an ordered list of pairs."""
        body = self.model_dump(mode="json", by_alias=True)
        body["labels"] = [[name, spec] for name, spec in body["labels"].items()]
        return body

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Contract:
        """Read the form ``to_json`` writes."""
        return cls.model_validate({**body, "labels": dict(body["labels"])})

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical form."""
        return digest_of(self.to_json())

    @cached_property
    def label_digest(self) -> str:
        """SHA-256 over the labels, in column order, with their routes and meanings."""
        return digest_of(self.to_json()["labels"])

    @cached_property
    def input_digest(self) -> str:
        """SHA-256 over the input policy alone."""
        return digest_of(self.input.model_dump(mode="json"))

    @cached_property
    def policy_digest(self) -> str:
        """SHA-256 over the decision policy and the fallbacks."""
        return digest_of(
            {"decide": self.decide.model_dump(mode="json"), "fallback": self.fallback.model_dump(mode="json")}
        )
