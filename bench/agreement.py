"""What eight bits change: decisions of the router as served beside those of its fp32 graph, on the same rows.

    python bench/agreement.py RUN CALIBRATION TEST    # a run folder of `interlock build`, and labelled rows

Each graph gets its own temperature and unknown gate, fitted on the calibration rows as a build fits them. A row agrees
when outcome and route are the same. The last line is one JSON object; ``ratio`` is the share of rows that agree.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from interlock.bundle.layout import GRAPH, GRAPH_INT8, TOKENIZER
from interlock.bundle.open import Bundle, open_bundle
from interlock.calibrate.fit import calibrate
from interlock.core.dataset import CalibrationSet, Dataset
from interlock.core.decision import Decision
from interlock.data.read import read
from interlock.measure.compare import accuracy_difference
from interlock.measure.proportion import proportion
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import allowed_start
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import score_all


def main(run: Path, calibration: Path, test: Path) -> None:
    """Decide every row twice, then print."""
    bundle = open_bundle(run / "bundle")
    names = bundle.contract.label_names
    fitted_on, rows = CalibrationSet(read(calibration, labels=names).examples), read(test, labels=names)
    whole, small = (_decided(_predictor(bundle, graph, fitted_on), rows) for graph in (GRAPH, GRAPH_INT8))
    same = [(a.outcome, a.route) == (b.outcome, b.route) for a, b in zip(whole, small, strict=True)]
    labels = [a.label == b.label for a, b in zip(whole, small, strict=True)]
    right = [
        np.array([one.label in row.labels for one, row in zip(side, rows, strict=True)]) for side in (whole, small)
    ]
    out: dict[str, Any] = {
        "ratio": float(np.mean(same)),
        "outcome_and_route": proportion("outcome_and_route", sum(same), len(same)).to_json(),
        "label": proportion("label", sum(labels), len(labels)).to_json(),
        "accuracy_loss": accuracy_difference(*right).to_json(),
        "changed": sorted(
            {f"{a.reason} -> {b.reason}" for a, b in zip(whole, small, strict=True) if a.reason != b.reason}
        ),
    }
    print(json.dumps(out))


def _predictor(bundle: Bundle, graph: str, rows: CalibrationSet) -> Predictor:
    contract, files = bundle.contract, bundle.verified.files
    scorer = OnnxEncoder(
        graph=files[graph],
        tokenizer=files[TOKENIZER],
        labels=len(contract.labels),
        max_tokens=contract.input.max_tokens,
    )
    print(f"{graph}: {len(rows)} calibration rows", file=sys.stderr)
    logits, features = score_all(scorer, [allowed_start(row.text, contract.input) for row in rows])
    found = calibrate(rows, logits, contract, features=features, kind="temperature")
    return Predictor(contract=contract, scorer=scorer, calibrator=found.calibrator, unknown=found.unknown)


def _decided(predictor: Predictor, rows: Dataset) -> list[Decision]:
    print(f"{len(rows)} test rows", file=sys.stderr)
    return [predictor.decide(row.text) for row in rows]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("test", type=Path)
    given = parser.parse_args()
    main(given.run, given.calibration, given.test)
