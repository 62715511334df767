"""The estimators keep scikit-learn's promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import interlock
from interlock.core.errors import InputError
from interlock.train.estimators import EncoderClassifier, LinearClassifier

WORDS = ["apple pear plum", "boat ship raft", "cloud rain storm"]
X = [f"{words.split()[i % 3]} {'very ' * (i % 4)}much" for words in WORDS for i in range(20)]
Y = np.repeat([10, 20, 30], 20)  # labels need not be text


def encoder(**options: object) -> EncoderClassifier:
    return EncoderClassifier("tiny", **{"epochs": 8, "batch_size": 8, "learning_rate": 5e-3, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("made", [encoder(), LinearClassifier()], ids=["encoder", "linear"])
def test_an_estimator_can_be_cloned_cross_validated_and_put_in_a_pipeline(
    made: EncoderClassifier | LinearClassifier,
) -> None:
    assert clone(made).get_params() == made.get_params()
    assert cross_val_score(made, X, Y, cv=3).mean() > 0.9
    piped = make_pipeline(FunctionTransformer(lambda texts: [text.upper() for text in texts]), made).fit(X, Y)
    assert piped.score(X, Y) > 0.9


@pytest.mark.parametrize("made", [encoder(), LinearClassifier()], ids=["encoder", "linear"])
def test_probabilities_have_a_column_for_each_class_in_order(made: EncoderClassifier | LinearClassifier) -> None:
    p = made.fit(X, Y).predict_proba(X[::7])

    assert list(made.classes_) == [10, 20, 30]
    assert p.shape == (len(X[::7]), 3)
    assert p.sum(axis=1) == pytest.approx(1)
    assert list(made.classes_[p.argmax(axis=1)]) == list(made.predict(X[::7]))


def test_a_saved_encoder_says_the_same_and_its_folder_is_a_standard_one(tmp_path: Path) -> None:
    import transformers

    made = encoder().fit(X, Y)
    made.save_pretrained(tmp_path)
    again = EncoderClassifier.from_pretrained(tmp_path)

    assert again.get_params() == made.get_params()
    assert np.abs(again.predict_proba(X) - made.predict_proba(X)).max() < 1e-5
    assert list(again.predict(X)) == list(made.predict(X))
    standard = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert standard.config.id2label == {0: "10", 1: "20", 2: "30"}
    assert (tmp_path / "README.md").read_text().startswith("---\nlibrary_name: transformers")


def test_weights_reach_the_loss() -> None:
    texts, labels = ["same words"] * 20, ["a"] * 10 + ["b"] * 10
    heavy = encoder(options={"class_weights": "none"}).fit(texts, labels, sample_weight=[5.0] * 10 + [0.1] * 10)

    assert heavy.predict_proba(["same words"])[0, 0] > 0.8


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least two labels"):
        encoder().fit(X, ["a"] * len(X))
    with pytest.raises(InputError, match="a label for each"):
        encoder().fit(X, Y[:-1])
    with pytest.raises(InputError, match="expected texts, got int in row 1"):
        encoder().fit(["a", 3, "b"], Y[:3])  # type: ignore[list-item]
    with pytest.raises(InputError, match="no fields of a recipe"):
        encoder(options={"gama": 1}).fit(X, Y)
    with pytest.raises(InputError, match="no saved classifier"):
        EncoderClassifier.from_pretrained(tmp_path)
    with pytest.raises(InputError, match="no weights"):
        LinearClassifier().fit(X, Y, sample_weight=[1.0] * len(X))


def test_the_package_offers_both() -> None:
    assert interlock.EncoderClassifier is EncoderClassifier
    assert interlock.LinearClassifier is LinearClassifier
