"""Our figures against those of netcal and MAPIE on fixed tables, made by ``crosscheck/regenerate.py``."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlock.measure import classification
from interlock.measure.confidence import calibration_errors
from interlock.measure.reliability import reliability

HERE = Path(__file__).parent / "crosscheck"
THEIRS: dict[str, float] = json.loads((HERE / "values.json").read_text(encoding="utf-8"))["values"]


@pytest.fixture(scope="module")
def tables() -> Any:
    spec = importlib.util.spec_from_file_location("crosscheck_tables", HERE / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_calibration_errors_of_a_table_are_netcals_and_mapies(tables: Any) -> None:
    ours = calibration_errors(tables.confidence(), tables.correct(), resamples=1)
    same = {"netcal MCE(20, detection=True)": "mce_20"}
    for bins in (10, 15, 20):
        same |= {
            f"netcal ECE({bins}, detection=True)": f"ece_{bins}",
            f"netcal ECE({bins}, equal_intervals=False, detection=True)": f"ece_mass_{bins}",
            f"MAPIE expected_calibration_error(num_bins={bins + 1}, uniform)": f"ece_{bins}",
        }

    assert {name: ours[figure].value for name, figure in same.items()} == pytest.approx(
        {name: THEIRS[name] for name in same}, abs=1e-12
    )


def test_the_top_labels_error_is_netcals(tables: Any) -> None:
    ours = classification(np.array(tables.probabilities()), np.array(tables.gold()), labels=list("abc"), resamples=1)

    assert ours["ece_10"].value == pytest.approx(THEIRS["netcal ECE(10) of three labels"], abs=1e-12)


def test_the_mean_of_the_labels_own_errors_is_mapies(tables: Any) -> None:
    """MAPIE's top-label error averages over predicted labels where ours pools them: label by label they agree."""
    p, gold = np.array(tables.probabilities()), np.array(tables.gold())
    said = p.argmax(axis=1)
    each = [
        calibration_errors(p.max(axis=1)[said == label], gold[said == label] == label, resamples=1)["ece_10"].value
        for label in np.unique(said)
    ]

    assert np.mean(each) == pytest.approx(THEIRS["MAPIE top_label_ece(num_bins=11, uniform)"], abs=1e-12)


def test_the_unweighted_mean_of_gaps_is_netcals_average_calibration_error(tables: Any) -> None:
    """Their ACE is not Nixon's adaptive one, which ours is named after: it is the mean gap of bins that hold rows."""
    table = [bucket for bucket in reliability(tables.confidence(), tables.correct(), bins=10) if bucket.n]
    gaps = [abs(bucket.confidence - bucket.accuracy.value) for bucket in table]

    assert np.mean(gaps) == pytest.approx(THEIRS["netcal ACE(10, detection=True)"], abs=1e-12)
