"""Judging on the record: attempts are entered before anybody looks, verdicts after. Knows no storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from interlock.core.canonical import digest_of
from interlock.core.clock import Clock
from interlock.core.ledger import LONGEST, Deed, Entry, Ledger
from interlock.core.receipt import Receipt
from interlock.core.verdict import Judgement
from interlock.gate.judge import ALONE, Beside, judge

ATTEMPT, VERDICT, PACKED, ATTESTED = "attempt", "verdict", "packed", "attested: "


@dataclass(frozen=True)
class Record:
    """A ledger, and who enters something in it, by which clock."""

    ledger: Ledger
    actor: str
    clock: Clock

    def attempt(self, receipt: Receipt) -> int:
        """Enter that ``receipt`` is about to be judged; return which candidate of its rows it is: 1, 2, ...

        The ledger decides the order, so two gates at once get two numbers. Judging a receipt again is no new attempt,
        and other labels for the same rows are no new rows.
        """
        rows = {"evaluation_set": receipt.evaluation_set, "row_ids": receipt.row_ids}
        self._enter(Deed.of(ATTEMPT, receipt.digest, actor=self.actor, evidence=rows))
        candidates = dict.fromkeys(deed.subject for deed in self._attempts(receipt))
        return list(candidates).index(receipt.digest) + 1

    def registered(self, receipt: Receipt) -> str | None:
        """Return the evaluation set of the first candidate on these rows of this router: what their labels are."""
        same = (deed.evidence for deed in self._attempts(receipt) if deed.evidence.get("row_ids") == receipt.row_ids)
        return next((rows.get("evaluation_set", "") for rows in same), None)

    def _attempts(self, receipt: Receipt) -> Iterator[Deed]:
        mine = {"evaluation_set": receipt.evaluation_set, "row_ids": receipt.row_ids}
        for entry in self.ledger.entries():
            if entry.deed.action == ATTEMPT and mine.items() & entry.deed.evidence.items():
                yield entry.deed

    def verdict(self, receipt: Receipt, judgement: Judgement, beside: Beside = ALONE) -> Entry:
        """Enter what was found about ``receipt``, and what it rests on."""
        evidence = {
            "receipt": receipt.digest,
            "evaluation_set": receipt.evaluation_set,
            "contract": receipt.parsed_contract.digest,
            "judgement": digest_of(judgement.to_json()),
        }
        if beside.champion is not None:
            evidence["champion"] = beside.champion.digest
        if beside.gate is not None:
            evidence["gate"] = beside.gate
        if beside.counts:
            evidence["counts"] = digest_of({name: list(count) for name, count in beside.counts.items()})
        note = f"{judgement.verdict}: {', '.join(judgement.reasons)}"[:LONGEST]
        return self._enter(Deed.of(VERDICT, receipt.digest, actor=self.actor, evidence=evidence, note=note))

    def attested(self, receipt: Receipt) -> dict[str, set[str]]:
        """Return what was attested about ``receipt`` or a bundle packed with it: what was done, and who did it."""
        entries = list(self.ledger.entries())
        about = {receipt.digest} | {
            entry.deed.subject
            for entry in entries
            if entry.deed.action == PACKED and entry.deed.evidence.get("receipt") == receipt.digest
        }
        found: dict[str, set[str]] = {}
        for entry in entries:
            if entry.deed.action.startswith(ATTESTED) and entry.deed.subject in about:
                found.setdefault(entry.deed.action.removeprefix(ATTESTED), set()).add(entry.deed.actor)
        return found

    def packed(self, bundle_digest: str, receipt: Receipt) -> Entry:
        """Enter that the bundle of that digest was packed with ``receipt`` as its evidence."""
        return self._enter(Deed.of(PACKED, bundle_digest, actor=self.actor, evidence={"receipt": receipt.digest}))

    def _enter(self, deed: Deed) -> Entry:
        return self.ledger.append(deed, at=self.clock.now())


@dataclass(frozen=True)
class Judged:
    """A judgement, and where it was entered."""

    judgement: Judgement
    attempt: int | None = None  # which candidate of its rows it is
    entry: Entry | None = None


def judge_on_record(
    receipt: Receipt,
    record: Record | None,
    *,
    claimed_digest: str | None,
    beside: Beside = ALONE,
) -> Judged:
    """Judge as ``judge`` does, with the attempt entered before, counted, and the verdict after.

    Without a record the receipt is only judged, as the first candidate of its rows, and nobody has attested anything.
    """
    if record is None:
        return Judged(judge(receipt, claimed_digest=claimed_digest, beside=beside))
    attempt = record.attempt(receipt)
    known = replace(beside, attempt=attempt, registered=record.registered(receipt), now=record.clock.now())
    beside = replace(known, attested=record.attested(receipt))
    judgement = judge(receipt, claimed_digest=claimed_digest, beside=beside)
    return Judged(judgement, attempt, record.verdict(receipt, judgement, beside))
