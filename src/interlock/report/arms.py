"""What the models of an experiment say of rows, as figures side by side. Knows no training and no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from interlock.calibrate.crossfit import crossfit
from interlock.calibrate.temperature import fit_temperature
from interlock.core.contract import Contract
from interlock.core.dataset import Dataset
from interlock.core.measurement import Measurement, unmeasured
from interlock.gate.derive import cost_matrix
from interlock.measure.bootstrap import bootstrap
from interlock.measure.classify import classification
from interlock.measure.cost import cost_per_message
from interlock.measure.latency import quantile
from interlock.measure.proportion import proportion
from interlock.train.experiments.run import Failed
from interlock.train.experiments.trial import Outcome

By = Literal["accuracy", "rare_recall"]
HOUR_MS = 3.6e6
Flags = npt.NDArray[np.bool_]
Columns = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Arm:
    """One line of an experiment: what sets it apart, and the models it made, one for each seed."""

    name: str
    settings: Mapping[str, Any]
    outcomes: tuple[Outcome | Failed, ...]

    @property
    def failed(self) -> str | None:
        """Why a training could not be done; None when all were."""
        return next((outcome.why for outcome in self.outcomes if isinstance(outcome, Failed)), None)

    @property
    def models(self) -> list[Outcome]:
        """The models there are."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Outcome)]

    @property
    def minutes(self) -> float:
        """How long all seeds together trained, whenever that was."""
        return sum(float(model.facts["train_minutes"]) for model in self.models)


@dataclass(frozen=True)
class Rows:
    """The rows of one part with one label each, and what judging them takes."""

    contract: Contract
    part: Literal["calibration", "test"]
    data: Dataset  # the rows of the part
    calibration: Dataset
    rare: tuple[int, ...]  # columns of the labels with the fewest training rows

    @cached_property
    def single(self) -> Flags:
        """Whether a row of the part has one label, (rows of the part,)."""
        return _single(self.data)

    @cached_property
    def gold(self) -> Columns:
        """Columns of the labels, (n,)."""
        return _columns(self.data, self.contract)

    def top(self, model: Outcome) -> Columns:
        """Return the columns a model finds most probable, (n,)."""
        return np.asarray(self._logits(model).argmax(axis=1), dtype=np.int64)

    def correct(self, arm: Arm, by: By = "accuracy") -> Flags:
        """Return ``(s seeds, n)``: whether each seed's model is right; by rare recall, of rare labels' rows only."""
        rows = np.isin(self.gold, self.rare) if by == "rare_recall" else np.ones(self.gold.size, dtype=bool)
        return np.array([(self.top(model) == self.gold)[rows] for model in arm.models])

    def astray(self, model: Outcome) -> Flags:
        """Return whether a model's label routes each row elsewhere than its own does, (n,)."""
        routes = np.array([label.route for label in self.contract.labels.values()], dtype=object)
        return np.asarray(routes[self.top(model)] != routes[self.gold], dtype=bool)

    def measure(self, model: Outcome) -> dict[str, Measurement]:
        """Return accuracy, macro-F1, rare recall, debiased ECE, cost, and latency (of calibration rows).

        Confidence is that of a temperature which never saw the row: cross-fitted on calibration rows, fitted on all of
        them for test rows.
        """
        top, gold = self.top(model), self.gold
        found = classification(self._probabilities(model), gold, labels=self.contract.label_names)
        rare = np.isin(gold, self.rare)
        ece = found["ece_debiased"] if model.states_confidence else unmeasured("ece_debiased", n=gold.size)
        return {
            "accuracy": found["accuracy"],
            "macro_f1": found["macro_f1"],
            "rare_recall": proportion("rare_recall", int((top == gold)[rare].sum()), int(rare.sum())),
            "ece_debiased": ece,
            "cost_per_message": cost_per_message(top, gold, matrix=cost_matrix(self.contract.costs, self.contract)),
            "latency_p95_ms": quantile(model.latency_ms, 0.95, name="latency_p95_ms"),
        }

    def _logits(self, model: Outcome) -> Floats:
        return (model.calibration if self.part == "calibration" else model.test)[self.single]

    def _probabilities(self, model: Outcome) -> Floats:
        logits = self._logits(model)
        if not model.states_confidence:
            return logits
        if self.part == "calibration":
            return crossfit(logits, self.gold, kind="temperature")
        own = model.calibration[_single(self.calibration)]
        fitted = fit_temperature(own, _columns(self.calibration, self.contract))
        return np.asarray(fitted.probabilities(logits), dtype=np.float64)


def _single(rows: Dataset) -> Flags:
    return np.array([len(row.labels) == 1 for row in rows], dtype=bool)


def _columns(rows: Dataset, contract: Contract) -> Columns:
    return np.array([contract.index[row.label] for row in rows if len(row.labels) == 1], dtype=np.int64)


def serving_usd(model: Outcome, contract: Contract, *, core_hour_usd: float) -> Measurement:
    """Return the dollars a month of one core's time for all messages, by the mean latency of a message."""
    scale = contract.money.monthly_messages / HOUR_MS * core_hour_usd
    rows = model.latency_ms[:, None]
    return bootstrap(
        "serving_usd_per_month",
        rows,
        lambda sums: sums[:, 0] / len(rows) * scale,
        support=(0.0, float("inf")),
        method="bca",
    )
