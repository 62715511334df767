"""The decision policy fitted to an aim on some rows, and shown on others. The walk of ``evaluate``, for bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from interlock.bundle.open import Bundle
from interlock.calibrate.fit import in_second_half
from interlock.calibrate.policy import GRID, Aim, Fit, Flags, Rows, check_aim, fit_policy
from interlock.core.clock import Clock, SystemClock
from interlock.core.contract import Bands, Contract, Threshold
from interlock.core.dataset import Dataset
from interlock.core.decision import Outcome
from interlock.core.errors import InputError, Problem
from interlock.core.progress import Watch, every, unwatched
from interlock.data.read import read
from interlock.data.twins import twins
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
            and ids, and the others report, unless there is ``report_data``. Of rows nearly the same one counts.
        aim: what the policy is for.
        report_data: other rows to report on; all of ``data`` then fits.
        coverage: chance that a label set holds the right label.
        watch: told how far it is.
        clock: stamps nothing that is kept.

    Raises:
        InputError: rows that do not read, rows the bundle was judged or trained on, rows in both files, or too few; an
            aim this kind of policy cannot have, or a cheapest policy where misroutes cost nothing.
    """
    binary = isinstance(bundle.contract.decide, Threshold)
    check_aim(aim, binary=binary)
    if aim.kind == "cost" and not _usd(bundle.contract).any():
        said = Problem("contract", "costs and money", "a misroute that costs something", "0 for every pair of labels")
        raise InputError("where no misroute costs anything, no bound is cheaper than routing everything", [said])
    rows, fits, repeats = _divided(bundle, data, report_data)
    subject = Subject(name=bundle.manifest.name, identity=bundle.manifest.identity)
    receipt = take(bundle.predictor, rows, subject, clock=clock or SystemClock(), progress=every(watch, "measure"))
    derived = Derived(receipt)
    fits, reports = fits & derived.single, ~fits & derived.single
    contract = bundle.contract
    judged = _judged(derived)
    fit = fit_policy(
        judged.take(fits),
        aim,
        labels=contract.label_names,
        review_usd=contract.money.review_usd,
        binary=binary,
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
        repeats=repeats,
    )


def _divided(bundle: Bundle, data: str | Path, report_data: str | Path | None) -> tuple[Dataset, Flags, int]:
    """Return the rows of which no two are nearly the same, which of them fit, and how many others were left out.

    Rows that are alike are right or wrong together: counted apart, a few messages copied often would prove anything.
    """
    labels, turns = bundle.contract.label_names, bundle.contract.input.turns
    rows = read(data, labels=labels, turns=turns)
    other = read(report_data, labels=labels, turns=turns) if report_data is not None else Dataset(())
    for file, found in ((data, rows), (report_data, other)):
        _check_unseen(bundle, found, str(file))
    ours = {row.id for row in rows} | {same_text_key(row.text) for row in rows}
    if both := [row.id for row in other if row.id in ours or same_text_key(row.text) in ours]:
        problems = [Problem(str(report_data), name, f"a row that {data} does not have", "it") for name in both[:SHOWN]]
        raise InputError(f"{len(both)} rows are in both files: fit and report never share rows", problems)
    whole = Dataset((*rows.examples, *other.examples))
    alike = twins(whole)
    kept = Dataset(tuple(row for row in whole if row.id not in alike.copies and row.id not in alike.near))
    keys = [row.group or row.id for row in kept]
    fitting = {row.id for row in rows}
    fits = ~in_second_half(keys) if report_data is None else np.array([row.id in fitting for row in kept])
    single = np.array([len(row.labels) == 1 for row in kept])
    for name, some in (("fit", fits & single), ("report", ~fits & single)):
        if not some.any():
            said = Problem(str(data), "", f"rows with one label to {name} on", f"none among {len(kept)}")
            raise InputError("there are too few rows to fit a policy and to show it", [said])
    return kept, fits, len(whole) - len(kept)


def _check_unseen(bundle: Bundle, rows: Dataset, file: str) -> None:
    """Refuse rows the bundle was judged on, and those it was trained on as far as it knows them."""
    receipt, near = bundle.receipt(), bundle.neighbours
    judged = {row.id for row in receipt.rows} | set(receipt.fixtures)
    for known, kind, verb in ((judged, "test", "judged"), (set(near.ids if near else ()), "training", "trained")):
        if seen := [row.id for row in rows if row.id in known]:
            problems = [Problem(file, name, f"a row it was not {verb} on", f"a {kind} row") for name in seen[:SHOWN]]
            said = f"{len(seen)} rows of {file} are the bundle's {kind} rows: nothing is fitted on these"
            raise InputError(said, problems, todo="Other rows that have the same ids need ids of their own.")


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
        seen = [row.disguised or row.doubted or row.truncated for row in derived.receipt.rows]  # by people in any case
        return Rows(
            confidence=np.where(seen, 1.0, derived.probabilities[:, positive]),  # positive under any threshold
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
        auto = {
            "confidence": max(policy.auto.confidence, bound),
            "margin": policy.auto.margin,
            "labels": {label: max(own, bound) for label, own in policy.auto.labels.items()},
        }
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
            out.append(Sets.of(name, held, sets, about))
    return out
