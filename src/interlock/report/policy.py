"""What every candidate of a policy brings on rows it was not fitted on, as tables and a picture. Knows no fitting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from interlock.calibrate.policy import Aim, Fit, Rows
from interlock.core.contract import Contract, Threshold
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.measurement import Measurement
from interlock.core.receipt import Receipt
from interlock.data.write import write_whole
from interlock.gate.derive import Derived
from interlock.measure.bootstrap import bootstrap
from interlock.measure.plots.coverage import risk_picture
from interlock.measure.plots.style import Picture
from interlock.measure.proportion import proportion
from interlock.measure.thresholds import threshold_cost
from interlock.report.figures import save

PER = 1000  # messages that a cost is stated for
Flags = npt.NDArray[np.bool_]
Picked = Sequence[tuple[Decision, int]]  # what a policy decides for rows, and the columns of their right labels


@dataclass(frozen=True, slots=True)
class Candidate:
    """One bound, tried on the report rows."""

    threshold: float
    certified: bool  # on the fit rows, for the aim's precision
    precision: Measurement  # of the rows routed by themselves (called positive), the share that is right
    recall: Measurement  # bands: share of all rows routed, and rightly; threshold: of the positive rows
    coverage: Measurement  # share of all rows routed by themselves; threshold: not sent to people
    review: Measurement  # share of rows a person sees
    cost: Measurement  # dollars of 1,000 messages, reviews included

    @property
    def figures(self) -> dict[str, Measurement]:
        """The measurements by name."""
        return {name: getattr(self, name) for name in ("precision", "recall", "coverage", "review", "cost")}

    def to_json(self) -> dict[str, Any]:
        """Return the line."""
        found = {name: one.to_json() for name, one in self.figures.items()}
        return {"threshold": self.threshold, "certified": self.certified, **found}


def candidates(
    rows: Rows, bounds: Iterable[float], *, certified: Sequence[float], review_usd: float | None
) -> list[Candidate]:
    """Return what each bound brings on ``rows``; without ``review_usd`` the bound is a positive label's threshold."""
    n, out = len(rows.confidence), []
    for bound in bounds:
        over = (rows.confidence >= bound) & rows.passed
        taken, right = int(over.sum()), int((over & rows.right).sum())
        if review_usd is None:
            routed, of = n - taken, int(rows.right.sum())
            paid = np.where(over, rows.alarm, rows.cost)
        else:
            routed, of = taken, n
            paid = np.where(over, rows.cost, review_usd)
        cost = threshold_cost(np.ones(n), paid * PER, threshold=0, review_cost=0, resamples=1000)
        out.append(
            Candidate(
                bound,
                bound in certified,
                proportion("precision", right, taken),
                proportion("recall", right, of),
                proportion("coverage", routed, n),
                proportion("review", n - routed, n),
                cost,
            )
        )
    return out


@dataclass(frozen=True, slots=True)
class Sets:
    """Label sets on the report rows."""

    among: str  # all, or guarded
    by_label: bool  # promised for each label's messages apart
    promised: float
    fitted: int  # rows
    coverage: Measurement  # sets that hold the right label
    labels: Measurement  # mean labels in a set

    @classmethod
    def of(cls, among: str, held: Flags, sets: npt.NDArray[np.bool_], about: Mapping[str, Any]) -> Sets:
        """Return the summary of (n, k) sets; ``about`` gives ``by_label``, ``promised`` and ``fitted``."""
        found = proportion("set_coverage", int(held.sum()), held.size)
        counted = np.column_stack([sets.sum(axis=1), np.ones(len(sets))])
        many = (0.0, float(sets.shape[1]))
        size = bootstrap("set_size", counted, lambda sums: sums[:, 0] / sums[:, 1], support=many, resamples=1000)
        return cls(among, coverage=found, labels=size, **about)

    def to_json(self) -> dict[str, Any]:
        """Return the line."""
        body = {name: getattr(self, name) for name in ("among", "by_label", "promised", "fitted")}
        size = self.labels.value if self.labels.known else 0.0
        return {**body, "size": size, "labels": self.labels.to_json(), "coverage": self.coverage.to_json()}


def under(receipt: Receipt, contract: Contract) -> Receipt:
    """Return the same evidence as rows of another contract with the same labels."""
    fields = {name: getattr(receipt, name) for name in Receipt.model_fields}
    return Receipt(**{**fields, "contract": contract.to_json()})  # a model's copy would keep the contract it has parsed


def chosen(derived: Derived, contract: Contract, rows: Flags) -> dict[str, Measurement]:
    """Return what the policy of ``contract`` makes of some of a receipt's rows: shares of messages, or of positives."""
    decided = Derived(under(derived.receipt, contract))
    picked = [(decided.decisions[i], int(derived.gold[i])) for i in np.flatnonzero(rows)]
    if isinstance(contract.decide, Threshold):
        return _called(picked, contract.index[contract.decide.positive])
    return _banded(picked, [label.route for label in contract.labels.values()])


def _called(picked: Picked, positive: int) -> dict[str, Measurement]:
    """Return what a threshold makes of decisions with their right columns, by the names a candidate has."""
    called = [decision.reason is not Reason.BELOW_THRESHOLD for decision, _ in picked]
    right = sum(seen and gold == positive for seen, (_, gold) in zip(called, picked, strict=True))
    n, seen = len(picked), sum(called)
    return {
        "precision": proportion("precision", right, seen),
        "recall": proportion("recall", right, sum(gold == positive for _, gold in picked)),
        "coverage": proportion("coverage", n - seen, n),
        "review": proportion("review", seen, n),
    }


def _banded(picked: Picked, routes: Sequence[str]) -> dict[str, Measurement]:
    n = len(picked)
    routed = [(decision, gold) for decision, gold in picked if decision.outcome is Outcome.ROUTED]
    right = sum(decision.route == routes[gold] for decision, gold in routed)
    guarded = [(decision, gold) for decision, gold in picked if decision.outcome is Outcome.GUARDED]
    guarded_right = sum(decision.route == routes[gold] for decision, gold in guarded)
    return {
        "precision": proportion("precision", right, len(routed)),
        "routed": proportion("routed", len(routed), n),
        "guarded": proportion("guarded", len(guarded), n),
        "guarded_precision": proportion("guarded_precision", guarded_right, len(guarded)),
        "review": proportion("review", n - len(routed) - len(guarded), n),
    }


@dataclass(frozen=True)
class Swept:
    """A policy fitted to an aim, and everything shown of it."""

    aim: Aim
    fit: Fit
    rows: tuple[int, int]  # that fitted, that report
    fitted_on: str  # digest of the rows that fitted
    candidates: list[Candidate]
    policy: Contract | None  # the contract with the fitted bounds; None where nothing serves the aim
    chosen: Mapping[str, Measurement]  # what these bounds make of the report rows
    current: Mapping[str, Measurement]  # what the bundle's own bounds make of them
    sets: list[Sets]
    repeats: int  # rows left out because they nearly repeat another one

    @property
    def keys(self) -> dict[str, Any] | None:
        """The fitted policy as contract keys."""
        return None if self.policy is None else {"decide": self.policy.to_json()["decide"]}

    def to_json(self) -> dict[str, Any]:
        """Return everything by name."""
        return {
            "aim": _aim(self.aim),
            "fit": {"rows": self.rows[0], "digest": self.fitted_on},
            "report": {"rows": self.rows[1]},
            "repeats": self.repeats,
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "threshold": self.fit.threshold,
            "labels": dict(self.fit.labels),
            "why": self.fit.why,
            "chosen": {name: found.to_json() for name, found in self.chosen.items()},
            "current": {name: found.to_json() for name, found in self.current.items()},
            "sets": [found.to_json() for found in self.sets],
            "policy": self.keys,
        }

    def picture(self) -> Picture:
        """Return risk against coverage, with the bound that was chosen."""
        own = {"chosen": self.fit.threshold} if self.fit.threshold is not None else {}
        return risk_picture(self.candidates, at=own)


def _aim(aim: Aim) -> dict[str, Any]:
    named = {name: getattr(aim, name) for name in ("kind", "capacity", "error", "per_label")}
    return named if math.isnan(aim.share) else {**named, "share": aim.share}


def write_sweep(found: Swept, folder: Path, *, body: str) -> None:
    """Write the picture, ``sweep.json`` (``body``) and, where there is one, ``policy.yaml`` with contract keys.

    Where there is none, the one of an earlier sweep does not stay beside figures that refuse it.

    Raises:
        MissingExtraError: the drawing library is not installed; nothing was written.
    """
    save(folder, {"risk_coverage": found.picture()})
    (folder / "policy.yaml").unlink(missing_ok=True)
    write_whole(folder / "sweep.json", [body])
    if found.keys is not None:
        write_whole(folder / "policy.yaml", [yaml.safe_dump(found.keys, sort_keys=False, allow_unicode=True)])
