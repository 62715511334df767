"""Simulated coverage: how often each interval holds the truth. The slow form is the table of record.

Each line draws many samples from a world whose true figure is known, and counts the intervals that hold it. Lines with
``promised`` must lie within 93.5-96.5 % at nominal 95 %; the others say what to expect where theory promises less
(rare labels, errors near zero) or the method errs on the safe side.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from interlock.core.measurement import Measurement
from interlock.measure import accuracy_difference, classification, cost_per_message, cost_ratio
from interlock.measure.classify import per_label
from interlock.measure.latency import quantile
from interlock.measure.proportion import proportion
from interlock.measure.sets import micro_f1
from interlock.measure.unknown import unknown

Draw = Callable[[np.random.Generator], Measurement]


@dataclass(frozen=True)
class Line:
    draw: Draw  # one sample's measurement
    truth: float
    least: float = 0.935
    most: float = 0.965
    draws: int = 2000  # in the slow form


def wilson_of(n: int, p: float) -> Draw:
    return lambda rng: proportion("x", int(rng.binomial(n, p)), n, method="wilson")


def auto_of(n: int, p: float) -> Draw:
    return lambda rng: proportion("x", int(rng.binomial(n, p)), n)


K = 5
RIGHT = np.array([0.95, 0.93, 0.90, 0.85, 0.75])
CONFUSION = np.diag(RIGHT) + (1 - np.eye(K)) * ((1 - RIGHT) / (K - 1))[:, None]
PRIOR = np.array([0.4, 0.3, 0.2, 0.07, 0.03])
JOINT = PRIOR[:, None] * CONFUSION
COST = np.abs(np.subtract.outer(np.arange(K), np.arange(K))).astype(float)


def labels_of(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    cell = rng.choice(K * K, size=n, p=JOINT.ravel())
    return cell // K, cell % K


def f1_truth(label: int) -> float:
    return float(2 * JOINT[label, label] / (JOINT[label].sum() + JOINT[:, label].sum()))


def f1_of(label: int, n: int) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        gold, predicted = labels_of(rng, n)
        return per_label(predicted, gold, labels=list("abcde"))[f"f1.{'abcde'[label]}"]

    return draw


def overconfident(rng: np.random.Generator, n: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Return two-label probabilities whose top one overstates its accuracy by ``shift``, and gold labels."""
    top = rng.uniform(0.6, 1.0, n)
    wrong = rng.random(n) >= top - shift
    return np.column_stack([top, 1 - top]), wrong.astype(np.int64)


def figure_of(name: str, n: int, shift: float = 0.1) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        p, gold = overconfident(rng, n, shift)
        return classification(p, gold, labels=["a", "b"], resamples=400, seed=int(rng.integers(1 << 30)))[name]

    return draw


def expected(score: Callable[[float, float], float], shift: float = 0.1) -> float:
    """Integrate a score of (confidence, right) over the overconfident world."""
    top = np.linspace(0.6, 1.0, 20_001)
    right = top - shift
    return float(np.mean([r * score(t, 1) + (1 - r) * score(t, 0) for t, r in zip(top, right, strict=True)]))


def macro_f1_of(n: int) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        gold, predicted = labels_of(rng, n)
        p = np.eye(K)[predicted]
        return classification(p, gold, labels=list("abcde"), resamples=400)["macro_f1"]

    return draw


def cost_of(n: int) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        gold, predicted = labels_of(rng, n)
        return cost_per_message(predicted, gold, matrix=COST, resamples=400, seed=int(rng.integers(1 << 30)))

    return draw


def cost_ratio_of(n: int) -> Draw:
    """The champion errs where the model does, and on a further tenth of rows by one step."""

    def draw(rng: np.random.Generator) -> Measurement:
        gold, predicted = labels_of(rng, n)
        worse = np.where(rng.random(n) < 0.1, (predicted + 1) % K, predicted)
        return cost_ratio(predicted, worse, gold, matrix=COST, resamples=400, seed=int(rng.integers(1 << 30)))

    return draw


def cost_ratio_truth() -> float:
    shifted = COST[:, (np.arange(K) + 1) % K]
    ours = (JOINT * COST).sum()
    return float(ours / (0.9 * ours + 0.1 * (JOINT * shifted).sum()))


def difference_of(n: int, method: str) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        cell = rng.choice(4, size=n, p=[0.86, 0.06, 0.04, 0.04])
        return accuracy_difference(np.isin(cell, [0, 1]), np.isin(cell, [0, 2]), method=method, resamples=400)

    return draw


def latency_of(n: int, q: float) -> Draw:
    return lambda rng: quantile(rng.lognormal(2, 0.6, n), q, name="x_ms")


def unknown_of(name: str, n: int, m: int, gap: float) -> Draw:
    return lambda rng: unknown(rng.normal(size=n), rng.normal(gap, 1, m), threshold=1.0)[name]


def fpr_truth(gap: float) -> float:
    return float(stats.norm.cdf(stats.norm.ppf(0.95) - gap))


def sets_of(n: int) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        gold = rng.random((n, 4)) < 0.4
        predicted = gold ^ (rng.random((n, 4)) < 0.1)
        return micro_f1(predicted, gold, resamples=400, seed=int(rng.integers(1 << 30)))

    return draw


LINES: dict[str, Line] = {
    "wilson, n 5500, p .921": Line(wilson_of(5500, 0.921), 0.921),
    "wilson, n 200, p .90": Line(wilson_of(200, 0.9), 0.9, draws=10_000),
    "auto, n 100, p .95": Line(auto_of(100, 0.95), 0.95, 0.935, 0.99),
    "auto, n 30, p .99 (rare)": Line(auto_of(30, 0.99), 0.99, 0.935, 1.0),
    "auto, n 8, p .80 (rare)": Line(auto_of(8, 0.8), 0.8, 0.92, 1.0),
    "f1 of a common label, n 500": Line(f1_of(0, 500), f1_truth(0), 0.935, 0.975),
    "f1 of a 3 % label, n 500 (rare)": Line(f1_of(4, 500), f1_truth(4), 0.925, 1.0),
    "macro-F1 bootstrap, n 2000": Line(macro_f1_of(2000), sum(map(f1_truth, range(K))) / K, 0.925, 0.965, 1000),
    "macro-F1 bootstrap, n 200 (rare labels)": Line(
        macro_f1_of(200), sum(map(f1_truth, range(K))) / K, 0.80, 0.965, 1000
    ),
    "nll bootstrap, n 500": Line(
        figure_of("nll", 500), expected(lambda t, r: -math.log(t if r else max(1 - t, 1e-12))), 0.92, 0.965, 1000
    ),
    "brier bootstrap, n 500": Line(
        figure_of("brier", 500), expected(lambda t, r: 2 * (t - r) ** 2), 0.935, 0.965, 2000
    ),
    "ece_10, n 1000, true .10": Line(figure_of("ece_10", 1000), 0.1, 0.93, 0.97, 1000),
    "ece_20, n 1000, true .10": Line(figure_of("ece_20", 1000), 0.1, 0.93, 0.97, 1000),
    "ece_debiased, n 1000, true .10": Line(figure_of("ece_debiased", 1000), 0.1, 0.93, 0.97, 1000),
    "ece_10, n 500, true 0": Line(figure_of("ece_10", 500, 0.0), 0.0, 0.96, 1.0, 1000),
    "ece_debiased, n 500, true 0": Line(figure_of("ece_debiased", 500, 0.0), 0.0, 0.96, 1.0, 1000),
    "ece_10, n 1000, true .03": Line(figure_of("ece_10", 1000, 0.03), 0.03, 0.92, 1.0, 1000),
    "ece_debiased, n 1000, true .03": Line(figure_of("ece_debiased", 1000, 0.03), 0.03, 0.92, 1.0, 1000),
    "cost bootstrap, n 1000": Line(cost_of(1000), float((JOINT * COST).sum()), 0.925, 0.965),
    "cost ratio, paired, n 1000": Line(cost_ratio_of(1000), cost_ratio_truth(), 0.925, 0.965),
    "accuracy difference, Newcombe, n 100": Line(difference_of(100, "newcombe"), 0.02, 0.935, 0.98),
    "accuracy difference, Newcombe, n 1000": Line(difference_of(1000, "newcombe"), 0.02),
    "accuracy difference, bootstrap, n 1000": Line(difference_of(1000, "bootstrap"), 0.02),
    "latency p95, n 500": Line(latency_of(500, 0.95), math.exp(2 + 0.6 * stats.norm.ppf(0.95)), 0.945, 0.975),
    "latency p50, n 101": Line(latency_of(101, 0.5), math.exp(2), 0.945, 0.975),
    "unknown auroc, 300 and 100": Line(
        unknown_of("unknown_auroc", 300, 100, 1.5), float(stats.norm.cdf(1.5 / math.sqrt(2))), 0.935, 0.97
    ),
    "unknown auroc .98, 100 and 40": Line(
        unknown_of("unknown_auroc", 100, 40, 2.9), float(stats.norm.cdf(2.9 / math.sqrt(2))), 0.93, 0.99
    ),
    "unknown fpr95, 1000 and 300": Line(unknown_of("unknown_fpr95", 1000, 300, 2.0), fpr_truth(2.0), 0.935, 0.97),
    "unknown fpr95, 100 and 50 (few)": Line(unknown_of("unknown_fpr95", 100, 50, 2.0), fpr_truth(2.0), 0.93, 0.99),
    "micro-F1 bootstrap, n 300": Line(sets_of(300), 2 * 0.36 / (0.4 + 0.36 + 0.06), 0.93, 0.965),
}


def share_covered(line: Line, draws: int) -> float:
    rng = np.random.default_rng(7)
    measured = [line.draw(rng) for _ in range(draws)]
    return float(np.mean([m.low <= line.truth <= m.high for m in measured]))


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_coverage(name: str) -> None:
    line = LINES[name]
    share = share_covered(line, line.draws)
    noise = 2 * math.sqrt(0.05 * 0.95 / line.draws)
    sys.stdout.write(f"{name:45s} {100 * share:5.1f} %\n")  # the table, with pytest -s

    assert line.least - noise <= share <= line.most + noise


QUICK = [
    "wilson, n 5500, p .921",
    "accuracy difference, Newcombe, n 100",
    "latency p95, n 500",
    "cost ratio, paired, n 1000",
]


@pytest.mark.parametrize("name", QUICK)
def test_quick_coverage(name: str) -> None:
    """Four standard errors around the promise: catches a broken interval, not a slightly narrow one."""
    line = LINES[name]
    noise = 4 * math.sqrt(0.05 * 0.95 / 300)

    assert line.least - noise <= share_covered(line, 300)
