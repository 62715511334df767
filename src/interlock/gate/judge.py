"""One receipt against the limits of its contract. Pure; knows no files and no clock.

A verdict has three values and only ``pass`` moves anything: what is missing, not a number, too small or not
comparable is ``inconclusive`` and holds. Evidence that does not count (another dataset, rows missing, added or twice,
edited numbers, leaked rows) is refused before any limit is looked at.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from interlock.core.contract import Limit
from interlock.core.decision import Decision, Outcome
from interlock.core.measurement import Measurement, unmeasured
from interlock.core.receipt import Receipt
from interlock.core.verdict import Judgement, Status, Verdict
from interlock.gate.derive import CHAMPION, Derived, IntArray, measurements
from interlock.measure.compare import accuracy_difference
from interlock.measure.cost import cost_ratio
from interlock.measure.power import rows_needed
from interlock.measure.proportion import proportion

TOLERANCE = 1e-9  # between a printed metric and the same metric recomputed from the rows
TOLERATED = {"near", "time"}  # crossings an official split may have; a split of our own making has none of any kind
ALPHA = 0.05
MOST_ATTEMPTS = 10  # candidates on the same rows; beyond, the bootstrap could not resolve the levels
PINNED = ("dataset_version", "split_manifest_version", "model_version")


def judge(
    receipt: Receipt, *, claimed_digest: str | None, champion: Receipt | None = None, attempt: int = 1
) -> Judgement:
    """Return the verdict on ``receipt``.

    Args:
        receipt: the evidence.
        claimed_digest: the digest its file states; anything but the true one refuses.
        champion: the receipt of the router in service, on the same rows. Without one, comparisons are with what the
            receipt keeps of the champion it was built against, else with its best baseline, and say so.
        attempt: which candidate this is of those judged on the same rows; later ones have more to prove.

    Raises:
        InputError: the receipt's parts contradict each other (logits that do not fit the labels, unknown labels).
    """
    derived, level = Derived(receipt), attempt_level(attempt)
    refusals = [
        *_spent(attempt),
        *_wrong_digest(receipt, claimed_digest),
        *_wrong_identity(derived),
        *_wrong_rows(derived),
        *_leaks(receipt),
    ]
    if refusals:
        return Judgement((), tuple(refusals))
    measured = measurements(derived, level=level)
    if refusals := list(_edited(receipt, measured)):
        return Judgement((), tuple(refusals), measured)
    measured |= _against_champion(derived, champion, level=level)
    verdicts = [*_required_slices(derived), *_critical_recalls(derived, measured), *_limits(derived, measured)]
    return Judgement(tuple(verdicts), (), measured)


def attempt_level(attempt: int) -> float:
    """Return the confidence level that candidate 1, 2, ... of the same rows is judged at.

    The first is judged at 95 %, candidate k at 1 - 0.05 / (k (k - 1)). As these shares sum to 0.05 over k = 2, 3, ...,
    all candidates together pass a limit that none of them meets with a probability of at most 5 %: each judgement looks
    at one end of a two-sided interval (alpha investing, Foster and Stine 2008, without earning any back).
    """
    return 1 - ALPHA / max(1, attempt * (attempt - 1))


def _spent(attempt: int) -> Iterator[str]:
    if attempt > MOST_ATTEMPTS:
        yield f"attempts:{attempt}"


def _wrong_digest(receipt: Receipt, claimed: str | None) -> Iterator[str]:
    if claimed != receipt.digest:
        yield f"digest:{claimed or 'missing'}"


def _wrong_identity(derived: Derived) -> Iterator[str]:
    contract, identity = derived.contract, derived.receipt.identity
    for field in PINNED:
        pinned = getattr(contract.evaluation, field)
        if pinned is not None and identity.get(field) != pinned:
            yield f"{field}:{identity.get(field, 'missing')}"
    if identity.get("label_version") != contract.label_version:
        yield f"label_version:{identity.get('label_version', 'missing')}"
    if identity.get("contract_digest", contract.digest) != contract.digest:
        yield f"contract_digest:{identity['contract_digest']}"


def _wrong_rows(derived: Derived) -> Iterator[str]:
    """Compare the rows with the registered inventory: the contract's fixtures, else the split manifest's test rows."""
    wanted = set(derived.contract.evaluation.fixtures or derived.receipt.fixtures)
    counts = Counter(row.id for row in derived.receipt.rows)
    if not wanted:
        yield "no_fixtures:nothing says which rows this receipt must hold"
    if missing := sorted(wanted - set(counts)):
        yield f"missing:{_listed(missing)}"
    if wanted and (unexpected := sorted(set(counts) - wanted)):
        yield f"unexpected:{_listed(unexpected)}"
    if twice := sorted(id_ for id_, count in counts.items() if count != 1):
        yield f"duplicate:{_listed(twice)}"


def _leaks(receipt: Receipt) -> Iterator[str]:
    """Refuse rows shared in any way but the tolerated ones; a kind nobody knows refuses too."""
    for kind, count in sorted(receipt.crossings.items()):
        if kind not in TOLERATED and count != 0:
            yield f"leak:{kind}={count}"


def _edited(receipt: Receipt, measured: dict[str, Measurement]) -> Iterator[str]:
    """Recompute every printed number; one that differs was not made from these rows."""
    for name, printed in sorted(receipt.measurements.items()):
        found = measured.get(name)
        if found is None or printed.get("n") != found.n or not _same(printed.get("value"), found.value):
            yield f"metric_mismatch:{name}"


def _same(printed: object, value: float) -> bool:
    if printed is None or isinstance(printed, bool) or not isinstance(printed, int | float):
        return printed is None and math.isnan(value)
    return abs(float(printed) - value) <= TOLERANCE


def _against_champion(derived: Derived, champion: Receipt | None, *, level: float) -> dict[str, Measurement]:
    """Return paired comparisons on the single-label rows; unmeasured when the rows are not the same."""
    wanted = [name for name in derived.contract.limits if name.endswith("_vs_champion")]
    if not wanted:
        return {}
    found, name = _champion_columns(derived, champion)
    if found is None:
        return {limit: unmeasured(limit) for limit in wanted}
    single, gold = derived.single, derived.gold
    mine, theirs = (derived.top == gold)[single], (found == gold)[single]
    difference = accuracy_difference(mine, theirs, level=level)
    ratio = cost_ratio(derived.top[single], found[single], gold[single], matrix=derived.cost_matrix, level=level)
    made = {"accuracy_vs_champion": difference, "cost_vs_champion": ratio}
    return {limit: _against(made[limit], limit, name) if limit in made else unmeasured(limit) for limit in wanted}


def _against(measurement: Measurement, limit: str, champion: str) -> Measurement:
    return Measurement.from_json({**measurement.to_json(), "name": limit, "slice": f"champion={champion}"})


def _champion_columns(derived: Derived, champion: Receipt | None) -> tuple[IntArray | None, str]:
    if champion is not None:
        other = Derived(champion)
        same_rows = [row.id for row in champion.rows] == [row.id for row in derived.receipt.rows]
        same_gold = [row.labels for row in champion.rows] == [row.labels for row in derived.receipt.rows]
        same_labels = other.contract.label_names == derived.contract.label_names
        return (other.top if same_rows and same_gold and same_labels else None), champion.name
    if CHAMPION in derived.receipt.predicted:
        return derived.columns_of(CHAMPION), CHAMPION
    if not derived.baselines:
        return None, ""
    best = max(
        derived.baselines, key=lambda name: float((derived.columns_of(name) == derived.gold)[derived.single].mean())
    )
    return derived.columns_of(best), best


def _required_slices(derived: Derived) -> Iterator[Verdict]:
    """No critical row of a required slice may be sent anywhere but its own route or a fallback."""
    for name in derived.contract.slices.required:
        rows = [i for i, row in enumerate(derived.receipt.rows) if row.slice == name]
        critical = [i for i in rows if set(derived.receipt.rows[i].labels) & derived.contract.critical]
        missed = sorted(derived.receipt.rows[i].id for i in critical if _missed(derived, i, derived.decisions[i]))
        status = Status.FAIL if missed else Status.PASS if critical else Status.INCONCLUSIVE
        reason = (
            f"missed:{_listed(missed)}" if missed else f"slice_empty:{name}" if not critical else f"pass:slice.{name}"
        )
        recall = proportion("critical_recall", len(critical) - len(missed), len(critical))
        evidence = Measurement.from_json({**recall.to_json(), "slice": f"slice={name}"})
        yield Verdict(f"slices.required.{name}", status, reason, evidence, rule="no critical row missed")


def _missed(derived: Derived, row: int, decision: Decision) -> bool:
    if decision.outcome not in {Outcome.ROUTED, Outcome.GUARDED}:
        return False  # a person or the fallback sees it
    own = {derived.contract.labels[label].route for label in derived.receipt.rows[row].labels}
    return decision.route not in own


def _critical_recalls(derived: Derived, measured: dict[str, Measurement]) -> Iterator[Verdict]:
    for label, least in derived.contract.slices.critical_min_recall.items():
        yield _verdict(f"critical_min_recall.{label}", Limit(at_least=least), measured.get(f"recall.{label}"))


def _limits(derived: Derived, measured: dict[str, Measurement]) -> Iterator[Verdict]:
    for name, limit in derived.contract.limits.items():
        yield _verdict(name, limit, measured.get("ece_debiased" if name == "ece" else name))


def _verdict(name: str, limit: Limit, found: Measurement | None) -> Verdict:
    least = limit.at_least is not None
    bar = float(limit.at_least if limit.at_least is not None else limit.at_most or 0.0)
    rule = f"{'at least' if least else 'at most'} {bar:g}{'' if limit.on == 'bound' else ' by value'}"
    status = _status(limit, bar, found)
    needed = None
    if status is Status.INCONCLUSIVE and found is not None and limit.on == "bound" and found.known:
        needed = rows_needed(found, limit=bar)
    return Verdict(name, status, f"{status.value}:{name}", found, rule, needed)


def _status(limit: Limit, bar: float, found: Measurement | None) -> Status:
    """Written so that NaN passes nothing: every branch to ``pass`` or ``fail`` needs a true comparison."""
    if found is None or found.n < 1:
        return Status.INCONCLUSIVE
    low, high = (found.value, found.value) if limit.on == "value" else (found.low, found.high)
    if limit.at_least is not None:
        return Status.PASS if low >= bar else Status.FAIL if high < bar else Status.INCONCLUSIVE
    return Status.PASS if high <= bar else Status.FAIL if low > bar else Status.INCONCLUSIVE


def _listed(ids: list[str], most: int = 20) -> str:
    return ",".join(ids[:most]) + (f",... ({len(ids)} in all)" if len(ids) > most else "")
