"""A directory to a router that has proved itself: verified bytes, then loaded, then replayed. Knows no private keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from interlock.bundle.layout import COMPONENTS, RECEIPT
from interlock.bundle.manifest import Manifest
from interlock.bundle.parts import (
    GOLDEN_TOLERANCE,
    Golden,
    read_calibrator,
    read_contract,
    read_engine,
    read_golden,
    read_neighbours,
    read_several,
    read_unknown,
    read_words,
    remembered,
)
from interlock.bundle.read import Verified, read_verified
from interlock.bundle.sign import Signer, parse_envelope, signers
from interlock.bundle.trust import Trust, read_trust
from interlock.bundle.weights import check_weights
from interlock.core.clock import Clock, SystemClock
from interlock.core.contract import Contract
from interlock.core.decision import Decision
from interlock.core.errors import InputError, Problem, RefusedError
from interlock.core.receipt import Receipt
from interlock.predict.explain import Explanation, explain
from interlock.predict.neighbours import Neighbours
from interlock.predict.predictor import Predictor


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. Its parts were loaded from the bytes that were verified, never from the path again."""

    verified: Verified
    predictor: Predictor
    neighbours: Neighbours | None = None  # training rows to compare messages with
    signers: tuple[Signer, ...] = ()  # whose signatures were checked against a trust root

    @property
    def signed(self) -> str:
        """Who signed, as what; ``none`` when no trust root was asked."""
        return ", ".join(f"{signer.role} {signer.name}" for signer in self.signers) or "none"

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest's exact bytes: the router's identity."""
        return self.verified.digest

    @property
    def manifest(self) -> Manifest:
        """The list of files, and what they were made from."""
        return self.verified.manifest

    @property
    def contract(self) -> Contract:
        """The contract the router keeps."""
        return self.predictor.contract

    def receipt(self) -> Receipt:
        """Read the evidence the bundle was judged by."""
        return self.evidence()[0]

    def evidence(self) -> tuple[Receipt, str | None]:
        """Read the evidence the bundle was judged by, and the digest its file claims.

        Raises:
            RefusedError: it does not read.
        """
        try:
            return Receipt.from_bytes(self.verified.files[RECEIPT], where=RECEIPT)
        except InputError as error:
            raise RefusedError(f"{RECEIPT} does not read: {error}") from error

    def components(self) -> dict[str, str]:
        """Return the digest of every part that serves, under the name a receipt's identity gives it."""
        listed = {field: self.manifest.files[name].sha256 for field, name in COMPONENTS.items()}
        return {**listed, "contract_digest": self.contract.digest, "policy_digest": self.contract.policy_digest}

    def decide(self, text: str, conversation: Sequence[str] = ()) -> Decision:
        """Decide one message; ``conversation`` holds the turns before it, the oldest first."""
        return self.predictor.decide(text, conversation)

    def explain(self, text: str, conversation: Sequence[str] = (), *, occlusion: bool = False) -> Explanation:
        """Decide one message and say why; ``occlusion`` costs a run of the model for each word."""
        return explain(self.predictor, text, conversation, neighbours=self.neighbours, occlusion=occlusion)


def open_bundle(folder: str | Path, trust: Trust | str | Path | None = None, *, clock: Clock | None = None) -> Bundle:
    """Verify, load and replay a bundle.

    Args:
        folder: the bundle.
        trust: the trust root, or its file; every role it requires must have signed. Without one, only the bytes are
            verified, and the bundle says that it is signed by none.
        clock: the machine's, unless a test gives another.

    Raises:
        InputError: there is no bundle, or it is of a newer format; or no trust root.
        RefusedError: bytes that do not match, signatures that do not hold or are missing, parts that do not load, or
            golden messages that decide differently.
    """
    root = read_trust(Path(trust)) if isinstance(trust, str | Path) else trust
    return open_verified(read_verified(Path(folder)), root, where=str(folder), clock=clock)


def open_verified(verified: Verified, trust: Trust | None = None, *, where: str, clock: Clock | None = None) -> Bundle:
    """Load and replay a bundle whose bytes were verified; as ``open_bundle``, whose second half it is."""
    clock = clock or SystemClock()
    signed_by = _signers(verified, trust, now=clock.now())
    files = verified.files
    check_weights(files)
    contract = read_contract(files)
    scorer = read_engine(files, contract)
    predictor = Predictor(
        contract=contract,
        scorer=scorer,
        calibrator=read_calibrator(files),
        unknown=read_unknown(files, contract),
        several=read_several(files),
        words=read_words(files, scorer),
        bundle_digest=verified.digest,
        clock=clock,
    )
    if problems := [problem for golden in read_golden(files) for problem in _replayed(predictor, golden)]:
        raise RefusedError(f"{where} does not repeat its golden messages", problems)
    return Bundle(verified, predictor, read_neighbours(files, contract), signed_by)


def _signers(verified: Verified, trust: Trust | None, *, now: datetime) -> tuple[Signer, ...]:
    if trust is not None:
        return signers(verified.signature, verified.listing, trust, now=now)
    if verified.signature is not None:
        parse_envelope(verified.signature, verified.listing)  # a damaged one is never passed over
    return ()


def _replayed(predictor: Predictor, golden: Golden) -> list[Problem]:
    """Decide a golden message again; return what differs. The text stays out of the error: it may be a customer's."""
    trace = predictor.trace(golden.text)
    now = remembered(trace.decision)
    if now != golden.decision:
        return [Problem("golden.jsonl", "decision", str(golden.decision), str(now))]
    logits = () if trace.logits is None else trace.logits
    if len(logits) != len(golden.logits):
        return [Problem("golden.jsonl", "logits", f"{len(golden.logits)} numbers", f"{len(logits)}")]
    difference = float(np.max(np.abs(np.asarray(logits) - np.asarray(golden.logits)), initial=0.0))
    if not difference <= GOLDEN_TOLERANCE:
        return [
            Problem(
                "golden.jsonl", "logits", f"within {GOLDEN_TOLERANCE:g} of the recorded ones", f"{difference:g} away"
            )
        ]
    return []
