"""The intake capstone: softmax, threshold sweep, six receipts, calibration buckets, fallback and handoff."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from bench.worked_examples.claim import Ledger

from interlock.core.contract_file import parse_contract
from interlock.core.decision import Decision
from interlock.core.receipt import Receipt
from interlock.gate.judge import judge
from interlock.measure.confidence import calibration_errors
from interlock.measure.proportion import proportion
from interlock.measure.reliability import confidence_buckets
from interlock.measure.thresholds import sweep
from interlock.predict.calibrators import softmax
from interlock.predict.decide import Evidence, decide, fail
from interlock.predict.handoff import admit
from interlock.predict.normalise import normalise

SOURCE = "Capstone: Fine-Tuned Classifier"
FOLDER = Path(__file__).parents[2] / "examples" / "intake"
SCORES, PERSON = np.array([0.89, 0.42, 0.64, 0.71, 0.23, 0.18]), np.array([1, 1, 1, 0, 0, 0])
RECEIPTS = {
    "intake_bundle_v1": "hold missed:return_window_exception",
    "intake_bundle_v2": "eligible_for_shadow exact_receipt_pass",
    "intake_bundle_incomplete": "hold missing:account_takeover",
    "intake_bundle_padded": "hold unexpected:easy_status_extra",
    "intake_bundle_duplicated": "hold duplicate:return_policy_question",
    "intake_bundle_drifted": "hold dataset_version:refund-intake-validation-v2",
}
CHECKS = (  # text, score, route and reason
    ("Carrier was late", 0.72, "human_review_now: threshold"),
    ("Which returns are allowed?", 0.18, "guarded_agent: below_threshold"),
    ("", 0.04, "human_review_now: empty_text"),
    ("Any news of the parcel?", None, "human_review_now: model_unavailable"),
    ("A broken score", math.nan, "human_review_now: invalid_score"),
)
TICKETS = (  # month, account, part
    (1, "acme", "train"),
    (2, "acme", "train"),
    (2, "north", "train"),
    (2, "north", "train"),
    (3, "summit", "validation"),
    (3, "summit", "validation"),
    (4, "harbor", "test"),
    (4, "harbor", "test"),
)


def record(ledger: Ledger) -> None:
    """Record this document's claims."""
    _split(ledger)
    _softmax(ledger)
    _sweep(ledger)
    _receipts(ledger)
    _buckets(ledger)
    _fallback(ledger)
    _handoff(ledger)


def _split(ledger: Ledger) -> None:
    for part, printed in (("train", "4"), ("validation", "2"), ("test", "2")):
        ledger.number("Split", f"tickets in {part}", printed, sum(p == part for _, _, p in TICKETS))
    accounts = [{account for _, account, p in TICKETS if p == part} for part in ("train", "validation", "test")]
    apart = not (accounts[0] & accounts[1] or accounts[0] & accounts[2] or accounts[1] & accounts[2])
    ledger.fact("Split", "no account is in two parts", "disjoint", "disjoint" if apart else "shared", apart)
    texts = ("tablet arrived cracked and the portal said no", "delivered after the return window closed")
    hits = sum(any(term in text for term in ("arrived cracked", "can't sign in", "seller exception")) for text in texts)
    ledger.number("Baseline", "positives the keyword rule finds, of 2", "1", hits)


def _softmax(ledger: Ledger) -> None:
    for name, logits, printed in (
        ("return_window_closed", [-1.0, 2.0], ("0.05", "0.95")),
        ("delivery_status", [1.0, -1.0], ("0.88", "0.12")),
    ):
        p = softmax(np.array(logits)).tolist()
        ledger.number("Logits", f"routine score of {name}", printed[0], p[0])
        ledger.number("Logits", f"human review score of {name}", printed[1], p[1])
    ledger.fact("Mechanics", "logits of six rows and two labels", "(6, 2)", "(6, 2)", SCORES.size == 6)


def _sweep(ledger: Ledger) -> None:
    printed = {0.35: ("3", "1", "0", "1.00"), 0.50: ("2", "1", "1", "0.67"), 0.75: ("1", "0", "2", "0.33")}
    found = sweep(SCORES, PERSON, thresholds=list(printed))
    for line, texts in zip(found, printed.values(), strict=True):
        values = (line.hits, line.false_alarms, line.misses, line.recall.value)
        for name, text, value in zip(
            ("true positives", "false positives", "misses", "recall"), texts, values, strict=True
        ):
            ledger.number("Threshold", f"{name} at {line.threshold:.2f}", text, float(value))
    ledger.fact(
        "Threshold",
        "0.35 is the only one of the three without a miss",
        "0.35",
        ", ".join(f"{line.threshold}" for line in found if line.misses == 0),
        [line.threshold for line in found if line.misses == 0] == [0.35],
    )
    ledger.fact(
        "Threshold",
        "recall 1.00 of three positives proves nothing about production",
        "no proof",
        f"95 % interval {found[0].recall.low:.2f} to 1.00",
        found[0].recall.low < 0.5,
    )


def _receipts(ledger: Ledger) -> None:
    for name, claimed in RECEIPTS.items():
        receipt, digest = Receipt.from_bytes((FOLDER / "receipts" / f"{name}.json").read_bytes(), where=name)
        judged = judge(receipt, claimed_digest=digest)
        found = f"{judged.verdict} {' '.join(judged.reasons)}"
        ledger.fact("Gate", f"verdict on {name}", claimed, found, found == claimed)


def _buckets(ledger: Ledger) -> None:
    printed = (("2", "0.21", "0.00"), ("2", "0.53", "1.00"), ("2", "0.80", "0.50"))
    found = confidence_buckets(SCORES, PERSON, edges=(0.4, 0.7))
    for bucket, texts in zip(found, printed, strict=True):
        where = f"[{bucket.low}, {bucket.high})"
        values = (bucket.n, bucket.confidence, bucket.accuracy.value)
        for name, text, value in zip(("tickets", "mean score", "observed rate"), texts, values, strict=True):
            ledger.number("Calibration", f"{name} of bucket {where}", text, float(value))
    error = calibration_errors(SCORES, PERSON)["ece_10"]
    one = proportion("rate", 1, 2)
    ledger.fact(
        "Calibration",
        "two tickets cannot show what 0.80 means",
        "diagnostic only",
        f"1 of 2 lies in {one.low:.2f} to {one.high:.2f}; ECE interval {error.low:.2f} to {error.high:.2f}",
        one.low < 0.8 < one.high,
    )


def _fallback(ledger: Ledger) -> None:
    contract = parse_contract((FOLDER / "contract.yaml").read_bytes())
    for text, score, claimed in CHECKS:
        normal = normalise(text, contract.input)
        made: Decision
        if text == "":
            made = fail(normal, contract)  # type: ignore[arg-type]  # an empty text is refused with a reason
        else:
            made = decide(Evidence(None if score is None else np.array([1 - score, score])), contract)
        found = f"{made.route}: {made.reason.value}"
        ledger.fact("Serving", f"ticket {text!r} with score {score}", claimed, found, found == claimed)


def _handoff(ledger: Ledger) -> None:
    for ticket, bundle, route, claimed in (
        ("r-104", "intake_bundle_v2", "guarded_agent", "accepted"),
        ("r-105", "intake_bundle_v2", "human_review_now", "blocked"),
        ("r-106", "intake_bundle_v1", "guarded_agent", "blocked"),
    ):
        body = {"bundle_digest": bundle, "route": route, "outcome": "routed"}
        found = "accepted" if admit(body, bundle="intake_bundle_v2", route="guarded_agent") else "blocked"
        ledger.fact("Handoff", f"ticket {ticket}", claimed, found, found == claimed)
