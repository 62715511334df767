"""The page of worked examples is what its code makes, and the claims that do not follow stay found."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "worked_examples.md"

NOT_FOLLOWING = {
    "Numerical Worked Examples for Fine-Tuning": [
        *("loss near 2.3 marks a guessing classifier, in the run described", "class weights of the example"),
        *("rate of layer 5 by the stated formula", "logged rate at step 900", "logged rate at step 3600"),
        *("epoch of step 900", "epoch of step 1375", "92.1% is the accuracy on the test set"),
        "20 escalation rows called chitchat beside 88.6% escalation accuracy",
        "the same shares against the same limit, in the direction the dry run defines",
        *("dollars a month", "P95 of the whole", "action logged for confidence 0.57"),
        *("accuracy 0.9210 on 5,500 rows", "standard deviation of bootstrapped accuracy"),
        *("the same, stratified by label", "95 % interval of accuracy"),
        *("standard deviation of the bootstrapped ECE of 0.0397", "monthly savings, bootstrapped"),
        "accuracy 0.921 and ECE 0.0397 describe one test set",
        "relative width of the dollar interval on 5,500 rows",
        "multiplying an interval by the other factors gives a wrong one",
        *("half-width of the rare label's accuracy, 165 rows", "half-width of micro-F1"),
        *("macro-F1 0.864 beside the errors of section 10", "each seed's accuracy on 5,500 rows"),
        "half-width of accuracy that the seeds' spread is held against",
        "three seeds show that the seed matters little",
    ],
    "Fine-Tuning Dry Run Document": [
        *("probability of product_question", "steps of 3 epochs at batch 32", "logged head rate at step 1800"),
        *("logged bottom rate at step 469", "macro-F1 of the model with accuracy 92.1", "minutes of training"),
        "88.6 against 87.8 makes focal_weighted best on rare rows",
    ],
    "Scenario Template: Research-Grade 8-File Pattern": [
        *("88.6% on escalation, 3% of the test rows", "half-width of accuracy on 5,500 rows"),
        *("accuracy 92.1% on 5,500 rows supports the gate of 91.5%", "ECE 0.0397 supports the gate of 0.04"),
        *("half-width of accuracy at gamma 2.0", "accuracy of plain cross-entropy against the dry run's"),
        "prompt injection on 1% of the test shows at least 95% right",
    ],
    "Getting Confidence Scores from Language Model Classifications": [
        *("probability of the token The, in words", "unsure message, log-probability of positive"),
        *("loved film, mass of positive tokens in the analysis", "loved film, log-probability of positive"),
        *("agreement rate of 100 runs", "ECE of isotonic regression", "adapter weights"),
        *("1,000 rows and isotonic regression calibrate perfectly", "share of parameters trained, first mention"),
        *("99.5% to 100% is an improvement", "the base model is overconfident", "base accuracy at 90% confidence"),
        *("confident predictions of the base model", "fewer errors when it makes a confident prediction"),
        *("55-65% to 80-90% on sports and news is +25-35%", "150 rows tell exactly what accuracy to expect"),
    ],
}
FOLLOWING = {  # checked as closely, and right
    "Numerical Worked Examples for Fine-Tuning": [
        *("weighted business error score", "expected calibration error", "ratio of the weights", "value a month"),
        *("with all ten labels the divergence easily passes 0.02", "rows for half the width", "margin"),
    ],
    "Capstone: Fine-Tuned Classifier": [
        *("verdict on intake_bundle_v1", "verdict on intake_bundle_drifted", "recall at 0.35", "ticket r-106"),
    ],
    "Getting Confidence Scores from Language Model Classifications": [
        *("sure message, all yes variants", "unsure message, all yes variants", "errors of the base model"),
        *("improvement of ECE", "improvement of MCE", "accuracy of the bucket", "fall in the number of errors"),
    ],
}


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield importlib.import_module("bench.worked_examples.document")


@pytest.fixture(scope="module")
def found(bench: Any) -> list[Any]:
    return list(bench.claims())


def verdicts(found: list[Any], source: str, what: str) -> set[str]:
    return {claim.verdict.value for claim in found if (claim.source, claim.what) == (source, what)}


def test_the_page_is_what_the_code_makes(bench: Any, found: list[Any]) -> None:
    assert PAGE.read_bytes() == bench.page(found).encode()


@pytest.mark.parametrize("source", NOT_FOLLOWING)
def test_the_known_claims_do_not_follow(found: list[Any], source: str) -> None:
    for what in NOT_FOLLOWING[source]:
        assert verdicts(found, source, what) == {"does not follow"}, what


@pytest.mark.parametrize("source", FOLLOWING)
def test_what_is_right_is_called_right(found: list[Any], source: str) -> None:
    for what in FOLLOWING[source]:
        assert verdicts(found, source, what) == {"agrees"}, what


def test_the_focal_ratio_is_a_quotient_of_rounded_numbers(found: list[Any]) -> None:
    """0.18 * 0.4225 * ln(1/0.35) over 0.025 * 0.0064 * ln(1/0.92) is 5,984, not 6,008."""
    source, what = "Numerical Worked Examples for Fine-Tuning", "ratio of the focal losses"

    assert verdicts(found, source, what) == {"rounding"}
    assert 0.18 * 0.4225 * math.log(0.35) / (0.025 * 0.0064 * math.log(0.92)) == pytest.approx(5984.5, abs=0.1)


def test_every_document_is_covered_and_every_refusal_gives_its_reason(found: list[Any]) -> None:
    assert len({claim.source for claim in found}) == 5
    assert len(found) > 400
    for claim in found:
        assert claim.reason or claim.verdict.value == "agrees", claim


@pytest.mark.parametrize(
    ("printed", "value", "verdict", "shown"),
    [
        ("0.517", 0.51751, "rounding", "0.5175"),
        ("0.596", 0.59572, "agrees", "0.5957"),
        ("0.596", 0.5985, "does not follow", "0.5985"),
        ("$3,471", 3471.0, "agrees", "$3,471"),
        ("4.84e-8", 4.8426e-8, "agrees", "4.843e-08"),
        ("-0.0591", -0.05913, "agrees", "-0.05913"),
        ("92.0%", 92.0, "agrees", "92.00%"),
        ("15.5 ms", 12.6, "does not follow", "12.60 ms"),
    ],
)
def test_a_number_is_judged_by_its_own_digits(bench: Any, printed: str, value: float, verdict: str, shown: str) -> None:
    ledger = bench.Ledger("source")
    ledger.number("1", "x", printed, value, "because")

    assert (ledger.claims[0].verdict.value, ledger.claims[0].recomputed) == (verdict, shown)


def test_a_claim_that_does_not_follow_needs_a_reason(bench: Any) -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        bench.Ledger("source").number("1", "x", "1.0", 2.0)
