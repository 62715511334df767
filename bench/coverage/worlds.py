"""Worlds whose true figures are known, and samples from them, one measurement each."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement
from interlock.measure import accuracy_difference, classification, cost_per_message, cost_ratio
from interlock.measure.bootstrap import bootstrap
from interlock.measure.classify import per_label
from interlock.measure.confidence import calibration_errors
from interlock.measure.label_shift import from_predictions
from interlock.measure.latency import quantile
from interlock.measure.live import expected_accuracy, prediction_powered_accuracy, reviewed_accuracy
from interlock.measure.money import saved_per_month, usd_per_month
from interlock.measure.proportion import proportion
from interlock.measure.seeds import mean_over_seeds
from interlock.measure.sets import micro_f1
from interlock.measure.unknown import unknown

Draw = Callable[[np.random.Generator], Measurement]  # one sample's measurement
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RESAMPLES = 400
K = 5
RIGHT = np.array([0.95, 0.93, 0.90, 0.85, 0.75])
CONFUSION = np.diag(RIGHT) + (1 - np.eye(K)) * ((1 - RIGHT) / (K - 1))[:, None]
PRIOR = np.array([0.4, 0.3, 0.2, 0.07, 0.03])
JOINT = PRIOR[:, None] * CONFUSION
COST = np.abs(np.subtract.outer(np.arange(K), np.arange(K))).astype(float)
ONE_RIGHT = [0.86, 0.06, 0.04, 0.04]  # chances that both models are right, only a, only b, neither
LIVE_ROWS = 6000
LIVE_ACCURACY = 1 - 0.5 * 0.6 / 3.1


def seed_of(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 30))


def share_of(n: int, p: float, method: str = "auto") -> Draw:
    return lambda rng: proportion("x", int(rng.binomial(n, p)), n, method=method)


def labels_of(rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
    """Return gold and predicted labels of five kinds, the rarest with 3 % of rows."""
    cell = rng.choice(K * K, size=n, p=JOINT.ravel())
    return cell // K, cell % K


def f1_truth(label: int) -> float:
    return float(2 * JOINT[label, label] / (JOINT[label].sum() + JOINT[:, label].sum()))


MACRO_F1 = sum(map(f1_truth, range(K))) / K


def f1_of(label: int, n: int) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        gold, predicted = labels_of(rng, n)
        return per_label(predicted, gold, labels=list("abcde"))[f"f1.{'abcde'[label]}"]

    return draw


def macro_f1_of(n: int, labels: int = K) -> Draw:
    """Draw macro-F1 over the first ``labels`` of the five; with three, none is rare."""

    def draw(rng: np.random.Generator) -> Measurement:
        joint = JOINT[:labels, :labels] / JOINT[:labels, :labels].sum()
        cell = rng.choice(labels * labels, size=n, p=joint.ravel())
        p = np.eye(labels)[cell % labels]
        return classification(p, cell // labels, labels=list("abcde")[:labels], resamples=RESAMPLES)["macro_f1"]

    return draw


def macro_f1_truth(labels: int) -> float:
    joint = JOINT[:labels, :labels] / JOINT[:labels, :labels].sum()
    return float((2 * joint.diagonal() / (joint.sum(axis=0) + joint.sum(axis=1))).mean())


def overconfident(rng: np.random.Generator, n: int, shift: float) -> tuple[Floats, Ints]:
    """Return two-label probabilities whose top one overstates its accuracy by ``shift``, and gold labels."""
    top = rng.uniform(0.6, 1.0, n)
    wrong = rng.random(n) >= top - shift
    return np.column_stack([top, 1 - top]), wrong.astype(np.int64)


def figure_of(name: str, n: int, shift: float = 0.1) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        p, gold = overconfident(rng, n, shift)
        return classification(p, gold, labels=["a", "b"], resamples=RESAMPLES, seed=seed_of(rng))[name]

    return draw


def expected(score: Callable[[float, float], float], shift: float = 0.1) -> float:
    """Integrate a score of (confidence, right) over the overconfident world."""
    top = np.linspace(0.6, 1.0, 20_001)
    right = top - shift
    return float(np.mean([r * score(t, 1) + (1 - r) * score(t, 0) for t, r in zip(top, right, strict=True)]))


def calibration_of(name: str, n: int, shift: float) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        p, gold = overconfident(rng, n, shift)
        return calibration_errors(p[:, 0], gold == 0, resamples=RESAMPLES, seed=seed_of(rng))[name]

    return draw


def cost_of(n: int) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        gold, predicted = labels_of(rng, n)
        return cost_per_message(predicted, gold, matrix=COST, resamples=RESAMPLES, seed=seed_of(rng))

    return draw


def cost_ratio_of(n: int) -> Draw:
    """The champion errs where the model does, and on a further tenth of rows by one step."""

    def draw(rng: np.random.Generator) -> Measurement:
        gold, predicted = labels_of(rng, n)
        worse = np.where(rng.random(n) < 0.1, (predicted + 1) % K, predicted)
        return cost_ratio(predicted, worse, gold, matrix=COST, resamples=RESAMPLES, seed=seed_of(rng))

    return draw


def cost_ratio_truth() -> float:
    shifted = COST[:, (np.arange(K) + 1) % K]
    ours = (JOINT * COST).sum()
    return float(ours / (0.9 * ours + 0.1 * (JOINT * shifted).sum()))


def two_models(rng: np.random.Generator, n: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    cell = rng.choice(4, size=n, p=ONE_RIGHT)
    return np.isin(cell, [0, 1]), np.isin(cell, [0, 2])


def difference_of(n: int, method: str) -> Draw:
    return lambda rng: accuracy_difference(*two_models(rng, n), method=method, resamples=RESAMPLES, seed=seed_of(rng))


def dollars_of(n: int, rate: float) -> Draw:
    return lambda rng: usd_per_month(
        rng.random(n) < rate, misroute_usd=1, monthly_messages=1, resamples=RESAMPLES, seed=seed_of(rng)
    )


def saved_of(n: int) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        a, b = two_models(rng, n)
        return saved_per_month(~a, ~b, misroute_usd=1, monthly_messages=1, resamples=RESAMPLES, seed=seed_of(rng))

    return draw


def mean_of(n: int, method: str) -> Draw:
    """Draw the mean of skewed (exponential) rows, whose true value is 1."""
    return lambda rng: bootstrap(
        "mean", rng.exponential(size=(n, 1)), lambda s: s[:, 0] / n, method=method, resamples=1000, seed=seed_of(rng)
    )


def grouped_of(groups: int) -> Draw:
    """Draw the mean of groups of 1-9 rows that share most of their value, whose true value is 0."""

    def draw(rng: np.random.Generator) -> Measurement:
        group = np.repeat(np.arange(groups), rng.integers(1, 10, groups))
        rows = rng.normal(size=groups)[group] + 0.3 * rng.normal(size=group.size)
        columns = np.column_stack([rows, np.ones(group.size)])
        return bootstrap("mean", columns, lambda s: s[:, 0] / s[:, 1], groups=group, resamples=1000, seed=seed_of(rng))

    return draw


def latency_of(n: int, q: float) -> Draw:
    return lambda rng: quantile(rng.lognormal(2, 0.6, n), q, name="x_ms")


def unknown_of(name: str, n: int, m: int, gap: float) -> Draw:
    return lambda rng: unknown(rng.normal(size=n), rng.normal(gap, 1, m), threshold=1.0)[name]


def sets_of(n: int) -> Draw:
    def draw(rng: np.random.Generator) -> Measurement:
        gold = rng.random((n, 4)) < 0.4
        predicted = gold ^ (rng.random((n, 4)) < 0.1)
        return micro_f1(predicted, gold, resamples=RESAMPLES, seed=seed_of(rng))

    return draw


def seeds_of(n: int) -> Draw:
    return lambda rng: mean_over_seeds(rng.normal(0.9, 0.01, n), name="accuracy")


def shift_of(n: int) -> Draw:
    """Draw the first label's share in a window where it fell from 40 % to 20 % and the second rose."""

    def draw(rng: np.random.Generator) -> Measurement:
        gold, predicted = labels_of(rng, n)
        gold_now = rng.choice(3, size=n, p=[0.2, 0.5, 0.3])
        now = (rng.random(n)[:, None] > CONFUSION[gold_now].cumsum(axis=1)).sum(axis=1)
        kept = (gold < 3) & (predicted < 3)
        return from_predictions(predicted[kept], gold[kept], now[now < 3], k=3, resamples=RESAMPLES)[0]

    return draw


def shift_truth() -> float:
    """The share among rows predicted as one of the three labels, which is what the window holds."""
    seen = np.array([0.2, 0.5, 0.3]) * CONFUSION[:3, :3].sum(axis=1)
    return float(seen[0] / seen.sum())


def live_of(kind: str, overstated: float) -> Draw:
    """Draw a week whose unsure decisions are reviewed at 20 %, the others at a random audit's 3 %."""

    def draw(rng: np.random.Generator) -> Measurement:
        confidence = 1 - 0.5 * rng.beta(0.6, 2.5, LIVE_ROWS)
        correct = rng.random(LIVE_ROWS) < confidence - overstated
        propensity = np.where(confidence < 0.85, 0.20, 0.03)
        seen = rng.random(LIVE_ROWS) < propensity
        if kind == "naive":
            return proportion("x", int(correct[seen].sum()), int(seen.sum()))
        if kind == "expected":
            return expected_accuracy(confidence)
        if kind == "weighted":
            return reviewed_accuracy(correct[seen], propensity[seen])
        return prediction_powered_accuracy(confidence, seen, correct, propensity)

    return draw


def fpr_truth(gap: float) -> float:
    from scipy import stats

    return float(stats.norm.cdf(stats.norm.ppf(0.95) - gap))


def auroc_truth(gap: float) -> float:
    return 0.5 * math.erfc(-gap / 2)
