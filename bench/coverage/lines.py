"""The table's lines: every kind of interval, at several numbers of rows and rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from bench.coverage import worlds as w

PROMISED = (0.935, 0.965)


@dataclass(frozen=True)
class Line:
    """One kind of interval in one world."""

    kind: str
    n: int
    world: str
    draw: w.Draw
    truth: float
    within: tuple[float, float] = PROMISED  # the share of intervals that should hold the truth
    reason: str = ""  # why it promises something else


@dataclass(frozen=True)
class Found:
    """What the simulation found for a line."""

    covered: float
    too_low: float  # share of intervals that end below the truth
    too_high: float
    width: float  # mean
    mean: float  # of the estimates
    draws: int

    @property
    def noise(self) -> float:
        """Two standard errors of a share near 95 %."""
        return 2 * math.sqrt(0.05 * 0.95 / self.draws)


def simulate(line: Line, *, draws: int, seed: int = 7) -> Found:
    """Draw samples and count the intervals that hold the truth; unbounded sides hold everything."""
    rng = np.random.default_rng(seed)
    measured = [line.draw(rng) for _ in range(draws)]
    low = np.nan_to_num(np.array([m.low for m in measured]), nan=-np.inf)
    high = np.nan_to_num(np.array([m.high for m in measured]), nan=np.inf)
    under, over = float((high < line.truth).mean()), float((low > line.truth).mean())
    return Found(
        1 - under - over, under, over, float((high - low).mean()), float(np.mean([m.value for m in measured])), draws
    )


SAFE = (0.935, 1.0)
DISCRETE = "counts are whole: errs on the safe side"
RARE = "rare rows may be missing from the sample"
ZERO = "at zero the low bound is 0 unless refuted"
EXACT = "never below its level"
NLL = w.expected(lambda t, r: -math.log(t if r else max(1 - t, 1e-12)))
BRIER = w.expected(lambda t, r: 2 * (t - r) ** 2)

LINES = [
    *(
        Line("Wilson", n, f"share {p}", w.share_of(n, p, "wilson"), p)
        for n, p in [(100, 0.9), (1000, 0.9), (5500, 0.921)]
    ),
    *(
        Line("Clopper-Pearson", n, f"share {p}", w.share_of(n, p, "clopper_pearson"), p, SAFE, EXACT)
        for n, p in [(20, 0.9), (100, 0.95), (1000, 0.9)]
    ),
    *(
        Line("share, as reported", n, f"share {p}", w.share_of(n, p), p, SAFE, DISCRETE)
        for n, p in [(10, 0.8), (30, 0.95), (30, 0.99), (100, 0.95), (200, 0.98), (1000, 0.99)]
    ),
    *(
        Line("mean, percentile", n, "exponential", w.mean_of(n, "percentile"), 1.0, (0.90, 0.965), "skewed rows")
        for n in (20, 50, 200)
    ),
    *(
        Line("mean, basic", n, "exponential", w.mean_of(n, "basic"), 1.0, (0.85, 0.965), "skewed rows")
        for n in (20, 50, 200)
    ),
    *(
        Line("mean, BCa", n, "exponential", w.mean_of(n, "bca"), 1.0, (0.915 if n < 50 else 0.93, 0.965))
        for n in (20, 50, 200)
    ),
    *(
        Line("mean of groups, percentile", g, "groups of 1-9 rows", w.grouped_of(g), 0.0, (0.92, 0.965))
        for g in (15, 40, 150)
    ),
    *(Line("Brier, BCa", n, "overconfident by 0.1", w.figure_of("brier", n), BRIER) for n in (20, 50, 100, 500)),
    *(
        Line("NLL, BCa", n, "overconfident by 0.1", w.figure_of("nll", n), NLL, (0.92 if n < 200 else 0.935, 0.965))
        for n in (20, 50, 100, 500)
    ),
    *(
        Line(
            "macro-F1, BCa",
            n,
            "3 common labels",
            w.macro_f1_of(n, 3),
            w.macro_f1_truth(3),
            (0.935, 0.99 if n < 200 else 0.97),
            "few errors" if n < 200 else "",
        )
        for n in (50, 100, 200, 1000)
    ),
    *(
        Line("macro-F1, BCa", n, "a label of 3 %", w.macro_f1_of(n), w.MACRO_F1, (0.80, 0.99), RARE)
        for n in (50, 100, 200)
    ),
    Line("macro-F1, BCa", 2000, "a label of 3 %", w.macro_f1_of(2000), w.MACRO_F1),
    *(Line("micro-F1 of sets, BCa", n, "4 labels", w.sets_of(n), 2 * 0.36 / (0.4 + 0.36 + 0.06)) for n in (50, 300)),
    Line("F1 of a label, binomial", 500, "40 % of rows", w.f1_of(0, 500), w.f1_truth(0), (0.935, 0.975)),
    Line("F1 of a label, binomial", 500, "3 % of rows", w.f1_of(4, 500), w.f1_truth(4), SAFE, DISCRETE),
    *(
        Line("cost, BCa", n, "five labels", w.cost_of(n), float((w.JOINT * w.COST).sum()), (0.90, 0.975), RARE)
        for n in (50, 100)
    ),
    *(Line("cost, BCa", n, "five labels", w.cost_of(n), float((w.JOINT * w.COST).sum())) for n in (200, 1000)),
    *(
        Line("cost ratio, paired BCa", n, "champion worse", w.cost_ratio_of(n), w.cost_ratio_truth(), (0.92, 0.975))
        for n in (100, 1000)
    ),
    *(
        Line("dollars a month", n, f"misroutes {p}", w.dollars_of(n, p), p, SAFE, DISCRETE)
        for n, p in [(50, 0.1), (100, 0.03), (1000, 0.1)]
    ),
    *(Line("dollars saved", n, "paired", w.saved_of(n), 0.02, (0.935, 0.985), DISCRETE) for n in (50, 100, 1000)),
    *(
        Line(
            "accuracy difference, Newcombe", n, "paired", w.difference_of(n, "newcombe"), 0.02, (0.935, 0.985), DISCRETE
        )
        for n in (50, 100)
    ),
    Line("accuracy difference, Newcombe", 1000, "paired", w.difference_of(1000, "newcombe"), 0.02),
    Line("accuracy difference, percentile", 1000, "paired", w.difference_of(1000, "bootstrap"), 0.02),
    *(
        Line(
            f"{name}, centred",
            n,
            f"true {shift}",
            w.figure_of(name, n, shift),
            shift,
            (0.92, 1.0) if shift < 0.1 else (0.90 if n < 500 else 0.925, 0.975),
            "near zero the low bound is 0 unless refuted" if shift < 0.1 else "few rows a bin" if n < 500 else "",
        )
        for name in ("ece_10", "ece_20", "ece_debiased")
        for n, shift in [(200, 0.1), (1000, 0.1), (1000, 0.03)]
    ),
    *(
        Line(f"{name}, centred", 500, "calibrated", w.calibration_of(name, 500, 0.0), 0.0, (0.96, 1.0), ZERO)
        for name in ("ece_10", "ece_mass_15", "ece_debiased", "ece_l1_debiased", "ece_sweep", "mce_20")
    ),
    *(
        Line(
            "quantile, order statistics", n, f"q {q}", w.latency_of(n, q), math.exp(2 + 0.6 * z), (0.945, 0.985), EXACT
        )
        for n, q, z in [(101, 0.5, 0.0), (500, 0.95, 1.6448536269514722)]
    ),
    *(
        Line(
            "AUROC, score",
            n + m,
            f"{n} and {m} rows, gap {g}",
            w.unknown_of("unknown_auroc", n, m, g),
            w.auroc_truth(g),
            (0.93, 0.99),
        )
        for n, m, g in [(300, 100, 1.5), (100, 40, 2.9)]
    ),
    *(
        Line(
            "FPR at 95 % kept",
            n + m,
            f"{n} and {m} rows",
            w.unknown_of("unknown_fpr95", n, m, 2.0),
            w.fpr_truth(2.0),
            (0.93, 0.99),
        )
        for n, m in [(1000, 300), (100, 50)]
    ),
    *(Line("mean over seeds, Student", n, "normal", w.seeds_of(n), 0.9) for n in (3, 5)),
    *(
        Line("label share, BBSE percentile", n, "share halved", w.shift_of(n), w.shift_truth(), (0.925, 0.97))
        for n in (200, 1000)
    ),
]

LIVE = [
    *(
        Line(
            "naive share of the reviewed",
            w.LIVE_ROWS,
            f"overstated by {o}",
            w.live_of("naive", o),
            w.LIVE_ACCURACY - o,
            (0.0, 0.2),
            "the queue holds the hard rows",
        )
        for o in (0.0, 0.1)
    ),
    Line("mean confidence (CBPE)", w.LIVE_ROWS, "calibrated", w.live_of("expected", 0.0), w.LIVE_ACCURACY),
    Line(
        "mean confidence (CBPE)",
        w.LIVE_ROWS,
        "overstated by 0.1",
        w.live_of("expected", 0.1),
        w.LIVE_ACCURACY - 0.1,
        (0.0, 0.1),
        "right only while calibrated",
    ),
    *(
        Line(title, w.LIVE_ROWS, f"overstated by {o}", w.live_of(kind, o), w.LIVE_ACCURACY - o)
        for kind, title in (("weighted", "weighted by propensity"), ("powered", "prediction-powered"))
        for o in (0.0, 0.1)
    ),
]
