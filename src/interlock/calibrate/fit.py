"""Everything that is fitted on calibration rows, in one place. Knows logits, not models."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.calibrate.choose import choose
from interlock.calibrate.kinds import LOGIT_FITS
from interlock.calibrate.unknown import Fitted, Scored, fit_unknown
from interlock.core.clock import Clock
from interlock.core.contract import Bands, Contract
from interlock.core.dataset import CalibrationSet
from interlock.core.errors import InputError, did_you_mean
from interlock.predict.calibrators import Calibrator
from interlock.predict.detectors import UnknownGate
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import FloatArray, Scorer
from interlock.predict.several import SeveralDetector
from interlock.predict.words import Words

AUTO = "auto"


@dataclass(frozen=True)
class Calibration:
    """What calibration rows taught."""

    calibrator: Calibrator
    unknown: UnknownGate | None
    facts: dict[str, Any]
    several: SeveralDetector | None = None
    words: Words | None = None

    def predictor(self, contract: Contract, scorer: Scorer, clock: Clock) -> Predictor:
        """Return the router that these and a scorer make."""
        return Predictor(
            contract,
            scorer,
            calibrator=self.calibrator,
            unknown=self.unknown,
            several=self.several,
            words=self.words,
            clock=clock,
        )


def check_kind(kind: str) -> None:
    """Raise InputError unless ``kind`` names a calibrator, or leaves the choice to ``calibrate``."""
    if kind not in {AUTO, *LOGIT_FITS}:
        raise InputError(
            f"there is no calibrator {kind!r}{did_you_mean(kind, [AUTO, *LOGIT_FITS])}",
            todo=f"Name one of {', '.join([AUTO, *LOGIT_FITS])}.",
        )


def calibrate(
    calibration: CalibrationSet,
    logits: FloatArray,
    contract: Contract,
    *,
    features: FloatArray | None = None,
    references: Scored | None = None,
    unknown: Scored | None = None,
    kind: str = AUTO,
    seed: int = 0,
) -> Calibration:
    """Fit the calibrator and the detectors.

    Args:
        calibration: the rows ``logits`` belong to, in order. A TrainSet or TestSet here is a type error.
        logits: (n rows, k labels), from the scorer that will serve.
        contract: says which detectors are wanted.
        features: (n rows, d), where the scorer gives any.
        references: what it makes of some training rows, for detectors that compare with them.
        unknown: what it makes of rows that carry no label, for the unknown gate to learn from.
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
    seen = Scored(logits, features, np.where(single, gold, -1))
    gated = _gate(calibration, seen, contract, references, unknown)
    facts: dict[str, Any] = {"rows": len(calibration), "single_label_rows": int(single.sum()), "chosen": kind == AUTO}
    facts |= {**calibrator.to_json(), "crossfit_nll": losses, "unknown": dict(gated.facts) if gated else None}
    return Calibration(calibrator, gated.gate if gated else None, facts)


def _gate(
    calibration: CalibrationSet, seen: Scored, contract: Contract, references: Scored | None, unknown: Scored | None
) -> Fitted | None:
    wanted = contract.decide.unknown if isinstance(contract.decide, Bands) else None
    if wanted is None:
        return None
    return fit_unknown(
        seen,
        keep_known=wanted.keep_known,
        method=wanted.method,
        references=references,
        unknown=unknown,
        held=in_second_half([example.group or example.id for example in calibration]),
    )


def in_second_half(keys: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which of two halves each key belongs to: by its digest, so the same whatever stands beside it."""
    return np.array([hashlib.sha256(key.encode()).digest()[0] % 2 == 1 for key in keys], dtype=np.bool_)


def _fitted(
    logits: FloatArray, gold: npt.NDArray[np.int64], *, kind: str, seed: int
) -> tuple[Calibrator, dict[str, float]]:
    if kind == AUTO:
        choice = choose(logits, gold, seed=seed)
        return choice.calibrator, dict(choice.nll)
    check_kind(kind)
    return LOGIT_FITS[kind](np.asarray(logits, dtype=np.float64), gold), {}
