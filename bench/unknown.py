"""How well each detector tells messages of no known kind, and what it adds to a message.

    python bench/unknown.py RUN DATA [--unknown FILE ...] [--calibration FILE] [--test FILE] [--learn FILE]

RUN is a folder that ``interlock build`` made, DATA the rows it was trained on. Every detector is fitted as a build fits
it, without unknown rows (or with those of ``--learn``), its threshold on the calibration rows; each ``--unknown`` file
is told from the test rows. Where labels were held out of training, their rows make the unknown of the near domain.
Every detector is compared with max-softmax, plain thresholding of the first label, on the same rows: AUROC differences
by a bootstrap of both groups. ``in_scope`` is the share of test rows that are let through and right, ``recall`` the
share of unknown rows that are not let through, ``precision`` the share of unknown among all that are not: at thresholds
that keep 95, 98 and 99 % of known messages, read off calibration rows (``kept``), and at the one that leaves 96 % of
the test rows let through and right (``at_96``; Larson 2019), with the points of recall over max-softmax there, paired.
The last line is one JSON object; ``ratios`` are the shares of unknown rows accepted where 95 % of known are,
max-softmax's over the detector's.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.assemble import Exported
from interlock.bundle.layout import GRAPH_INT8
from interlock.calibrate.fit import in_second_half
from interlock.calibrate.unknown import AUTO, Scored, conformal_threshold, fit_unknown
from interlock.core.contract_file import parse_contract
from interlock.core.dataset import Dataset, TrainSet
from interlock.core.progress import unwatched
from interlock.data.read import read, read_texts
from interlock.measure.proportion import proportion
from interlock.measure.unknown import unknown
from interlock.predict.detectors import METHODS, UnknownGate, score_each
from interlock.predict.scorer import Scores
from interlock.strangers import references, seen

Scores_ = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
RESAMPLES = 1000
KEPT = (0.95, 0.98, 0.99)
IN_SCOPE = 0.96
LEARNS = {AUTO, "combined"}


def area(known: Scores_, strange: Scores_) -> float:
    """Return the AUROC of a detector; higher scores are stranger."""
    low = np.sort(known)
    beaten = np.searchsorted(low, strange, "left").sum() + np.searchsorted(low, strange, "right").sum()
    return float(beaten) / 2 / (known.size * strange.size)


def difference(ours: tuple[Scores_, Scores_], plain: tuple[Scores_, Scores_], *, seed: int = 0) -> list[float]:
    """Return ours minus plain in AUROC and its 95 % interval, both groups resampled, the same rows for both."""
    chance, found = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        rows = [chance.integers(0, group.size, group.size) for group in ours]
        found.append(area(ours[0][rows[0]], ours[1][rows[1]]) - area(plain[0][rows[0]], plain[1][rows[1]]))
    low, high = np.quantile(found, [0.025, 0.975]).tolist()
    return [area(*ours) - area(*plain), low, high]


def held_back(own: Scores_, other: Scores_, right: Flags, threshold: float) -> dict[str, object]:
    """Return what a threshold makes of known rows, of which some are labelled right, and of unknown ones."""
    passed, found = own < threshold, int((other >= threshold).sum())
    return {
        "in_scope": proportion("in_scope", int((passed & right).sum()), right.size).to_json(),
        "recall": proportion("recall", found, other.size).to_json(),
        "precision": proportion("precision", found, found + int((~passed).sum())).to_json(),
    }


def leaving(own: Scores_, right: Flags, share: float) -> float:
    """Return the threshold below which ``share`` of the rows are let through and right; infinite if none does."""
    ordered, rank = np.sort(own[right]), math.ceil(share * right.size)
    return float(np.nextafter(ordered[rank - 1], math.inf)) if rank <= ordered.size else math.inf


def gain(ours: Flags, plain: Flags, *, seed: int = 0) -> list[float]:
    """Return the share of rows found by us less that found by the other, and its 95 % interval, paired."""
    less = ours.astype(float) - plain
    rows = np.random.default_rng(seed).integers(0, less.size, (RESAMPLES, less.size))
    return [float(less.mean()), *np.quantile(less[rows].mean(axis=1), [0.025, 0.975]).tolist()]


def found_at(
    own: Scores_, other: Scores_, right: Flags, fit: Scores_, plain: tuple[Scores_, Scores_]
) -> dict[str, dict[str, object]]:
    """Return, and print, what thresholds make of test rows ``own`` and unknown ones.

    ``fit`` are the rows that thresholds are read off, ``plain`` max-softmax's scores of the test and unknown rows.
    """
    out = {f"{keep:g}": held_back(own, other, right, conformal_threshold(fit, keep_known=keep)) for keep in KEPT}
    at, at_plain = leaving(own, right, IN_SCOPE), leaving(plain[0], right, IN_SCOPE)
    more = gain(other >= at, plain[1] >= at_plain)
    out["at_96"] = {**held_back(own, other, right, at), "recall_over_max_softmax": more}
    for kept, figures in out.items():
        print(f"    {kept:6s}", *(f"{name} {points(found)}" for name, found in figures.items()))
    return out


def points(found: object) -> str:
    """Return a share, or a gain with its interval, in points."""
    if isinstance(found, dict):
        return f"{100 * found['value']:.1f} ({100 * found['low']:.1f}-{100 * found['high']:.1f})"
    assert isinstance(found, list)
    return f"{100 * found[0]:+.1f} ({100 * found[1]:+.1f}..{100 * found[2]:+.1f})"


def milliseconds(gate: UnknownGate, rows: Scored) -> float:
    """Return the median time of one score."""
    taken = []
    for row in range(min(len(rows), 1000)):
        scores = Scores(rows.logits[row], None if rows.features is None else rows.features[row])
        start = time.perf_counter()
        gate.score(scores)
        taken.append(time.perf_counter() - start)
    return 1000 * float(np.median(taken))


@dataclass(frozen=True)
class Material:
    """What every detector is fitted on and told by."""

    calibration: Scored
    held: Flags  # which calibration rows a detector that learns does not see
    shown: Scored | None  # training rows that detectors compare with
    learn: Scored | None  # unknown rows to learn from
    test: Scored
    strange: dict[str, Scored]  # file -> its unknown rows

    @property
    def right(self) -> Flags:
        """Which test rows the model labels right."""
        return np.asarray(self.test.logits.argmax(axis=1) == self.test.gold, dtype=np.bool_)


def material(options: argparse.Namespace) -> Material:
    """Read all rows and run the run's graph over them."""
    contract = parse_contract((options.run / "bundle" / "contract.yaml").read_bytes())
    scorer, labels = Exported.read(options.run).scorer(contract, GRAPH_INT8), contract.label_names

    def scored(rows: Dataset) -> Scored:
        return replace(seen(scorer, rows.texts, contract), gold=np.array([contract.index[row.label] for row in rows]))

    calibration, test = read(options.calibration, labels=labels), read(options.test, labels=labels)
    return Material(
        calibration=scored(calibration),
        held=in_second_half([row.group or row.id for row in calibration]),
        shown=references(scorer, TrainSet(read(options.data, labels=labels).examples), contract, unwatched),
        learn=seen(scorer, read_texts(options.learn), contract) if options.learn else None,
        test=scored(test),
        strange={path.name: seen(scorer, read_texts(path), contract) for path in options.unknown},
    )


def told(gate: UnknownGate, own: Scores_, other: Scores_, plain: tuple[Scores_, Scores_]) -> tuple[dict[str, Any], str]:
    """Return what a gate makes of test rows ``own`` and unknown ones beside max-softmax, and the same in words."""
    found = unknown(own, other, threshold=gate.threshold)
    more = difference((own, other), plain)
    text = "  ".join(
        f"{key.removeprefix('unknown_')} {100 * one.value:.2f} ({100 * one.low:.2f}-{100 * one.high:.2f})"
        for key, one in found.items()
    )
    over = f"over max-softmax {100 * more[0]:+.2f} ({100 * more[1]:+.2f}..{100 * more[2]:+.2f})"
    return {**{key: one.to_json() for key, one in found.items()}, "auroc_over_max_softmax": more}, f"{text}  {over}"


def accepted(own: Scores_, other: Scores_) -> float:
    """Return the share of unknown rows accepted where 95 % of known ones are."""
    return unknown(own, other, threshold=0.0)["unknown_fpr95"].value


def detector(
    method: str, on: Material, plain: dict[str, tuple[Scores_, Scores_]], *, keep_known: float
) -> tuple[dict[str, Any], dict[str, float]]:
    """Fit one detector; return, and print, its figures and its ratios. The first one is what ``plain`` holds then."""
    fitted = fit_unknown(
        on.calibration, keep_known=keep_known, method=method, references=on.shown, unknown=on.learn, held=on.held
    )
    gate, right = fitted.gate, on.right
    own = score_each(gate.detector, on.test.logits, on.test.features)
    others = {name: score_each(gate.detector, rows.logits, rows.features) for name, rows in on.strange.items()}
    passed = own < gate.threshold
    whole, taken = proportion("in_scope", int((passed & right).sum()), right.size), milliseconds(gate, on.test)
    kept = proportion("kept", int(passed.sum()), right.size)
    line = {"facts": dict(fitted.facts), "ms": taken, "kept": kept.to_json(), "in_scope": whole.to_json()}
    ratios: dict[str, float] = {}
    for name, other in others.items():
        plain.setdefault(name, (own, other))
        line[name], text = told(gate, own, other, plain[name])
        ratios[f"{method} {name}"] = accepted(*plain[name]) / max(accepted(own, other), 1 / other.size)
        print(f"{method:21s} {name:18s} {text}")
    print(f"{method:21s} kept {passed.mean():.4f}  in scope {whole.value:.4f}  {taken:.3f} ms")
    part = on.calibration.take(on.held) if method in LEARNS else on.calibration
    fit = score_each(gate.detector, part.logits, part.features)
    for name, other in others.items():
        line[f"kept {name}"] = found_at(own, other, right, fit, plain[name])
    return line, ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--unknown", type=Path, action="append", required=True)
    parser.add_argument("--learn", type=Path)
    parser.add_argument("--keep-known", type=float, default=0.95)
    options = parser.parse_args()
    on = material(options)
    result: dict[str, Any] = {"accuracy": proportion("accuracy", int(on.right.sum()), on.right.size).to_json()}
    ratios: dict[str, float] = {}
    plain: dict[str, tuple[Scores_, Scores_]] = {}
    for method in (*METHODS, AUTO):
        result[method], own = detector(method, on, plain, keep_known=options.keep_known)
        ratios |= own
    print(json.dumps({"ratios": ratios, **result}))


if __name__ == "__main__":
    main()
