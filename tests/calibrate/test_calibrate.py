"""What is fitted on calibration rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from interlock.calibrate.fit import calibrate, check_kind
from interlock.calibrate.kinds import LOGIT_FITS
from interlock.calibrate.temperature import fit_temperature
from interlock.core.dataset import CalibrationSet, Example
from interlock.core.errors import InputError
from interlock.predict.calibrators import Temperature, calibrator_from_json, softmax
from interlock.testing import tiny_contract


def sample(temperature: float, rows: int = 4000, labels: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits whose labels were drawn from softmax(z / temperature)."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, 3, size=(rows, labels))
    p = softmax(logits / temperature)
    gold = (chance.random((rows, 1)) < p.cumsum(axis=1)).argmax(axis=1)
    return logits, gold


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(true: float) -> None:
    logits, gold = sample(true)

    assert fit_temperature(logits, gold).temperature == pytest.approx(true, rel=0.06)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 5), st.integers(0, 100))
def test_the_fit_agrees_with_another_optimiser(true: float, seed: int) -> None:
    logits, gold = sample(true, rows=300, seed=seed)

    def nll(log_t: float) -> float:
        return float(-np.log(softmax(logits / math.exp(log_t))[np.arange(300), gold]).mean())

    other = math.exp(
        minimize_scalar(nll, bounds=(math.log(0.05), math.log(20)), method="bounded", options={"xatol": 1e-8}).x
    )
    assert fit_temperature(logits, gold).temperature == pytest.approx(other, rel=1e-3)


def test_temperature_never_changes_which_label_is_first_and_rows_sum_to_one() -> None:
    logits = np.random.default_rng(0).normal(0, 400, size=(200, 7))
    p = Temperature(0.07).probabilities(logits)

    assert (p.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert p.sum(axis=1) == pytest.approx(1)
    assert np.isfinite(p).all()


@pytest.mark.parametrize("logits", [np.zeros((0, 3)), np.array([[math.nan, 1.0]])], ids=["no rows", "not a number"])
def test_calibration_without_usable_rows_is_refused(logits: np.ndarray) -> None:
    with pytest.raises(InputError):
        fit_temperature(logits, np.zeros(len(logits), dtype=int))


def test_a_stored_temperature_reads_back() -> None:
    assert calibrator_from_json(Temperature(1.25).to_json()) == Temperature(1.25)


def test_rows_with_several_labels_do_not_move_the_temperature() -> None:
    contract = tiny_contract()
    logits, gold = sample(2.0, rows=200, labels=2)
    single = [Example(f"s{i}", "x", (contract.label_names[column],)) for i, column in enumerate(gold)]
    both = [Example(f"b{i}", "x", ("yes", "no")) for i in range(50)]
    extra = np.full((50, 2), 30.0)

    alone = calibrate(CalibrationSet(tuple(single)), logits, contract)
    mixed = calibrate(CalibrationSet((*single, *both)), np.vstack([logits, extra]), contract)
    assert alone.calibrator == mixed.calibrator


@pytest.mark.parametrize("kind", LOGIT_FITS)
def test_every_kind_can_be_asked_for(kind: str) -> None:
    logits, gold = sample(2.0, rows=300, labels=2)
    rows = CalibrationSet(tuple(Example(f"s{i}", "x", (("yes", "no")[column],)) for i, column in enumerate(gold)))

    made = calibrate(rows, logits, tiny_contract(), kind=kind)
    assert made.calibrator == LOGIT_FITS[kind](np.asarray(logits, dtype=np.float64), gold)
    assert made.facts["chosen"] is False


def test_the_automatic_choice_says_what_it_weighed() -> None:
    logits, gold = sample(2.0, rows=300, labels=2)
    rows = CalibrationSet(tuple(Example(f"s{i}", "x", (("yes", "no")[column],)) for i, column in enumerate(gold)))

    made = calibrate(rows, logits, tiny_contract())
    assert made.facts["chosen"] is True
    assert set(made.facts["crossfit_nll"]) == set(LOGIT_FITS)
    assert made.facts["crossfit_nll"]["raw"] > made.facts["crossfit_nll"]["temperature"]


def test_an_unknown_kind_is_refused_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'isotonic'"):
        check_kind("isotonc")
