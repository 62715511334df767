"""The same recipe under several seeds: how far apart its models are. Knows no training, no terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from interlock.core.errors import InputError
from interlock.core.measurement import Measurement
from interlock.measure.seeds import SeedSummary, mean_over_seeds, seed_summary
from interlock.report.arms import Arm, Rows

FIGURES = ("accuracy", "macro_f1", "rare_recall", "ece_debiased", "cost_per_message")


@dataclass(frozen=True)
class Seeds:
    """Every seed's figures on the test rows; nothing is chosen by them."""

    rows: int
    by_seed: Mapping[str, Mapping[str, Measurement]]
    minutes: Mapping[str, float]
    means: Mapping[str, Measurement]  # over seeds
    sds: Mapping[str, float]  # over seeds
    accuracy: SeedSummary

    @property
    def why(self) -> str:
        """What the spread says."""
        seed, sampling = 100 * self.accuracy.seed_sd, 100 * self.accuracy.sampling_sd
        head = f"another seed moves accuracy by {seed:.2f} points (sd), other test rows by {sampling:.2f}"
        few = f"; {len(self.by_seed)} seeds estimate that roughly"
        if seed < sampling:
            return f"{head}: which rows were drawn matters more than the seed{few}"
        return f"{head}: compare recipes over several seeds, never by single runs{few}"

    def to_json(self) -> dict[str, Any]:
        """Return everything."""
        return {
            "experiment": "seeds",
            "judged_on": "test",
            "n": self.rows,
            "rows": [
                {
                    "name": name,
                    "measurements": {key: one.to_json() for key, one in found.items()},
                    "train_minutes": self.minutes[name],
                }
                for name, found in self.by_seed.items()
            ],
            "mean": {name: found.to_json() for name, found in self.means.items()},
            "sd": dict(self.sds),
            "seed_sd": self.accuracy.seed_sd,
            "sampling_sd": self.accuracy.sampling_sd,
            "seed_share": self.accuracy.seed_share,
            "reading": self.why,
        }


def over_seeds(arms: Sequence[Arm], test: Rows) -> Seeds:
    """Measure the model of every seed on the test rows.

    Raises:
        InputError: a training failed.
    """
    if failed := [f"{arm.name}: {arm.failed}" for arm in arms if arm.failed]:
        raise InputError("a seed could not be trained", todo="\n".join(failed))
    found = {arm.name: test.measure(arm.models[0]) for arm in arms}
    values = {figure: [one[figure].value for one in found.values()] for figure in FIGURES}
    known = {figure: some for figure, some in values.items() if np.isfinite(some).all()}
    return Seeds(
        rows=test.gold.size,
        by_seed=found,
        minutes={arm.name: arm.minutes for arm in arms},
        means={figure: _mean(some, figure) for figure, some in known.items()},
        sds={figure: float(np.std(some, ddof=1)) for figure, some in known.items()},
        accuracy=seed_summary(np.array([test.correct(arm)[0] for arm in arms])),
    )


def _mean(values: Sequence[float], figure: str) -> Measurement:
    """Return the mean with Student's interval, cut where the figure cannot go."""
    found = mean_over_seeds(values, name=figure)
    most = math.inf if figure == "cost_per_message" else 1.0
    return replace(found, low=max(found.low, 0.0), high=min(found.high, most))
