"""Gates beside the classifier. Knows how to apply a fitted detector, not how to fit one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from interlock.predict.scorer import FloatArray


@dataclass(frozen=True, slots=True)
class UnknownGate:
    """Energy score -logsumexp(z) (Liu et al. 2020): higher means less like the training data.

    A message at or above ``threshold`` counts as unknown; NaN there refuses every message.
    """

    threshold: float

    @staticmethod
    def score(logits: FloatArray) -> float:
        """Return the energy of one row of logits, shape (k labels,)."""
        top = float(np.max(logits))
        if not math.isfinite(top):
            return math.nan
        return -(top + math.log(float(np.exp(np.asarray(logits, dtype=np.float64) - top).sum())))
