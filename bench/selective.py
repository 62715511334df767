"""Routing by this router's evidence beside plain thresholding of the first label: risk against coverage.

    python bench/selective.py RUN [--unknown FILE] [-o FOLDER]

RUN is a folder that ``interlock build`` made. Its test rows, and the messages of ``--unknown`` (of no label, so that
accepting one is wrong), are put in order by the softmax of the first label (plain), by its calibrated probability, by
the unknown score, and by the worse of the ranks these two give (``both``). ``aurc`` is the mean risk over all coverages
(Geifman and El-Yaniv 2017) in percent, ``at 1 %`` the largest coverage whose risk is at most that. Differences from
plain are paired, with 95 % bootstrap intervals. With ``-o`` the curves are drawn. The last line is one JSON object;
``ratios`` are plain's AURC over the others'.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from interlock.bundle.open import open_bundle
from interlock.core.measurement import Measurement
from interlock.data.read import read_texts
from interlock.measure.plots.coverage import risk_picture
from interlock.measure.proportion import proportion
from interlock.predict.calibrators import softmax
from interlock.predict.detectors import score_each
from interlock.predict.encoder import OnnxEncoder
from interlock.report.figures import save
from interlock.strangers import seen

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
RESAMPLES, RISKS, POINTS = 1000, (0.01, 0.02), 60
PLAIN = "plain"


@dataclass(frozen=True)
class Point:
    """What accepting the surest rows brings."""

    threshold: float  # share of the rows
    precision: Measurement
    coverage: Measurement


def risks(order: Floats, right: Flags) -> Floats:
    """Return the share of wrong rows among the k surest, for every k; equally sure rows share what they add."""
    places = np.argsort(-order, kind="stable")
    wrong = (~right[places]).astype(float)
    _, starts, sizes = np.unique(-order[places], return_index=True, return_counts=True)
    even = np.repeat(np.add.reduceat(wrong, starts) / sizes, sizes)
    return np.asarray(np.cumsum(even) / np.arange(1, len(wrong) + 1))


def figures(order: Floats, right: Flags) -> dict[str, float]:
    """Return the area under the curve, and coverage at each risk, in percent."""
    found = risks(order, right)
    at = {
        f"at {100 * risk:g} %": 100.0 * max(np.flatnonzero(found <= risk) + 1, default=0) / found.size for risk in RISKS
    }
    return {"aurc": 100 * float(found.mean()), **at}


def ranks(scores: Floats) -> Floats:
    """Return each score's rank, equal scores sharing the lowest."""
    return np.searchsorted(np.sort(scores), scores).astype(float)


def compared(orders: dict[str, Floats], right: Flags) -> dict[str, dict[str, list[float]]]:
    """Return every order's figures and their intervals, and what they are over plain's."""
    chance = np.random.default_rng(0)
    drawn = [chance.integers(0, right.size, right.size) for _ in range(RESAMPLES)]
    again = {name: [figures(order[rows], right[rows]) for rows in drawn] for name, order in orders.items()}
    whole = {name: figures(order, right) for name, order in orders.items()}
    out: dict[str, dict[str, list[float]]] = {}
    for name, found in whole.items():
        line = {what: [value, *_ends([one[what] for one in again[name]])] for what, value in found.items()}
        for what in found if name != PLAIN else ():
            less = [one[what] - plain[what] for one, plain in zip(again[name], again[PLAIN], strict=True)]
            line[f"{what}, over plain"] = [found[what] - whole[PLAIN][what], *_ends(less)]
        out[name] = line
    return out


def _ends(values: list[float]) -> list[float]:
    return [float(end) for end in np.quantile(values, [0.025, 0.975])]


def curve(order: Floats, right: Flags) -> list[Point]:
    """Return points of the curve at equal steps of coverage."""
    places = np.argsort(-order, kind="stable")
    out = []
    for share in np.linspace(1 / POINTS, 1, POINTS):
        taken = right[places][: max(1, round(share * right.size))]
        precision = proportion("precision", int(taken.sum()), taken.size)
        out.append(Point(float(share), precision, proportion("coverage", taken.size, right.size)))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--unknown", type=Path)
    parser.add_argument("--out", "-o", type=Path)
    options = parser.parse_args()
    bundle = open_bundle(options.run / "bundle")
    receipt, predictor = bundle.receipt(), bundle.predictor
    assert receipt.logits is not None
    assert predictor.unknown is not None
    assert isinstance(predictor.scorer, OnnxEncoder)
    contract = bundle.contract
    logits = receipt.logits.array.astype(np.float64)
    strange = np.array([np.inf if score is None else score for score in receipt.unknown_scores])
    right = np.array(
        [contract.label_names[c] in row.labels for c, row in zip(logits.argmax(1), receipt.rows, strict=True)]
    )
    if options.unknown is not None:
        other = seen(predictor.scorer, read_texts(options.unknown), contract)
        logits = np.concatenate([logits, other.logits])
        strange = np.concatenate([strange, score_each(predictor.unknown.detector, other.logits, other.features)])
        right = np.append(right, np.zeros(len(other), dtype=bool))
    calibrated = predictor.calibrator.probabilities(logits).max(axis=1)
    orders = {PLAIN: softmax(logits).max(axis=1), "calibrated": calibrated, "unknown score": -strange}
    orders["both"] = np.minimum(ranks(calibrated), ranks(-strange))
    found = compared(orders, right)
    print(f"{right.size} rows, {int(right.sum())} of them to be routed")
    for name, line in found.items():
        print(f"{name:14s}", *(f"{what} {v:.3f} ({low:.3f}..{high:.3f})" for what, (v, low, high) in line.items()))
    if options.out is not None:
        lines = {name: curve(order, right) for name, order in orders.items()}
        picture = risk_picture(lines["both"], at={}, beside={"first label's softmax": lines[PLAIN]})
        save(options.out, {"risk_coverage": picture})
    ratios = {name: found[PLAIN]["aurc"][0] / max(line["aurc"][0], 1e-12) for name, line in found.items()}
    print(json.dumps({"ratios": ratios, "rows": right.size, "figures": found}))


if __name__ == "__main__":
    main()
