"""The decision policy fitted to an aim on some rows, and shown on others. The walk of ``evaluate``, for bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from interlock.bundle.open import Bundle
from interlock.calibrate.fit import in_second_half
from interlock.calibrate.policy import GRID, Aim, Fit, Flags, Rows, fit_policy
from interlock.core.clock import Clock, SystemClock
from interlock.core.contract import Bands, Contract, Threshold
from interlock.core.dataset import Dataset
from interlock.core.decision import Outcome
from interlock.core.errors import InputError, Problem
from interlock.core.progress import Watch, every, unwatched
from interlock.data.read import read
from interlock.gate.derive import Derived, cost_matrix
from interlock.gate.take import Subject, take
from interlock.measure.risk import fit_label_sets
from interlock.predict.decide import standing
from interlock.predict.normalise import same_text_key
from interlock.predict.scorer import FloatArray
from interlock.report.policy import Candidate, Sets, Swept, candidates, chosen, under
from interlock.report.thresholds import usd_per_harm_unit

SHOWN = 10  # rows named in an error


def sweep(
    bundle: Bundle,
    data: str | Path,
    *,
    aim: Aim,
    report_data: str | Path | None = None,
    coverage: float = 0.95,
    watch: Watch = unwatched,
    clock: Clock | None = None,
) -> Swept:
    """Fit the bounds of ``bundle``'s policy to ``aim``.

    Args:
        bundle: an opened bundle.
        data: labelled messages that it was neither trained nor judged on; half of them fit, by the digests of groups
            and ids, and the others report, unless there is ``report_data``.
        aim: what the policy is for.
        report_data: other rows to report on; all of ``data`` then fits.
        coverage: chance that a label set holds the right label.
        watch: told how far it is.
        clock: stamps nothing that is kept.

    Raises:
        InputError: rows that do not read, rows the bundle was judged on, rows in both files, or too few; a cheapest
            policy where misroutes cost nothing.
    """
    if aim.kind == "cost" and not _usd(bundle.contract).any():
        said = Problem("contract", "costs and money", "a misroute that costs something", "0 for every pair of labels")
        raise InputError("where no misroute costs anything, no bound is cheaper than routing everything", [said])
    rows, fits = _divided(bundle, data, report_data)
    subject = Subject(name=bundle.manifest.name, identity=bundle.manifest.identity)
    receipt = take(bundle.predictor, rows, subject, clock=clock or SystemClock(), progress=every(watch, "measure"))
    derived = Derived(receipt)
    single = derived.single
    fits, reports = fits & single, ~fits & single
    contract = bundle.contract
    judged = _judged(derived)
    fit = fit_policy(
        judged.take(fits),
        aim,
        labels=contract.label_names,
        review_usd=contract.money.review_usd,
        binary=isinstance(contract.decide, Threshold),
    )
    fitted_on = Dataset(tuple(row for row, mine in zip(rows, fits, strict=True) if mine)).fingerprint
    policy = fitted(contract, fit, aim, fitted_on=fitted_on)
    return Swept(
        aim=aim,
        fit=fit,
        rows=(int(fits.sum()), int(reports.sum())),
        fitted_on=fitted_on,
        candidates=_tried(judged.take(reports), contract, fit),
        policy=policy,
        chosen=chosen(derived, policy, reports) if policy is not None else {},
        current=chosen(derived, contract, reports),
        sets=_sets(derived, fits, reports, coverage),
        binary=isinstance(contract.decide, Threshold),
    )


def _divided(bundle: Bundle, data: str | Path, report_data: str | Path | None) -> tuple[Dataset, Flags]:
    """Return all rows, and which of them fit."""
    rows = read(data, labels=bundle.contract.label_names, turns=bundle.contract.input.turns)
    receipt = bundle.receipt()
    judged = {row.id for row in receipt.rows} | set(receipt.fixtures)
    if seen := [row.id for row in rows if row.id in judged]:
        problems = [Problem(str(data), name, "a row it was not judged on", "a test row") for name in seen[:SHOWN]]
        raise InputError(f"{len(seen)} rows of {data} are the bundle's test rows: nothing is fitted on these", problems)
    if report_data is None:
        return rows, ~in_second_half([row.group or row.id for row in rows])
    other = read(report_data, labels=bundle.contract.label_names, turns=bundle.contract.input.turns)
    ours = {row.id for row in rows} | {same_text_key(row.text) for row in rows}
    if both := [row.id for row in other if row.id in ours or same_text_key(row.text) in ours]:
        problems = [Problem(str(report_data), name, f"a row that {data} does not have", "it") for name in both[:SHOWN]]
        raise InputError(f"{len(both)} rows are in both files: fit and report never share rows", problems)
    return Dataset((*rows.examples, *other.examples)), np.arange(len(rows) + len(other)) < len(rows)


def _usd(contract: Contract) -> FloatArray:
    """Return (k, k) dollars of routing a message of one label (row) as another."""
    return cost_matrix(contract.costs, contract) * usd_per_harm_unit(contract)


def _judged(derived: Derived) -> Rows:
    """Return what the router makes of every row before its own bounds."""
    contract, gold = derived.contract, derived.gold
    usd = _usd(contract)
    policy = contract.decide
    n = len(gold)
    if isinstance(policy, Threshold):
        positive = contract.index[policy.positive]
        called = np.array([row.disguised or row.doubted for row in derived.receipt.rows], dtype=np.bool_)
        return Rows(
            confidence=np.where(called, 1.0, derived.probabilities[:, positive]),  # positive under any threshold
            right=gold == positive,
            passed=np.ones(n, dtype=np.bool_),
            leading=np.full(n, positive),
            cost=usd[gold, 1 - positive],
            alarm=usd[gold, positive],
        )
    leads = [standing(p, contract) for p in derived.probabilities]
    leading = np.array([lead.first for lead in leads])
    routes = np.array([label.route for label in contract.labels.values()], dtype=object)
    right = routes[leading] == routes[gold] if policy.level == "route" else leading == gold
    wide = _with(contract, {"auto": {"confidence": 0, "margin": 0}, "guarded": {"confidence": 0}, "ambiguous": None})
    opened = Derived(under(derived.receipt, wide)).decisions
    return Rows(
        confidence=np.array([lead.confidence for lead in leads]),
        right=np.asarray(right, dtype=np.bool_),
        passed=np.array([decision.outcome is Outcome.ROUTED for decision in opened], dtype=np.bool_),
        leading=leading,
        cost=usd[gold, leading],
        alarm=np.zeros(n),
    )


def _with(contract: Contract, decide: dict[str, object]) -> Contract:
    body = contract.to_json()
    return Contract.from_json({**body, "decide": {**body["decide"], **decide}})


def fitted(contract: Contract, fit: Fit, aim: Aim, *, fitted_on: str) -> Contract | None:
    """Return the contract with the bounds that were found, or None where none were.

    Precision and risk set where messages are routed without a second look; the guarded band below keeps its bound
    unless it would lie above. Cost sets where messages go to people at all.
    """
    policy, bound = contract.decide, fit.threshold
    if bound is None:
        return None
    if isinstance(policy, Threshold):
        return _with(contract, {"threshold": bound, "fitted_on": fitted_on})
    if aim.kind == "cost":
        auto = {"confidence": max(policy.auto.confidence, bound), "margin": policy.auto.margin}
        return _with(contract, {"auto": auto, "guarded": {"confidence": bound}, "fitted_on": fitted_on})
    lowest = min(policy.guarded.confidence, bound, *fit.labels.values())
    auto_band = {"confidence": bound, "margin": 0.0, "labels": dict(fit.labels)}
    return _with(
        contract, {"auto": auto_band, "guarded": {"confidence": lowest}, "ambiguous": None, "fitted_on": fitted_on}
    )


def _tried(rows: Rows, contract: Contract, fit: Fit) -> list[Candidate]:
    bounds = sorted({*GRID, *([fit.threshold] if fit.threshold is not None else [])})
    review = contract.money.review_usd if isinstance(contract.decide, Bands) else None
    return candidates(rows, bounds, certified=fit.certified, review_usd=review)


def _sets(derived: Derived, fits: Flags, reports: Flags, coverage: float) -> list[Sets]:
    """Return split and class-conditional label sets: for all messages, and for those of the guarded band alone."""
    guarded = np.array([decision.outcome is Outcome.GUARDED for decision in derived.decisions], dtype=np.bool_)
    out = []
    for name, among in (("all", np.ones_like(guarded)), ("guarded", guarded)):
        for by_label in (False, True):
            mine, theirs = fits & among, reports & among
            p, gold = derived.probabilities, derived.gold
            sets = fit_label_sets(p[mine], gold[mine], coverage=coverage, by_label=by_label).sets(p[theirs])
            held = sets[np.arange(len(sets)), gold[theirs]]
            about = {"by_label": by_label, "promised": coverage, "fitted": int(mine.sum())}
            out.append(Sets.of(name, held, sets.sum(axis=1), about))
    return out
