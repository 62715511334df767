"""Calibrating and fine-tuning a language model's confidence: the printed figures, and what in-sample errors hide."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from bench.worked_examples.claim import Ledger
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from interlock.measure.calibration import equal_width_bins, gap, null_residuals
from interlock.measure.compare import mcnemar
from interlock.measure.proportion import clopper_pearson, proportion

Floats = npt.NDArray[np.float64]
SIZES, DRAWS = (100, 200, 500, 1000), 100


def record(ledger: Ledger) -> None:
    """Record these sections' claims."""
    _raw(ledger)
    _isotonic(ledger)
    _buckets(ledger)
    _adapter(ledger)
    _comparison(ledger)
    _contradictions(ledger)
    _business(ledger)


def error(confidence: Floats, right: Floats) -> float:
    """Return the plug-in calibration error over 20 bins of equal width, as the document defines it."""
    bins = equal_width_bins(confidence, bins=20)
    return float(gap(np.bincount(bins, weights=confidence - right).astype(np.float64), confidence.size))


def overconfident(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Return confidences from 0.45 to 0.99 with mean about 0.75, and hits about 15 points rarer than stated."""
    confidence = 0.45 + 0.54 * rng.beta(1.3, 1.1, n)
    return confidence, (rng.random(n) < confidence - 0.15).astype(np.float64)


def held_out(n: int, *, draws: int = DRAWS) -> tuple[float, float]:
    """Return the mean error of isotonic regression on the n rows it was fitted on, and on 20,000 others."""
    rng, inside, outside = np.random.default_rng(7), [], []
    other, hits = overconfident(rng, 20_000)
    for _ in range(draws):
        confidence, right = overconfident(rng, n)
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(confidence, right)
        inside.append(error(fitted.predict(confidence), right))
        outside.append(error(fitted.predict(other), hits))
    return float(np.mean(inside)), float(np.mean(outside))


def platt(n: int, *, draws: int) -> float:
    """Return the mean error of Platt scaling, fitted on n rows, on 20,000 others."""
    rng, outside = np.random.default_rng(7), []
    other, hits = overconfident(rng, 20_000)
    for _ in range(draws):
        confidence, right = overconfident(rng, n)
        fitted = LogisticRegression(C=1e6).fit(_logit(confidence), right)
        outside.append(error(fitted.predict_proba(_logit(other))[:, 1], hits))
    return float(np.mean(outside))


def _logit(confidence: Floats) -> Floats:
    return np.asarray(np.log(confidence / (1 - confidence)))[:, None]


def _raw(ledger: Ledger) -> None:
    ledger.fact(
        "Calibrating 3",
        "gaps of 10 points at 80% and 2 at 90% beside ECE 0.151",
        "0.151",
        "possible if the gaps below 80% are larger",
        follows=True,
        note="though a gap of 15 or more below 65 % makes a choice of two worse than a coin",
    )
    ledger.number(
        "Calibrating 5",
        "error rate where 90% is promised and 88% delivered",
        "2%",
        12.0,
        "88 % right is a 12 % error rate; 2 points are the gap, which makes errors 1.2 times as frequent as promised.",
    )
    ledger.number("Metrics", "width of each of 20 bins", "5%", 100 / 20)


def _isotonic(ledger: Ledger) -> None:
    found = {n: held_out(n) for n in SIZES}
    rng = np.random.default_rng(11)
    stated = overconfident(rng, 1000)[0]
    bins = equal_width_bins(stated, bins=20)
    perfect = float(gap(null_residuals(stated, [bins], resamples=500, seed=1)[0], 1000.0).mean())
    ledger.number(
        "Calibrating 4",
        "ECE of isotonic regression",
        "0.000",
        found[1000][1],
        "Isotonic regression returns the mean of each block of its own rows, so its error on them is 0 whatever the "
        f"truth ({found[1000][0]:.3f} here). Simulated: 1,000 rows like these to fit, 20,000 others to measure, mean "
        f"of {DRAWS}. Even a perfectly calibrated model shows {perfect:.3f} on 1,000 rows and 20 bins.",
    )
    ledger.number("Calibrating 4", "ECE of isotonic regression, on the rows it was fitted on", "0.000", found[1000][0])
    ledger.fact(
        "Calibrating 4",
        "isotonic regression calibrates these 1,000 rows better than Platt scaling",
        "0.000 against 0.040",
        f"{found[1000][1]:.3f} against {platt(1000, draws=DRAWS):.3f} on other rows",
        found[1000][1] < platt(1000, draws=DRAWS),
        "The two figures compare errors on the fitting rows. On other rows of the same 100 simulated worlds, whose "
        "miscalibration is smooth, the two methods are about even.",
    )
    curve = ", ".join(f"{found[n][1]:.3f} at {n}" for n in SIZES)
    ledger.fact(
        "Calibrating 6",
        "1,000 rows and isotonic regression calibrate perfectly",
        "perfect from 1,000 on",
        curve,
        found[1000][1] < 0.0005,
        "On rows not used for fitting the error falls with the rows and is still there at 1,000; no number of rows "
        "makes it 0.",
    )


def _buckets(ledger: Ledger) -> None:
    accuracy = proportion("accuracy", 138, 150)
    ledger.numbers(
        "Calibrating 5",
        {"accuracy of the bucket": ("92.0%", 100 * accuracy.value), "gap of the bucket": ("0.3%", 92.3 - 92.0)},
    )
    ledger.fact(
        "Calibrating 5",
        "150 rows tell exactly what accuracy to expect",
        "92.0%, exactly known",
        f"{accuracy.low:.1%} to {accuracy.high:.1%}",
        accuracy.high - accuracy.low < 0.01,
        "The interval is nine points wide: a gap of 0.3 says no more than that the true one is under about five.",
    )


def _adapter(ledger: Ledger) -> None:
    ledger.number(
        "Fine-tuning",
        "share of parameters trained, first mention",
        "1%",
        2.0,
        "The process section says 2 % of the same model.",
        slack=0.5,
    )
    per_rank = 32 * (2 * 8192 + 2 * 5120 + 3 * 18432)  # q, o; k, v; gate, up, down of Llama 3.1 8B: inputs + outputs
    ledger.number("Fine-tuning", "share of parameters trained at rank 64", "2%", 100 * 64 * per_rank / 8.03e9)
    ledger.number("Fine-tuning", "full model in 16 bits", "16GB", 8.03e9 * 2 / 1e9)
    ledger.number(
        "Fine-tuning",
        "adapter weights",
        "2GB",
        64 * per_rank * 2 / 1e9,
        "2 % of 8 billion are 168 million parameters: 0.34 GB in 16 bits, 0.67 GB in 32. 2 GB is that in 32 bits with "
        "both of Adam's moments, a training checkpoint, not an adapter.",
    )
    ledger.number("Fine-tuning", "parts of the training set together", "100%", 60 + 30 + 10)
    ledger.fact(
        "Fine-tuning",
        "55-65% to 80-90% on sports and news is +25-35%",
        "+25 to +35",
        "+15 to +35 (80 - 65 to 90 - 55); +25 at matching ends",
        80 - 65 >= 25,
        "The ends of both ranges are 25 points apart, and pairs within them 15 to 35; +25 to +35 takes 55 as the only "
        "start.",
    )


def _comparison(ledger: Ledger) -> None:
    ledger.numbers(
        "Comparison",
        {
            "improvement of ECE": ("95%", 100 * (0.022 - 0.001) / 0.022),
            "improvement of MCE": ("76%", 100 * (0.501 - 0.118) / 0.501),
            "gain in accuracy": ("+0.5%", 100 - 99.5),
            "gain in mean confidence": ("+2.6%", 99.9 - 97.3),
            "gain in confident predictions": ("+12", 199 - 187),
            "reduction of ECE": ("0.021", 0.022 - 0.001),
            "ECE of the base model from accuracy and mean confidence": ("0.022", 0.995 - 0.973),
            "ECE of the tuned model from accuracy and mean confidence": ("0.001", 1 - 0.999),
        },
    )
    p = mcnemar(np.array([True]), np.array([False]))
    low, _ = clopper_pearson(205, 205)
    ledger.fact(
        "Comparison",
        "99.5% to 100% is an improvement",
        "+0.5%, perfect accuracy",
        f"1 row of about 205, p = {p:.1f}; true accuracy at least {low:.3f}",
        p < 0.05,
        "A fifth of 1,026 examples are 205 rows, so half a point is one row, which no test can tell from chance.",
    )


def _contradictions(ledger: Ledger) -> None:
    ledger.fact(
        "Comparison",
        "the base model is overconfident",
        "systematically overconfident",
        "97.3 % stated, 99.5 % right",
        follows=False,
        reason="By the comparison table it is underconfident by 2.2 points.",
    )
    for what, printed, value, reason in (
        ("base accuracy at 90% confidence", "83%", 100.0, "The comparison table has 100 % above 90 %."),
        ("mean confidence of the tuned model, second mention", "100%", 99.9, "The comparison table has 99.9 %."),
        ("ECE of the tuned model, second mention", "0.000", 0.001, "The comparison table has 0.001."),
        ("confident predictions of the base model", "285", 187, "The comparison table has 187 above 90 %."),
        ("confident predictions of the tuned model", "92", 199, "The table has 199: more than the base, not fewer."),
        ("accuracy of the base model's confident predictions", "83.5%", 100.0, "The comparison table has 100 %."),
    ):
        ledger.number("Comparison", what, printed, value, reason, slack=0.5)

    ledger.fact(
        "Comparison",
        "typical gain in accuracy",
        "+5 to +10",
        "+0.5, the only one measured",
        follows=False,
        reason="From 99.5 % no gain can exceed half a point, and no other measurement is shown.",
    )


def _business(ledger: Ledger) -> None:
    ledger.numbers(
        "Business",
        {
            "errors of the base model": ("47", 285 * (1 - 0.835)),
            "errors of the tuned model": ("10", 92 * (1 - 0.891)),
            "fall in the number of errors": ("79%", 100 * (1 - 10 / 47)),
        },
    )
    ledger.number(
        "Business",
        "fewer errors when it makes a confident prediction",
        "79%",
        100 * (1 - (1 - 0.891) / (1 - 0.835)),
        "Per confident prediction the rate falls from 16.5 % to 10.9 %. Most of the 79 % comes from making 68 % fewer "
        "such predictions: a silent model would score 100 %.",
    )
    low, high = proportion("accuracy", 82, 92).low, proportion("accuracy", 82, 92).high
    ledger.fact(
        "Business",
        "89.1% of 92 predictions keeps a 90% promise",
        "89.1%",
        f"{low:.1%} to {high:.1%}",
        low >= 0.9,
        "Below 90 % itself, and 92 rows cannot show that the promise is kept.",
    )
    ledger.fact(
        "Business",
        "all errors above the threshold are false positives",
        "47 and 10 false positives",
        "47 and 10 errors of either kind",
        follows=False,
        reason="They are the wrong ones among confident predictions of both classes; the table does not say which are "
        "positive.",
    )
