"""What the encoder has to beat on the same rows: keyword rules, TF-IDF with a linear model. Knows no encoders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.core.contract import Contract
from interlock.core.dataset import TrainSet

IntArray = npt.NDArray[np.int64]
Predict = Callable[[Sequence[str]], IntArray]


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline: texts to label columns."""

    name: str
    predict: Predict


def fit_baselines(train: TrainSet, contract: Contract, *, seed: int) -> list[Baseline]:
    """Fit every baseline the contract and the data allow."""
    found = [Baseline("tfidf_logistic", _tfidf(train, contract, seed))]
    if any(label.keywords for label in contract.labels.values()):
        found.insert(0, Baseline("keywords", _keywords(train, contract)))
    return found


def tfidf_pipeline(*, strength: float = 20.0, seed: int) -> Any:
    """Return an unfitted pipeline: words and characters by TF-IDF, then a logistic regression for each label."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline, make_union

    return make_pipeline(
        make_union(
            TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b"),  # noqa: S106 - a pattern of words
            TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5), max_features=100_000),
        ),
        OneVsRestClassifier(LogisticRegression(C=strength, solver="liblinear", dual=True, tol=1e-2, random_state=seed)),
    )


def _tfidf(train: TrainSet, contract: Contract, seed: int) -> Predict:
    pipeline = tfidf_pipeline(seed=seed)
    pipeline.fit(train.texts, [contract.index[example.label] for example in train])

    def predict(texts: Sequence[str]) -> IntArray:
        return np.asarray(pipeline.predict(list(texts)), dtype=np.int64)

    return predict


def _keywords(train: TrainSet, contract: Contract) -> Predict:
    """First label in contract order with a phrase in the text wins; no phrase means the commonest label."""
    counts = train.counts()
    commonest = contract.index[max(contract.label_names, key=lambda label: counts[label])]
    phrases = [
        (column, phrase.casefold()) for column, spec in enumerate(contract.labels.values()) for phrase in spec.keywords
    ]

    def predict(texts: Sequence[str]) -> IntArray:
        found = [next((column for column, phrase in phrases if phrase in text.casefold()), commonest) for text in texts]
        return np.array(found, dtype=np.int64)

    return predict
