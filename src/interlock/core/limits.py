"""Rules of a contract: limits on measurements, attestations, and groups of rules. Knows no verdicts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from interlock.core.strict import Strict, Text

METRICS: tuple[str, ...] = (  # every measurement a limit may name; ".LABEL" stands for any label of the contract
    *("accuracy", "macro_f1", "nll", "brier", "ece", "ece_10", "ece_20", "ece_debiased", "cost_per_message"),
    *("coverage", "accepted_accuracy", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms"),
    *("accuracy_vs_champion", "cost_vs_champion", "quantization_accuracy_loss"),
    *("macro_f1_vs_champion", "rare_recall_vs_champion", "critical_recall_vs_champion"),
    *("load_error_rate", "val_accuracy_gain", "val_rare_recall_gain"),
    *("synthetic_bad_share", "truncated_share", "clipped_share"),
    *("recall.LABEL", "precision.LABEL", "f1.LABEL", "recall_vs_champion.LABEL", "train_rows.LABEL"),
)


class Limit(Strict):
    """A rule on one measurement. ``on: bound`` asks the interval to support it, ``on: value`` only the point."""

    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)
    on: Literal["bound", "value"] = "bound"

    @model_validator(mode="after")
    def _one_side(self) -> Limit:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("exactly one of at_least and at_most")
        return self


class Attested(Strict):
    """A rule that a named person did something about this very receipt, as the ledger says."""

    attested: Text


class Group(Strict):
    """Rules of which every one must pass, or one is enough."""

    all: Annotated[dict[Text, Rule], Field(min_length=1)] | None = None
    any: Annotated[dict[Text, Rule], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Group:
        if (self.all is None) == (self.any is None):
            raise ValueError("exactly one of all and any")
        return self

    @property
    def rules(self) -> dict[str, Rule]:
        """The rules by name."""
        return (self.all if self.all is not None else self.any) or {}


def _kind_of_rule(value: Any) -> str:
    keys = value if isinstance(value, dict) else vars(value) if isinstance(value, Strict) else ()
    return "attested" if "attested" in keys else "group" if "all" in keys or "any" in keys else "limit"


Rule = Annotated[
    Annotated[Limit, Tag("limit")] | Annotated[Attested, Tag("attested")] | Annotated[Group, Tag("group")],
    Discriminator(_kind_of_rule),
]
Rules = dict[str, Rule]
