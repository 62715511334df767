"""Everything that is fitted on calibration rows, in one place. Knows logits, not models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.calibrate.choose import choose
from interlock.calibrate.kinds import LOGIT_FITS
from interlock.core.contract import Bands, Contract
from interlock.core.dataset import CalibrationSet
from interlock.core.errors import InputError, did_you_mean
from interlock.predict.calibrators import Calibrator
from interlock.predict.detectors import UnknownGate
from interlock.predict.scorer import FloatArray
from interlock.predict.several import SeveralDetector

AUTO = "auto"


@dataclass(frozen=True)
class Calibration:
    """What calibration rows taught."""

    calibrator: Calibrator
    unknown: UnknownGate | None
    facts: dict[str, Any]
    several: SeveralDetector | None = None


def check_kind(kind: str) -> None:
    """Raise InputError unless ``kind`` names a calibrator, or leaves the choice to ``calibrate``."""
    if kind not in {AUTO, *LOGIT_FITS}:
        raise InputError(
            f"there is no calibrator {kind!r}{did_you_mean(kind, [AUTO, *LOGIT_FITS])}",
            todo=f"Name one of {', '.join([AUTO, *LOGIT_FITS])}.",
        )


def calibrate(
    calibration: CalibrationSet, logits: FloatArray, contract: Contract, *, kind: str = AUTO, seed: int = 0
) -> Calibration:
    """Fit the calibrator and the detectors.

    Args:
        calibration: the rows ``logits`` belong to, in order. A TrainSet or TestSet here is a type error.
        logits: (n rows, k labels), from the scorer that will serve.
        contract: says which detectors are wanted.
        kind: one of ``LOGIT_FITS``, or ``auto``: chosen by cross-fitted NLL.
        seed: of the folds the choice is made on.

    Raises:
        InputError: no usable rows, or no such kind.
    """
    single = np.array([len(example.labels) == 1 for example in calibration])
    if not single.any():
        raise InputError("no calibration row has exactly one label", todo="Give calibration rows with one label each.")
    gold = np.array([contract.index[example.label] for example in calibration])
    calibrator, losses = _fitted(logits[single], gold[single], kind=kind, seed=seed)
    wanted = contract.decide.unknown if isinstance(contract.decide, Bands) else None
    gate = fit_unknown(logits, keep_known=wanted.keep_known) if wanted else None
    facts = {"rows": len(calibration), "single_label_rows": int(single.sum()), "chosen": kind == AUTO}
    return Calibration(calibrator, gate, {**facts, **calibrator.to_json(), "crossfit_nll": losses})


def _fitted(
    logits: FloatArray, gold: npt.NDArray[np.int64], *, kind: str, seed: int
) -> tuple[Calibrator, dict[str, float]]:
    if kind == AUTO:
        choice = choose(logits, gold, seed=seed)
        return choice.calibrator, dict(choice.nll)
    check_kind(kind)
    return LOGIT_FITS[kind](np.asarray(logits, dtype=np.float64), gold), {}


def fit_unknown(logits: FloatArray, *, keep_known: float) -> UnknownGate:
    """Return the gate that a share ``keep_known`` of new known messages is expected to pass.

    The threshold is the split-conformal quantile of the energies (Vovk et al. 2005): with n exchangeable known rows,
    the ceil((n + 1) keep_known)-th smallest, so the promise holds for the next message and not only on these rows.
    With too few rows for that rank every message passes.
    """
    energies = np.sort([UnknownGate.score(row) for row in logits])
    rank = math.ceil((len(energies) + 1) * keep_known)
    if rank > len(energies):
        return UnknownGate(math.inf)
    return UnknownGate(float(np.nextafter(energies[rank - 1], math.inf)))
