"""Passes with dropout: what they add up to, that they are repeatable, and how scores that find errors are compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.errors import InputError
from interlock.measure.finding import auroc_difference
from interlock.measure.unknown import auroc
from interlock.report.error_finders import error_finders
from interlock.train.estimators import EncoderClassifier
from interlock.train.mean_pooling import MeanPooled, mean_pooled_again

X = [f"{word} {other} {i}" for word, other in (("apple", "pear"), ("boat", "ship")) for i in range(12)]
Y = ["a"] * 12 + ["b"] * 12


@pytest.fixture(scope="module")
def fitted() -> EncoderClassifier:
    return EncoderClassifier("tiny", epochs=8, batch_size=4, learning_rate=5e-3).fit(X, Y)


def test_the_pass_without_dropout_is_the_prediction_and_entropies_are_in_order(fitted: EncoderClassifier) -> None:
    strange = [" ", "zebra unknown words"]
    found = fitted.uncertainty([*X, *strange], passes=8)

    assert np.allclose(found.plain, fitted.predict_proba([*X, *strange]))
    assert found.mean.sum(axis=1) == pytest.approx(1)
    assert (found.information >= 0).all()
    assert (found.information <= found.entropy + 1e-9).all()
    assert found.entropy[-2] == pytest.approx(np.log(2))  # a text that says nothing


def test_the_same_seed_gives_the_same_uncertainty_and_leaves_the_model_as_it_was(fitted: EncoderClassifier) -> None:
    before = fitted.predict_proba(X)
    one, other = fitted.uncertainty(X, passes=3), fitted.uncertainty(X, passes=3)

    assert np.array_equal(one.information, other.information)
    assert (one.information > 0).any()
    assert np.array_equal(fitted.predict_proba(X), before)


def test_a_saved_classifier_is_as_uncertain(fitted: EncoderClassifier, tmp_path: Path) -> None:
    fitted.save_pretrained(tmp_path)
    again = EncoderClassifier.from_pretrained(tmp_path)

    assert np.allclose(again.uncertainty(X, passes=3).entropy, fitted.uncertainty(X, passes=3).entropy, atol=1e-4)


@pytest.mark.parametrize("passes", [1, 0, 10_000])
def test_too_few_or_too_many_passes_are_refused(fitted: EncoderClassifier, passes: int) -> None:
    with pytest.raises(InputError, match="passes"):
        fitted.uncertainty(X, passes=passes)


def test_an_averaging_model_is_found_again_in_what_it_was_saved_as() -> None:
    import transformers

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=4
    )
    pooled = MeanPooled(transformers.BertForSequenceClassification(config)).eval()
    ids = torch.randint(4, 50, (3, 9))
    with torch.inference_mode():
        before = pooled(ids, torch.ones_like(ids)).logits
        again = mean_pooled_again(pooled.standard())
        assert again is not None
        assert torch.equal(again(ids, torch.ones_like(ids)).logits, before)
    assert len(again.base.bert.encoder.layer) == 2
    assert mean_pooled_again(transformers.BertForSequenceClassification(config)) is None


def test_the_difference_of_two_areas_is_a_difference_of_areas() -> None:
    wrong = np.array([True, True, True, False, False, False, False])
    ours, theirs = [0.9, 0.8, 0.3, 0.4, 0.2, 0.1, 0.3], [0.9, 0.1, 0.3, 0.4, 0.2, 0.1, 0.3]
    found, p = auroc_difference(ours, theirs, wrong)

    assert found.value == pytest.approx((4 + 4 + 2.5) / 12 - (4 + 0.5 + 2.5) / 12)
    assert found.low < found.value < found.high
    assert 0 < p < 1
    assert auroc_difference(ours, ours, wrong)[0].value == 0
    assert auroc_difference(ours, ours, wrong)[1] == 1
    assert auroc_difference(ours, theirs, [True, False, False, False, False, False, False])[1] == 1.0  # one flagged row


@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(2, 30))
def test_it_agrees_with_the_areas_themselves(seed: int, m: int, n: int) -> None:
    chance = np.random.default_rng(seed)
    flags = np.repeat([True, False], [m, n])
    one, other = chance.integers(0, 6, (2, m + n)).astype(float)
    found, _ = auroc_difference(one, other, flags)

    areas = [auroc(scores[~flags], scores[flags]).value for scores in (one, other)]
    assert found.value == pytest.approx(areas[0] - areas[1])


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    """Normal scores: an area is Phi(shift / sqrt 2). 300 draws; 95 % +- 3 standard errors is 91.2 % to 98.8 %."""
    from statistics import NormalDist

    true = NormalDist().cdf(1.5 / 2**0.5) - NormalDist().cdf(1.0 / 2**0.5)
    chance, covered = np.random.default_rng(5), 0
    for _ in range(300):
        flags = np.arange(300) < 60
        shared = chance.normal(size=300)
        one = (shared + chance.normal(size=300)) / 2**0.5 + 1.5 * flags
        other = (shared + chance.normal(size=300)) / 2**0.5 + 1.0 * flags
        found, _ = auroc_difference(one, other, flags)
        covered += found.low <= true <= found.high

    assert 0.912 <= covered / 300 <= 0.988


def test_every_score_is_compared_with_confidence() -> None:
    found = error_finders({"confidence": [0.1, 0.2, 0.8, 0.4], "mine": [0.1, 0.2, 0.8, 0.9]}, [0, 0, 1, 1], passes=3)

    assert found.to_json()["errors"] == 2
    assert list(found.differences) == ["mine"]
    assert len(found.cells()) == 3


def test_the_command_reports_every_score_with_an_interval(
    bundle: Path, shop: Path, command: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = command("experiment", "uncertainty", bundle, shop / "rows.jsonl", "--passes", 3, "--json")
    body = json.loads(out)

    assert code == 0
    assert body["n"] == 900
    assert set(body["scores"]) == {"confidence", "mc_confidence", "predictive_entropy", "mutual_information"}
    assert set(body["differences"]) == set(body["scores"]) - {"confidence"}
