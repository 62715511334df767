"""Everything a receipt's rows say, recomputed from them alone. Knows no limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.core.contract import Contract, Costs, Threshold
from interlock.core.decision import Decision, Outcome
from interlock.core.errors import InputError, Problem, RefusedError, did_you_mean
from interlock.core.measurement import Measurement
from interlock.core.receipt import Receipt, Row
from interlock.measure.classify import classification
from interlock.measure.compare import accuracy_difference
from interlock.measure.cost import cost_per_message
from interlock.measure.latency import quantile
from interlock.measure.selective import accepted_accuracy, coverage
from interlock.measure.sets import exact_match, micro_f1, several_or_one
from interlock.predict.calibrators import Calibrator, Temperature, calibrator_from_json
from interlock.predict.decide import Evidence, Intents, decide
from interlock.predict.detectors import Energy, score_each

FP32, CHAMPION = "fp32", "champion"  # names under which a receipt keeps what these predicted; all others are baselines
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Derived:
    """A receipt's rows as arrays. n rows, k labels."""

    receipt: Receipt

    @cached_property
    def contract(self) -> Contract:
        """The receipt's contract."""
        return self.receipt.parsed_contract

    @cached_property
    def probabilities(self) -> FloatArray:
        """Calibrated probabilities, (n, k); rows sum to 1."""
        if self.receipt.logits is not None:
            if self.receipt.logits.shape[1] != len(self.contract.labels):
                raise InputError(
                    "the receipt's logits do not fit its contract",
                    [
                        Problem(
                            "receipt",
                            "logits",
                            f"{len(self.contract.labels)} columns",
                            f"{self.receipt.logits.shape[1]}",
                        )
                    ],
                )
            return np.asarray(self._calibrator.probabilities(self.receipt.logits.array))
        if not isinstance(self.contract.decide, Threshold):
            raise InputError("a receipt with scores needs a threshold policy; others need logits")
        scores = np.array([row.score for row in self.receipt.rows], dtype=np.float64).reshape(-1, 1)
        pair = np.hstack([1 - scores, scores])
        return pair if self.contract.index[self.contract.decide.positive] == 1 else pair[:, ::-1]

    @property
    def _calibrator(self) -> Calibrator:
        if self.receipt.calibrator is None:
            return Temperature(1.0)
        try:
            found = calibrator_from_json(self.receipt.calibrator)
            found.probabilities(np.zeros(len(self.contract.labels)))
        except (RefusedError, ValueError) as error:
            problem = Problem("receipt", "calibrator", f"one for {len(self.contract.labels)} labels", str(error))
            raise InputError("the receipt's calibrator does not read", [problem]) from error
        return found

    @cached_property
    def gold(self) -> IntArray:
        """Column of each row's first label, (n,)."""
        return self._columns([row.labels[0] for row in self.receipt.rows], "labels")

    @cached_property
    def single(self) -> npt.NDArray[np.bool_]:
        """Whether a row has exactly one label, (n,). Rows with several are measured as sets only."""
        return np.array([len(row.labels) == 1 for row in self.receipt.rows], dtype=bool)

    @cached_property
    def several(self) -> npt.NDArray[np.bool_]:
        """Whether a detector of several intents looked at a row, (n,)."""
        return np.array([row.several is not None for row in self.receipt.rows], dtype=bool)

    @cached_property
    def top(self) -> IntArray:
        """Column of the most probable label, (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @cached_property
    def decisions(self) -> list[Decision]:
        """What the policy decides for every row."""
        threshold = self.receipt.unknown_threshold if self.receipt.logits is not None else None
        strange = self._unknown_scores if threshold is not None else (None,) * len(self.receipt.rows)
        return [
            decide(
                Evidence(
                    probabilities=p,
                    unknown_score=score,
                    unknown_threshold=threshold,
                    truncated=row.truncated,
                    disguised=row.disguised,
                    doubted=row.doubted,
                    several=self._several(row),
                ),
                self.contract,
            )
            for p, score, row in zip(self.probabilities, strange, self.receipt.rows, strict=True)
        ]

    def _several(self, row: Row) -> Intents | None:
        threshold = self.receipt.several_threshold
        if row.several is None or threshold is None:
            return None
        columns = tuple(int(column) for column in self._columns(list(row.several.labels), "rows.several.labels"))
        return Intents(row.several.score, threshold, columns, row.several.confidence)

    @cached_property
    def _unknown_scores(self) -> Sequence[float | None]:
        if self.receipt.unknown_scores or self.receipt.logits is None:
            return self.receipt.unknown_scores
        return [float(score) for score in score_each(Energy(), self.receipt.logits.array, None)]

    @cached_property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """Whether the router sends a row to a label's route itself, (n,)."""
        return np.array(
            [decision.outcome in {Outcome.ROUTED, Outcome.GUARDED} for decision in self.decisions], dtype=bool
        )

    @cached_property
    def cost_matrix(self) -> FloatArray:
        """Cost of routing a row of one label (row) as another (column), (k, k)."""
        return cost_matrix(self.contract.costs, self.contract)

    @cached_property
    def apart(self) -> Derived:
        """The rows of which no two are copies or nearly the same: the first of each.

        Alike rows are right or wrong together, so that intervals over all of them would claim more than they know.
        """
        kept = [i for i, row in enumerate(self.receipt.rows) if row.copy_of is None and row.near is None]
        if len(kept) == len(self.receipt.rows):
            return self
        return Derived(self.receipt.only(kept))

    @property
    def baselines(self) -> list[str]:
        """Names of the baselines that were run on the same rows."""
        return [name for name in self.receipt.predicted if name not in {FP32, CHAMPION}]

    def columns_of(self, name: str) -> IntArray:
        """Return the columns that ``predicted[name]`` says, (n,)."""
        return self._columns(list(self.receipt.predicted[name]), f"predicted.{name}")

    def _columns(self, labels: list[str], field: str) -> IntArray:
        index = self.contract.index
        if bad := sorted({label for label in labels if label not in index}):
            problems = [
                Problem("receipt", field, f"a label of its contract{did_you_mean(b, list(index))}", repr(b))
                for b in bad
            ]
            raise InputError("the receipt's rows carry labels its contract does not know", problems)
        return np.array([index[label] for label in labels], dtype=np.int64)


def cost_matrix(costs: Costs, contract: Contract) -> FloatArray:
    """Return the (k, k) cost of each true (row) and predicted (column) label: 0 on the diagonal, the default elsewhere.

    Two labels with the same route cost nothing when mistaken for each other, unless a pair says otherwise.
    """
    routes = [label.route for label in contract.labels.values()]
    same = np.array([[a == b for b in routes] for a in routes])
    matrix = np.where(same, 0.0, float(costs.levels[costs.default]))
    for true, predicted, level, *both in costs.pairs:
        row, column = contract.index[true], contract.index[predicted]
        matrix[row, column] = costs.levels[level]
        if both:
            matrix[column, row] = costs.levels[level]
    np.fill_diagonal(matrix, 0.0)
    return matrix


def measurements(derived: Derived, *, level: float = 0.95) -> dict[str, Measurement]:
    """Return every measurement the rows support, by name, with intervals of the confidence ``level``."""
    single, gold, top = derived.single, derived.gold, derived.top
    names = derived.contract.label_names
    found = classification(derived.probabilities[single], gold[single], labels=names, level=level)
    found["cost_per_message"] = cost_per_message(top[single], gold[single], matrix=derived.cost_matrix, level=level)
    correct = top == gold
    found["coverage"] = coverage(derived.accepted, level=level)
    found["accepted_accuracy"] = accepted_accuracy(derived.accepted[single], correct[single], level=level)
    for percent in (50, 95, 99):
        name = f"latency_p{percent}_ms"
        found[name] = quantile(np.array(derived.receipt.latency_ms), percent / 100, name=name, level=level)
    if FP32 in derived.receipt.predicted:
        whole = derived.columns_of(FP32) == gold
        loss = accuracy_difference(whole[single], correct[single], level=level)
        found["quantization_accuracy_loss"] = _named(loss, "quantization_accuracy_loss")
    if not single.all() or derived.several.any():
        found |= _as_sets(derived, level=level)
    if derived.several.any():
        found |= _several_or_one(derived, level=level)
    return found


def baseline_accuracies(derived: Derived) -> dict[str, dict[str, Measurement]]:
    """Return accuracy for each baseline run on the same rows."""
    single, out = derived.single, {}
    for name in derived.baselines:
        correct = (derived.columns_of(name) == derived.gold)[single]
        out[name] = {"accuracy": _named(coverage(correct), "accuracy")}
    return out


def _as_sets(derived: Derived, *, level: float) -> dict[str, Measurement]:
    """Measure rows with ``labels`` as sets: what was found is the detected intents, or the one label."""
    shape = (len(derived.receipt.rows), len(derived.contract.labels))
    wanted, found = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for i, (row, decision) in enumerate(zip(derived.receipt.rows, derived.decisions, strict=True)):
        wanted[i, [derived.contract.index[label] for label in row.labels]] = True
        found[i, [derived.contract.index[label] for label in decision.intents] or [derived.top[i]]] = True
    return {"exact_match": exact_match(found, wanted, level=level), "micro_f1": micro_f1(found, wanted, level=level)}


def _several_or_one(derived: Derived, *, level: float) -> dict[str, Measurement]:
    """Measure how well rows with several labels are told from rows with one, where the scores say."""
    seen, given = derived.several, derived.receipt.several_threshold
    threshold = math.inf if given is None else given
    scores = np.array([row.several.score for row in derived.receipt.rows if row.several is not None])
    return several_or_one(scores, ~derived.single[seen], threshold=threshold, level=level)


def _named(measurement: Measurement, name: str) -> Measurement:
    body: dict[str, Any] = measurement.to_json() | {"name": name}
    return Measurement.from_json(body)
