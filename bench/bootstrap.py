"""Time 10,000 bootstrap resamples of 5,500 rows: accuracy, macro-F1 and ECE together, ours against three loops.

All loops draw row numbers with replacement and recompute the three figures:

- ``sklearn_loop``: ``accuracy_score``, ``f1_score`` and an ECE that goes over the bins with masks.
- ``numpy_loop``: no library metrics; the resampled arrays are counted with ``bincount`` and binned with ``digitize``.
- ``numpy_loop_prepared``: the same, with each row's confusion cell, bin and residual computed once, before the loop.

The loops are timed on fewer resamples and scaled, their time being proportional to the count. The last line printed is
one JSON object. ``--resamples`` and ``--labels`` change the size.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, f1_score

from interlock.measure.bootstrap import Sums, resampled_sums
from interlock.measure.calibration import equal_width_bins, gap, indicator
from interlock.measure.classify import macro_f1

ROWS, BINS, ACCURACY = 5500, 10, 0.921
Loop = Callable[["Rows", int], Sums]


class Rows:
    """5,500 rows of a model that is right 92.1 % of the time, with the confidence such a model states."""

    def __init__(self, labels: int) -> None:
        rng = np.random.default_rng(0)
        self.k = labels
        self.gold = rng.integers(0, labels, ROWS)
        self.confidence = 1 - (1 - 1 / labels) * rng.beta(0.35, 3.6, ROWS)
        self.confidence[rng.random(ROWS) > self.confidence] *= 0.9
        right = rng.random(ROWS) < ACCURACY
        self.predicted = np.where(right, self.gold, (self.gold + rng.integers(1, labels, ROWS)) % labels)


def sklearn_loop(rows: Rows, resamples: int) -> Sums:
    rng, out = np.random.default_rng(1), np.empty((resamples, 3))
    for b in range(resamples):
        index = rng.integers(0, ROWS, ROWS)
        gold, predicted, confidence = rows.gold[index], rows.predicted[index], rows.confidence[index]
        error = 0.0
        for low in np.arange(BINS) / BINS:
            inside = (confidence > low) & (confidence <= low + 1 / BINS)
            if inside.any():
                error += inside.mean() * abs(confidence[inside].mean() - (gold == predicted)[inside].mean())
        out[b] = accuracy_score(gold, predicted), f1_score(gold, predicted, average="macro"), error
    return out


def numpy_loop(rows: Rows, resamples: int) -> Sums:
    rng, out, k = np.random.default_rng(1), np.empty((resamples, 3)), rows.k
    edges = np.arange(1, BINS) / BINS
    for b in range(resamples):
        index = rng.integers(0, ROWS, ROWS)
        gold, predicted, confidence = rows.gold[index], rows.predicted[index], rows.confidence[index]
        table = np.bincount(gold * k + predicted, minlength=k * k).reshape(k, k)
        hits, occurrences = table.diagonal(), table.sum(axis=0) + table.sum(axis=1)
        residuals = confidence - (gold == predicted)
        sums = np.bincount(np.digitize(confidence, edges, right=True), weights=residuals, minlength=BINS)
        out[b] = hits.sum() / ROWS, (2 * hits / occurrences).mean(), np.abs(sums).sum() / ROWS
    return out


def numpy_loop_prepared(rows: Rows, resamples: int) -> Sums:
    rng, out, k = np.random.default_rng(1), np.empty((resamples, 3)), rows.k
    cell, bins = rows.gold * k + rows.predicted, equal_width_bins(rows.confidence, bins=BINS)
    residuals = rows.confidence - (rows.gold == rows.predicted)
    for b in range(resamples):
        index = rng.integers(0, ROWS, ROWS)
        table = np.bincount(cell[index], minlength=k * k).reshape(k, k)
        hits, occurrences = table.diagonal(), table.sum(axis=0) + table.sum(axis=1)
        sums = np.bincount(bins[index], weights=residuals[index], minlength=BINS)
        out[b] = hits.sum() / ROWS, (2 * hits / occurrences).mean(), np.abs(sums).sum() / ROWS
    return out


def ours(rows: Rows, resamples: int) -> Sums:
    k, right = rows.k, rows.gold == rows.predicted
    gold, predicted = indicator(rows.gold, bins=k), indicator(rows.predicted, bins=k)
    bins = indicator(equal_width_bins(rows.confidence, bins=BINS), bins=BINS)
    columns = [gold * predicted, gold + predicted, bins * (rows.confidence - right)[:, None]]
    sums = resampled_sums(np.hstack(columns), resamples=resamples, seed=1)
    hits, occurrences, residuals = np.split(sums, [k, 2 * k], axis=1)
    return np.column_stack([hits.sum(axis=1) / ROWS, macro_f1(hits, occurrences), gap(residuals, ROWS)])


def seconds(
    loop: Loop, rows: Rows, *, timed: int, repeats: int, resamples: int
) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the best time scaled to ``resamples``, and the mean and standard deviation of the three figures."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        figures = loop(rows, timed)
        best = min(best, time.perf_counter() - start)
    return best * resamples / timed, np.concatenate([figures.mean(axis=0), figures.std(axis=0)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--labels", type=int, default=10)
    options = parser.parse_args()
    rows, full = Rows(options.labels), options.resamples
    loops: dict[str, tuple[Loop, int]] = {
        "sklearn_loop": (sklearn_loop, min(300, full)),
        "numpy_loop": (numpy_loop, min(2000, full)),
        "numpy_loop_prepared": (numpy_loop_prepared, min(3000, full)),
        "ours": (ours, full),
    }
    for loop, _ in loops.values():
        loop(rows, 20)  # first calls pay for imports and threads
    times, spread = {}, {}
    for name, (loop, timed) in loops.items():
        times[name], figures = seconds(loop, rows, timed=timed, repeats=5, resamples=full)
        spread[name] = [round(float(x), 5) for x in figures]
        print(f"{name:20s} {times[name]:8.3f} s   timed on {timed} resamples   means and deviations {spread[name]}")
    result = {
        "ratios": {name: round(times[name] / times["ours"], 1) for name in loops if name != "ours"},
        "seconds": {name: round(value, 4) for name, value in times.items()},
        "resamples": {name: timed for name, (_, timed) in loops.items()} | {"scaled_to": full},
        "rows": ROWS,
        "labels": options.labels,
        "mean_and_sd_of_accuracy_macro_f1_ece": spread,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
