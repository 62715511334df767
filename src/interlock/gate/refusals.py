"""Why a receipt is no evidence at all, before any limit is looked at. Pure; knows no limits.

Each reason has its own code: another dataset, rows missing, added, twice or copied, edited numbers, leaked rows,
calibration on the rows that judge, a policy that decides nothing, a receipt from the future.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.core.contract import Bands
from interlock.core.measurement import Measurement
from interlock.core.receipt import Receipt
from interlock.gate.derive import Derived

TOLERANCE = 1e-9  # between a printed metric and the same metric recomputed from the rows
TOLERATED = {"near", "time"}  # crossings an official split may have; a split of our own making has none of any kind
MOST_ATTEMPTS = 10  # candidates on the same rows; beyond, the bootstrap could not resolve the levels
DISTINCT = 0.98  # least share of the rows whose text no earlier row has
CLOCKS_DIFFER = timedelta(minutes=5)  # between two machines that keep time
PINNED = ("dataset_version", "split_manifest_version", "model_version")
FITTED_ON = ("train_digest", "calibration_digest")


@dataclass(frozen=True)
class Known:
    """What is known of a receipt's rows and moment beside what it says."""

    attempt: int = 1  # which candidate of its rows it is
    registered: str | None = None  # the evaluation set of the first candidate
    now: datetime | None = None


def refusals(derived: Derived, *, claimed_digest: str | None, known: Known) -> Iterator[str]:
    """Yield every reason why the receipt does not count, each ``code:detail``."""
    receipt = derived.receipt
    yield from _spent(known.attempt)
    yield from _wrong_digest(receipt, claimed_digest)
    yield from _wrong_time(receipt, known.now)
    yield from _wrong_identity(derived)
    yield from _relabelled(derived, known.registered)
    yield from _fitted_on_these(receipt)
    yield from _wrong_rows(derived)
    yield from _copies(receipt)
    yield from _leaks(receipt)


def _spent(attempt: int) -> Iterator[str]:
    if attempt > MOST_ATTEMPTS:
        yield f"attempts:{attempt}"


def _wrong_digest(receipt: Receipt, claimed: str | None) -> Iterator[str]:
    if claimed != receipt.digest:
        yield f"digest:{claimed or 'missing'}"


def _wrong_time(receipt: Receipt, now: datetime | None) -> Iterator[str]:
    """A receipt from the future was dated by hand, or by a clock that nothing else should believe either."""
    if receipt.created is None:
        return
    try:
        early = now is not None and datetime.fromisoformat(receipt.created) > now + CLOCKS_DIFFER
    except (ValueError, TypeError):  # no time, or one without a zone
        early = True
    if early:
        yield f"created:{receipt.created[:40]}"


def _wrong_identity(derived: Derived) -> Iterator[str]:
    contract, identity = derived.contract, derived.receipt.identity
    for field in PINNED:
        pinned = getattr(contract.evaluation, field)
        if pinned is not None and identity.get(field) != pinned:
            yield f"{field}:{identity.get(field, 'missing')}"
    for field, value in contract.evaluation.identity.items():
        if identity.get(field) != value:
            yield f"identity:{field}={identity.get(field, 'missing')}"
    if identity.get("label_version") != contract.label_version:
        yield f"label_version:{identity.get('label_version', 'missing')}"
    if identity.get("contract_digest", contract.digest) != contract.digest:
        yield f"contract_digest:{identity['contract_digest']}"


def _relabelled(derived: Derived, registered: str | None) -> Iterator[str]:
    """Refuse labels or slices that are not the registered ones; the contract's digest counts before the ledger's."""
    pinned, found = derived.contract.evaluation.rows, derived.receipt.evaluation_set
    if pinned is not None and found != pinned:
        yield f"rows:{found}"
    if pinned is None and registered is not None and found != registered:
        yield f"relabelled:{found}"


def _fitted_on_these(receipt: Receipt) -> Iterator[str]:
    """What was trained or calibrated on the very rows that judge it is flattered by them."""
    fitted = {field: receipt.identity.get(field) for field in FITTED_ON}
    fitted["decide.fitted_on"] = receipt.parsed_contract.decide.fitted_on
    for field, rows in fitted.items():
        if rows is not None and rows == receipt.identity.get("dataset_digest"):
            yield f"fitted_on_test:{field}"


def _wrong_rows(derived: Derived) -> Iterator[str]:
    """Compare the rows with the registered inventory: the contract's fixtures, else the split manifest's test rows."""
    wanted = set(derived.contract.evaluation.fixtures or derived.receipt.fixtures)
    counts = Counter(row.id for row in derived.receipt.rows)
    if not wanted:
        yield "no_fixtures:nothing says which rows this receipt must hold"
    if missing := sorted(wanted - set(counts)):
        yield f"missing:{listed(missing)}"
    if wanted and (unexpected := sorted(set(counts) - wanted)):
        yield f"unexpected:{listed(unexpected)}"
    if twice := sorted(id_ for id_, count in counts.items() if count != 1):
        yield f"duplicate:{listed(twice)}"


def _copies(receipt: Receipt) -> Iterator[str]:
    """Refuse rows that were padded with copies; alike ones beyond copies count once, see ``Derived.apart``."""
    copies = sorted(row.id for row in receipt.rows if row.copy_of is not None)
    if not len(copies) <= (1 - DISTINCT) * len(receipt.rows):
        yield f"copies:{listed(copies)}"


def _leaks(receipt: Receipt) -> Iterator[str]:
    """Refuse rows shared in any way but the tolerated ones; a kind nobody knows refuses too."""
    for kind, count in sorted(receipt.crossings.items()):
        if kind not in TOLERATED and count != 0:
            yield f"leak:{kind}={count}"


def edited(receipt: Receipt, measured: Mapping[str, Measurement]) -> Iterator[str]:
    """Recompute every printed number; one that differs was not made from these rows."""
    for name, printed in sorted(receipt.measurements.items()):
        found = measured.get(name)
        if found is None or printed.get("n") != found.n or not _same(printed.get("value"), found.value):
            yield f"metric_mismatch:{name}"


def _same(printed: object, value: float) -> bool:
    if printed is None or isinstance(printed, bool) or not isinstance(printed, int | float):
        return printed is None and math.isnan(value)
    return abs(float(printed) - value) <= TOLERANCE


def undecided(derived: Derived) -> Iterator[str]:
    """Refuse a policy that routes nothing itself, or that could never do anything else.

    Under bands nothing abstains when the lowest band starts at or below 1/k and no gate looks for unknown messages;
    under a threshold one label gets every row although the rows are of both.
    """
    policy, labels = derived.contract.decide, len(derived.contract.labels)
    accepted, n = int(derived.accepted.sum()), derived.accepted.size
    if isinstance(policy, Bands):
        abstains = policy.guarded.confidence > 1 / labels or derived.receipt.unknown_threshold is not None
        if n and not accepted:
            yield "coverage:0"
        elif accepted == n and not abstains:
            yield "coverage:1"
        return
    called = {decision.label for decision in derived.decisions}
    if len(called) == 1 and len(set(derived.gold.tolist())) > 1:
        yield f"coverage:{int(called == {policy.positive})}"


def listed(ids: list[str], most: int = 20) -> str:
    """Return the first ids, and how many there are."""
    return ",".join(ids[:most]) + (f",... ({len(ids)} in all)" if len(ids) > most else "")
