"""Everything that is fitted on calibration rows, in one place. Knows logits, not models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from interlock.calibrate.temperature import fit_temperature
from interlock.core.contract import Bands, Contract
from interlock.core.dataset import CalibrationSet
from interlock.core.errors import InputError
from interlock.predict.calibrators import Calibrator
from interlock.predict.detectors import UnknownGate
from interlock.predict.scorer import FloatArray


@dataclass(frozen=True)
class Calibration:
    """What calibration rows taught."""

    calibrator: Calibrator
    unknown: UnknownGate | None
    facts: dict[str, Any]


def calibrate(calibration: CalibrationSet, logits: FloatArray, contract: Contract) -> Calibration:
    """Fit the calibrator and the detectors.

    Args:
        calibration: the rows ``logits`` belong to, in order. A TrainSet or TestSet here is a type error.
        logits: (n rows, k labels), from the scorer that will serve.
        contract: says which detectors are wanted.

    Raises:
        InputError: no usable rows.
    """
    single = np.array([len(example.labels) == 1 for example in calibration])
    if not single.any():
        raise InputError("no calibration row has exactly one label", todo="Give calibration rows with one label each.")
    gold = np.array([contract.index[example.label] for example in calibration])
    calibrator = fit_temperature(logits[single], gold[single])
    wanted = contract.decide.unknown if isinstance(contract.decide, Bands) else None
    gate = fit_unknown(logits, keep_known=wanted.keep_known) if wanted else None
    facts = {"rows": len(calibration), "single_label_rows": int(single.sum()), **calibrator.to_json()}
    return Calibration(calibrator, gate, facts)


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
