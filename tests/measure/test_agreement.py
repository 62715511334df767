"""Agreement of annotators against published tables, its laws, and what has no answer."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from interlock.measure.agreement import MISSING, NEVER_GIVEN, NO_OVERLAP, ONE_LABEL, agreement, cohen_kappa

Ratings = npt.NDArray[np.int64]
FLEISS = [  # Fleiss 1971, table 1: 30 patients, 6 psychiatrists, 5 diagnoses
    *([0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0], [2, 0, 4, 0, 0]),
    *([0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6], [1, 0, 0, 5, 0], [1, 1, 0, 4, 0]),
    *([0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1], [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0]),
    *([0, 2, 0, 4, 0], [1, 0, 2, 0, 3], [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0]),
    *([1, 0, 0, 4, 1], [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6]),
]
DIAGNOSES = ["depression", "personality", "schizophrenia", "neurosis", "other"]
_ = MISSING
KRIPPENDORFF = [  # Krippendorff 2011, section C: four observers, twelve units, five values
    *([0, 0, _, 0], [1, 1, 2, 1], [2, 2, 2, 2], [2, 2, 2, 2], [1, 1, 1, 1], [0, 1, 2, 3]),
    *([3, 3, 3, 3], [0, 0, 1, 0], [1, 1, 1, 1], [_, 4, 4, 4], [_, _, 0, 0], [_, 2, _, _]),
]
RATINGS = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(MISSING, 2)
).map(np.asarray)


def fleiss_rows() -> Ratings:
    return np.array([[label for label, count in enumerate(row) for _ in range(count)] for row in FLEISS])


def values(ratings: Ratings, labels: str = "abc") -> dict[str, float]:
    found = agreement(ratings, labels=list(labels), resamples=1).measurements
    return {name: one.value for name, one in found.items()}


def test_the_psychiatrists_agree_as_fleiss_published() -> None:
    found = agreement(fleiss_rows(), labels=DIAGNOSES).measurements

    assert found["observed_agreement"].value == pytest.approx(0.555, abs=0.001)
    assert found["fleiss_kappa"].value == pytest.approx(0.430, abs=0.0005)
    published = dict(zip(DIAGNOSES, [0.245, 0.245, 0.520, 0.471, 0.566], strict=True))
    for label, kappa in published.items():  # alpha is kappa with 180 ratings' worth of correction
        assert 1 - (1 - found[f"alpha.{label}"].value) * 180 / 179 == pytest.approx(kappa, abs=0.001)


def test_the_four_observers_agree_as_krippendorff_published() -> None:
    found = agreement(np.array(KRIPPENDORFF), labels=list("12345")).measurements

    assert found["krippendorff_alpha"].value == pytest.approx(0.743, abs=0.0005)
    assert found["krippendorff_alpha"].n == 11  # the twelfth unit has one rating
    assert found["agreement.3"].value == pytest.approx((4 * 3 / 3 * 2) / (4 + 4 + 1 + 1))


def test_cohens_kappa_of_a_two_by_two_table_is_the_arithmetic() -> None:
    first, second = np.repeat([0, 0, 1, 1], [20, 5, 10, 15]), np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    found = cohen_kappa(first, second, k=2)

    assert found.value == pytest.approx((0.7 - 0.5) / (1 - 0.5))  # 35 of 50 agree; 0.5 * 0.6 + 0.5 * 0.4 by chance
    assert found.n == 50
    assert found.low < 0.4 < found.high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_kappas_are_those_of_the_libraries(seed: int, k: int) -> None:
    chance = np.random.default_rng(seed)
    truth = chance.integers(k, size=40)
    ratings = np.where(chance.random((40, 3)) < 0.6, truth[:, None], chance.integers(k, size=(40, 3)))
    table = np.stack([(ratings == label).sum(axis=1) for label in range(k)], axis=1)
    found = values(ratings, "abcde"[:k])

    assert found["fleiss_kappa"] == pytest.approx(fleiss_kappa(table), abs=1e-9)
    ours = cohen_kappa(ratings[:, 0], ratings[:, 1], k=k, resamples=1).value
    assert ours == pytest.approx(cohen_kappa_score(ratings[:, 0], ratings[:, 1]), abs=1e-9)


@settings(deadline=None)
@given(RATINGS, st.randoms(use_true_random=False))
def test_names_of_annotators_and_the_order_of_rows_mean_nothing(ratings: Ratings, chance: object) -> None:
    order = np.random.default_rng(chance.randrange(2**32))  # type: ignore[attr-defined]
    moved = ratings[order.permutation(len(ratings))][:, order.permutation(ratings.shape[1])]

    assert values(moved) == pytest.approx(values(ratings), nan_ok=True)


@settings(deadline=None)
@given(RATINGS)
def test_alpha_is_one_minus_observed_over_expected_disagreement_of_the_pairs(ratings: Ratings) -> None:
    units = [[int(one) for one in row if one != MISSING] for row in ratings]
    units = [unit for unit in units if len(unit) > 1]
    pool = [one for unit in units for one in unit]
    if len(set(pool)) < 2:
        assert math.isnan(values(ratings)["krippendorff_alpha"])
        return
    observed = sum(
        sum(a != b for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j) / (len(unit) - 1)
        for unit in units
    ) / len(pool)
    unlike = sum(a != b for i, a in enumerate(pool) for j, b in enumerate(pool) if i != j)
    expected = unlike / (len(pool) * (len(pool) - 1))

    assert values(ratings)["krippendorff_alpha"] == pytest.approx(1 - observed / expected)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=30), st.integers(2, 6))
def test_annotators_who_always_agree_have_one_of_everything(truth: list[int], annotators: int) -> None:
    found = values(np.repeat(np.array(truth)[:, None], annotators, axis=1))

    assert found["observed_agreement"] == 1
    cohen = cohen_kappa(np.array(truth), np.array(truth), k=3, resamples=1)
    beyond = {found["fleiss_kappa"], found["krippendorff_alpha"], cohen.value}
    assert beyond == {1.0} if len(set(truth)) > 1 else all(map(math.isnan, beyond))


def test_perfect_agreement_on_few_rows_does_not_promise_perfection() -> None:
    ratings = np.tile(np.arange(20)[:, None] % 2, 2)
    kappa = agreement(ratings, labels=["a", "b"]).measurements["fleiss_kappa"]

    assert (kappa.value, kappa.high) == (1.0, 1.0)
    assert 0.4 < kappa.low < 0.8  # one row in six may still be of a kind on which they differ


@pytest.mark.parametrize(
    ("ratings", "name", "reason"),
    [
        ([[0, 0], [0, 0]], "fleiss_kappa", ONE_LABEL),
        ([[0], [1]], "krippendorff_alpha", NO_OVERLAP),
        ([[0, _], [_, 1]], "fleiss_kappa", NO_OVERLAP),
        ([[_, _]], "observed_agreement", NO_OVERLAP),
        ([[0, 1], [0, 0]], "agreement.c", NEVER_GIVEN),
    ],
)
def test_what_has_no_answer_is_unknown_and_says_why(ratings: list[list[int]], name: str, reason: str) -> None:
    found = agreement(np.array(ratings), labels=["a", "b", "c"])

    assert not found.measurements[name].known
    assert found.reasons[name] == reason
    assert set(found.reasons) == {name for name, one in found.measurements.items() if math.isnan(one.value)}


@pytest.mark.parametrize(("second", "n"), [([0, 0, _], 2), ([_, _, 1], 0)])
def test_two_annotators_who_give_one_label_or_share_no_row_have_no_kappa(second: list[int], n: int) -> None:
    found = cohen_kappa(np.array([0, 0, _]), np.array(second), k=2)

    assert math.isnan(found.value)
    assert found.n == n


@pytest.mark.parametrize("ratings", [[[0, 3]], [[-2, 0]], [0, 1]])
def test_ratings_that_are_no_labels_are_refused(ratings: object) -> None:
    with pytest.raises(ValueError, match="ratings"):
        agreement(np.array(ratings), labels=["a", "b", "c"])
