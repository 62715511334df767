"""Classification figures against hand arithmetic, scikit-learn and a plain calibration-error loop."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, log_loss, precision_recall_fscore_support

from interlock.measure import classification
from interlock.measure.classify import per_label
from interlock.measure.proportion import proportion

Probabilities = npt.NDArray[np.float64]


def make_case(n: int, k: int, *, seed: int, sharpness: float = 2.0) -> tuple[Probabilities, npt.NDArray[np.int64]]:
    """Return probabilities and gold labels drawn from them: a perfectly calibrated model."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * sharpness
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    gold = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, k - 1)
    return p, gold


def plain_ece(confidence: Probabilities, correct: npt.NDArray[np.bool_], bins: int) -> float:
    error = 0.0
    for i in range(bins):
        inside = (confidence > i / bins) & (confidence <= (i + 1) / bins)
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - correct[inside].mean())
    return error


def test_every_figure_of_four_rows_is_the_arithmetic_one() -> None:
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    gold = np.array([0, 1, 1, 1])
    out = classification(p, gold, labels=["a", "b"])

    assert out["accuracy"].value == 3 / 4
    assert out["nll"].value == pytest.approx(-math.log(0.9 * 0.2 * 0.7 * 0.6) / 4)
    assert out["brier"].value == pytest.approx(2 * (0.1**2 + 0.8**2 + 0.3**2 + 0.4**2) / 4)
    assert out["ece_10"].value == pytest.approx((0.1 + 0.8 + 0.3 + 0.4) / 4)  # four rows in four bins
    assert (out["recall.a"].value, out["recall.a"].n) == (1.0, 1)
    assert (out["precision.a"].value, out["precision.a"].n) == (1 / 2, 2)
    assert (out["recall.b"].value, out["recall.b"].n) == (2 / 3, 3)
    assert out["f1.a"].value == pytest.approx(2 * 1 / (1 + 2))
    assert out["macro_f1"].value == pytest.approx((2 * 1 / (1 + 2) + 2 * 2 / (3 + 2)) / 2)


@pytest.mark.parametrize("k", [2, 5, 30])
def test_figures_agree_with_scikit_learn(k: int) -> None:
    p, gold = make_case(400, k, seed=k)
    names = [f"l{i}" for i in range(k)]
    out = classification(p, gold, labels=names, resamples=50)
    predicted = p.argmax(axis=1)
    precision, recall, f1, _ = precision_recall_fscore_support(gold, predicted, labels=range(k), zero_division=np.nan)

    assert out["macro_f1"].value == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert out["nll"].value == pytest.approx(log_loss(gold, p, labels=range(k)))
    assert out["brier"].value == pytest.approx(((p - np.eye(k)[gold]) ** 2).sum(axis=1).mean())
    for i, name in enumerate(names):
        assert out[f"recall.{name}"].value == pytest.approx(recall[i], nan_ok=True)
        assert out[f"precision.{name}"].value == pytest.approx(precision[i], nan_ok=True)
        assert out[f"f1.{name}"].value == pytest.approx(f1[i], nan_ok=True)


@pytest.mark.parametrize("bins", [10, 20])
def test_calibration_error_is_the_plain_loops(bins: int) -> None:
    p, gold = make_case(700, 6, seed=bins)
    value = classification(p, gold, labels=list("abcdef"), resamples=50)[f"ece_{bins}"].value

    assert value == pytest.approx(plain_ece(p.max(axis=1), p.argmax(axis=1) == gold, bins))


def test_a_confidence_on_a_bin_edge_belongs_to_the_lower_bin() -> None:
    """0.55 is computed as 11/20; a product such as 0.55 * 20 = 11.000000000000002 would push it up a bin."""
    p = np.array([[0.55, 0.45], [0.51, 0.49]])
    value = classification(p, np.array([0, 1]), labels=["a", "b"])["ece_20"].value

    assert value == pytest.approx(abs((0.55 + 0.51) - 1) / 2)  # one bin, one of two right


def test_nothing_to_measure_is_unmeasured() -> None:
    out = classification(np.empty((0, 2)), np.empty(0, dtype=np.int64), labels=["a", "b"])

    assert all(math.isnan(m.value) and m.n == 0 and not m.known for m in out.values())
    assert {"accuracy", "macro_f1", "ece_debiased", "recall.a", "precision.b", "f1.b"} <= set(out)


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize("right", [True, False])
def test_all_right_and_all_wrong_still_have_honest_bounds(n: int, right: bool) -> None:
    """No resample of all-right rows differs, yet n right rows do not prove perfection."""
    p = np.tile([0.7, 0.2, 0.1], (n, 1))
    gold = np.full(n, 0 if right else 1)
    out = classification(p, gold, labels=["a", "b", "c"])

    assert out["accuracy"].value == out["macro_f1"].value == float(right)
    for name in ("accuracy", "macro_f1", "nll", "brier", "ece_10"):
        assert out[name].low < out[name].high
        assert out[name].low <= out[name].value <= out[name].high


@pytest.mark.parametrize("n", [2, 5, 30])
def test_few_right_rows_with_high_confidence_do_not_prove_calibration(n: int) -> None:
    """They differ in the fourth place only, so a bootstrap alone would bound the error by next to nothing."""
    sure = np.linspace(0.9990, 0.9999, n)
    out = classification(np.column_stack([sure, 1 - sure]), np.zeros(n, int), labels=["a", "b"])
    could_be = float(sure.mean()) - proportion("right", n, n).low  # by how much what is right may be overstated

    for name in ("ece_10", "ece_20", "ece_debiased"):
        assert out[name].high == pytest.approx(could_be)


@given(st.integers(2, 60), st.integers(0, 2**16))
def test_no_calibration_error_is_bounded_below_what_the_overall_gap_may_be(n: int, seed: int) -> None:
    p, gold = make_case(n, 3, seed=seed)
    out = classification(p, gold, labels=["a", "b", "c"], resamples=50)
    mean = float(p.max(axis=1).mean())
    least = max(out["accuracy"].high - mean, mean - out["accuracy"].low)

    assert all(out[name].high >= least - 1e-12 for name in ("ece_10", "ece_20", "ece_debiased"))


def test_a_label_without_rows_is_unmeasured_and_left_out_of_macro_f1() -> None:
    p, gold = make_case(100, 2, seed=1)
    wider = np.hstack([p, np.zeros((100, 1))])
    out, narrow = classification(wider, gold, labels=["a", "b", "c"]), classification(p, gold, labels=["a", "b"])

    assert math.isnan(out["recall.c"].value)
    assert out["recall.c"].n == 0
    assert out["macro_f1"].value == narrow["macro_f1"].value


def test_a_certain_wrong_answer_costs_a_finite_nll() -> None:
    out = classification(np.array([[1.0, 0.0]] * 3), np.array([0, 0, 1]), labels=["a", "b"])

    assert out["nll"].value == pytest.approx(-math.log(np.finfo(float).eps) / 3)


def test_the_same_seed_gives_the_same_bounds() -> None:
    p, gold = make_case(300, 4, seed=2)

    first, second, other = (classification(p, gold, labels=list("abcd"), seed=seed) for seed in (5, 5, 6))
    assert first == second
    assert all(type(m.high) is type(m.low) is type(m.value) is float for m in first.values())
    assert first["nll"] != other["nll"]


BAD = {
    "a NaN": (np.array([[np.nan, 1.0]]), [0], "row 0"),
    "an infinity": (np.array([[np.inf, 0.0]]), [0], "finite"),
    "a row that sums to 1.1": (np.array([[0.5, 0.5], [0.6, 0.5]]), [0, 1], "sum to 1"),
    "a negative probability": (np.array([[-0.1, 1.1]]), [0], "0-1"),
    "a column too many": (np.array([[0.2, 0.3, 0.5]]), [0], "shape"),
    "a gold label outside": (np.array([[0.5, 0.5]]), [2], r"0\.\.1"),
    "a negative gold label": (np.array([[0.5, 0.5]]), [-1], r"0\.\.1"),
    "a gold label that is no integer": (np.array([[0.5, 0.5]]), [0.0], "integer"),
    "too few gold labels": (np.array([[0.5, 0.5], [0.5, 0.5]]), [0], "shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_are_refused(case: str) -> None:
    p, gold, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        classification(p, np.array(gold), labels=["a", "b"])


def test_repeated_label_names_are_refused() -> None:
    with pytest.raises(ValueError, match="no name twice"):
        classification(np.array([[0.5, 0.5]]), np.array([0]), labels=["a", "a"])


@given(st.integers(1, 60), st.integers(2, 5), st.integers(0, 1000))
def test_every_value_lies_between_its_bounds_and_in_its_range(n: int, k: int, seed: int) -> None:
    p, gold = make_case(n, k, seed=seed)
    out = classification(p, gold, labels=[str(i) for i in range(k)], resamples=200)

    for m in out.values():
        if m.known:
            assert m.low <= m.value <= m.high
            assert m.value >= 0
        else:
            assert m.n <= 1  # only a label without rows, or the debiased error of a single row


@given(st.integers(1, 80), st.integers(0, 1000))
def test_order_of_rows_changes_no_value(n: int, seed: int) -> None:
    p, gold = make_case(n, 3, seed=seed)
    order = np.random.default_rng(seed).permutation(n)
    a = classification(p, gold, labels=list("abc"), resamples=20)
    b = classification(p[order], gold[order], labels=list("abc"), resamples=20)

    assert {x: m.value for x, m in a.items()} == pytest.approx({x: m.value for x, m in b.items()}, nan_ok=True)


def test_f1_bounds_are_the_bounds_of_its_share_of_hits() -> None:
    """F1 = 2J / (1 + J), with J the hits' share of the rows that are gold or predicted."""
    gold, predicted = np.array([0] * 50 + [1] * 50), np.array([0] * 40 + [1] * 10 + [1] * 35 + [0] * 15)
    f1 = per_label(predicted, gold, labels=["a", "b"])["f1.a"]

    assert f1.value == pytest.approx(2 * 40 / (50 + 55))
    assert f1.n == 50 + 55 - 40
