"""What raw scores and every calibrator are worth, on rows none of them was fitted on.

    python bench/calibration.py RUN    # a folder that interlock build made

Each calibrator is fitted on the run's calibration rows (``scores/calibration.parquet``) and measured on its test rows
(``scores/test.parquet``), neither of which the model was trained on. The last line is one JSON object; ``ratio`` is the
test NLL of the raw scores over that of the calibrator the cross-fitted rule chooses on the calibration rows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from interlock.calibrate.choose import choose
from interlock.calibrate.kinds import LOGIT_FITS
from interlock.core.contract import Contract
from interlock.core.measurement import Measurement
from interlock.measure.classify import classification
from interlock.measure.confidence import calibration_errors

SHOWN = ("accuracy", "ece_10", "ece_20", "mce_20", "ece_debiased", "brier", "nll")


def main(run: Path) -> None:
    """Fit, measure and print."""
    contract = Contract.from_json(json.loads((run / "config.json").read_text())["contract"])
    fitted = _scores(run / "scores" / "calibration.parquet", contract)
    held = _scores(run / "scores" / "test.parquet", contract)
    choice = choose(*fitted)
    found = {kind: _measured(kind, fitted, held) for kind in LOGIT_FITS}
    for kind, measured in found.items():
        print(f"{kind:12}", "  ".join(f"{name} {_shown(measured[name])}" for name in SHOWN))
    out = {
        "rows": {"calibration": len(fitted[1]), "test": len(held[1])},
        "chosen": choice.kind,
        "crossfit_nll": dict(choice.nll),
        "calibrators": {kind: {name: m.to_json() for name, m in measured.items()} for kind, measured in found.items()},
        "ratio": found["raw"]["nll"].value / found[choice.kind]["nll"].value,
    }
    print(json.dumps(out))


def _scores(path: Path, contract: Contract) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the logits (n, k) and gold columns (n,) of rows with one label."""
    rows = pl.read_parquet(path).filter(pl.col("labels").list.len() == 1)
    gold = [contract.index[label] for label in rows["labels"].list.first()]
    return np.array(rows["logits"].to_list(), dtype=np.float64), np.array(gold, dtype=np.int64)


def _measured(
    kind: str,
    fitted: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]],
    held: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]],
) -> dict[str, Measurement]:
    logits, gold = held
    probabilities = np.asarray(LOGIT_FITS[kind](*fitted).probabilities(logits), dtype=np.float64)
    labels = [str(column) for column in range(probabilities.shape[1])]
    whole = classification(probabilities, gold, labels=labels)
    errors = calibration_errors(probabilities.max(axis=1), probabilities.argmax(axis=1) == gold)
    return {name: whole.get(name) or errors[name] for name in SHOWN}


def _shown(found: Measurement) -> str:
    return f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
