"""Classifiers with scikit-learn's interface: the fine-tuned encoder and the linear baseline. Knows no contracts.

For notebooks, pipelines and ``cross_val_score``. A router that goes into service is made by ``interlock build``: an
estimator has no receipt, no verdict and no gate.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from interlock.core.clock import SystemClock
from interlock.core.contract import InputPolicy
from interlock.core.dataset import CalibrationSet, Dataset, Example, TrainSet
from interlock.core.errors import InputError, Problem
from interlock.train.baselines import tfidf_pipeline
from interlock.train.encoders import Encoder, resolve
from interlock.train.fit import Fitted, fit
from interlock.train.hub import hub_card
from interlock.train.mean_pooling import mean_pooled_again
from interlock.train.model import logits_of
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows, encode_rows
from interlock.train.step_log import StepLog
from interlock.train.uncertainty import Uncertainty, uncertainty

Floats = npt.NDArray[np.float64]
SETTINGS = "interlock.json"  # what a saved folder holds beside the standard files


class EncoderClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fine-tuned encoder over texts.

    Args:
        encoder: ``minilm``, ``distilbert``, ``tiny``, a folder or a Hub id.
        epochs: passes over the rows; ``None`` means as many as the number of rows asks for.
        batch_size: rows a step.
        learning_rate: peak rate; ``None`` means the encoder's own.
        track: what learns: ``full``, ``partial``, ``lora`` or ``head``.
        seed: of everything random.
        max_tokens: longer texts are cut.
        options: any other field of ``Recipe``.
    """

    def __init__(
        self,
        encoder: str = "minilm",
        *,
        epochs: int | None = None,
        batch_size: int = 64,
        learning_rate: float | None = None,
        track: str = "full",
        seed: int = 42,
        max_tokens: int = 128,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Keep the parameters as they are; ``fit`` checks them."""
        self.encoder = encoder
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.track = track
        self.seed = seed
        self.max_tokens = max_tokens
        self.options = options

    def fit(self, X: Sequence[str], y: npt.ArrayLike, sample_weight: Sequence[float] | None = None) -> Self:  # noqa: N803
        """Fine-tune on n texts ``X`` with labels ``y`` (n,) and optional weights (n,).

        Raises:
            InputError: texts that are no texts, lengths that differ, fewer than two labels, or a recipe out of range.
        """
        texts = _texts(X)
        self.classes_, columns = np.unique(np.asarray(y), return_inverse=True)
        if len(columns) != len(texts):
            raise InputError(f"expected a label for each of {len(texts)} texts, got {len(columns)}")
        if len(self.classes_) < 2:  # noqa: PLR2004 - a choice needs two
            raise InputError(f"expected at least two labels, got {len(self.classes_)}")
        weights = [1.0] * len(texts) if sample_weight is None else [float(weight) for weight in sample_weight]
        names = [str(label) for label in self.classes_]
        rows = [
            Example(str(at), text, (names[column],), weight=weight)
            for at, (text, column, weight) in enumerate(zip(texts, columns, weights, strict=True))
        ]
        chosen = resolve(self.encoder)
        with tempfile.TemporaryDirectory() as scratch, StepLog(Path(scratch) / "train.jsonl") as log:
            self.fitted_ = fit(
                TrainSet(tuple(rows)),
                CalibrationSet(()),
                labels=names,
                encoder=chosen,
                recipe=self._recipe(chosen),
                policy=self._policy(),
                log=log,
                clock=SystemClock(),
            )
        return self

    def predict_proba(self, X: Sequence[str]) -> Floats:  # noqa: N803
        """Return the uncalibrated probabilities (n, k), rows sum to 1, columns in the order of ``classes_``."""
        check_is_fitted(self)
        texts, fitted = _texts(X), self.fitted_
        rows = self._rows(texts)
        out = np.full((len(texts), len(fitted.labels)), 1 / len(fitted.labels))  # what says nothing gets equal shares
        for batch, logits in logits_of(fitted.model, rows, fitted.tokenizer.pad_token_id):
            out[[int(rows.names[row]) for row in batch]] = torch.softmax(logits.double(), dim=1).numpy()
        return out

    def predict(self, X: Sequence[str]) -> npt.NDArray[Any]:  # noqa: N803
        """Return the most probable label of each text, (n,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def uncertainty(self, X: Sequence[str], *, passes: int = 20) -> Uncertainty:  # noqa: N803
        """Return what several passes with dropout say of n texts; a text that says nothing is entirely uncertain."""
        check_is_fitted(self)
        rows = self._rows(_texts(X))
        found = uncertainty(
            self.fitted_.model, rows, pad_id=self.fitted_.tokenizer.pad_token_id, passes=passes, seed=self.seed
        )
        k, at = len(self.fitted_.labels), [int(name) for name in rows.names]
        plain, mean = np.full((len(X), k), 1 / k), np.full((len(X), k), 1 / k)
        entropy, information = np.full(len(X), np.log(k)), np.full(len(X), np.log(k))
        plain[at], mean[at], entropy[at], information[at] = (
            *(found.plain, found.mean),
            *(found.entropy, found.information),
        )
        return Uncertainty(plain, mean, entropy, information)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write a standard Hugging Face directory with a model card, ready for the Hub."""
        check_is_fitted(self)
        folder = Path(folder)
        self.fitted_.save(folder)
        settings = {"parameters": self.get_params(), "classes": self.classes_.tolist()}
        (folder / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(hub_card(self.fitted_), encoding="utf-8")

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Read what ``save_pretrained`` wrote.

        Raises:
            InputError: the folder holds no saved classifier.
        """
        import transformers

        folder = Path(folder)
        try:
            settings = json.loads((folder / SETTINGS).read_bytes())
            made = cls(**settings["parameters"])
            model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{folder} holds no saved classifier", [Problem(str(folder), SETTINGS, "a saved one", str(error)[:200])]
            ) from error
        made.classes_ = np.asarray(settings["classes"])
        names = tuple(str(label) for label in made.classes_)
        chosen = Encoder(made.encoder, "", 0.0)
        model = mean_pooled_again(model) or model.eval()
        made.fitted_ = Fitted(model, tokenizer, names, made._recipe(chosen), chosen, {})
        return made

    def _recipe(self, encoder: Encoder) -> Recipe:
        try:
            return Recipe(
                epochs=self.epochs,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate or encoder.learning_rate or None,
                track=self.track,  # type: ignore[arg-type]  # checked by Recipe
                seed=self.seed,
                **(self.options or {}),
            )
        except TypeError as error:
            raise InputError(f"the options are no fields of a recipe: {error}") from error

    def _rows(self, texts: Sequence[str]) -> Rows:
        """Return the texts as token ids; what says nothing is left out."""
        labels = self.fitted_.labels
        data = Dataset(tuple(Example(str(at), text, labels[:1]) for at, text in enumerate(texts)))
        return encode_rows(data, self.fitted_.tokenizer, labels, self._policy())

    def _policy(self) -> InputPolicy:
        return InputPolicy(max_tokens=self.max_tokens, max_chars=1_000_000)


class LinearClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """TF-IDF over words and characters with a logistic regression a label: the baseline every router must beat."""

    def __init__(self, *, strength: float = 20.0, seed: int = 42) -> None:
        """Keep the parameters; ``strength`` is the inverse of the penalty."""
        self.strength = strength
        self.seed = seed

    def fit(self, X: Sequence[str], y: npt.ArrayLike, sample_weight: Sequence[float] | None = None) -> Self:  # noqa: N803
        """Fit on n texts ``X`` with labels ``y`` (n,)."""
        if sample_weight is not None:
            raise InputError("the linear classifier takes no weights", todo="Use EncoderClassifier, or leave them out.")
        self.classes_ = np.unique(np.asarray(y))
        self.pipeline_ = tfidf_pipeline(strength=self.strength, seed=self.seed).fit(_texts(X), np.asarray(y))
        return self

    def predict_proba(self, X: Sequence[str]) -> Floats:  # noqa: N803
        """Return probabilities (n, k), rows sum to 1."""
        check_is_fitted(self)
        return np.asarray(self.pipeline_.predict_proba(_texts(X)), dtype=np.float64)

    def predict(self, X: Sequence[str]) -> npt.NDArray[Any]:  # noqa: N803
        """Return the most probable label of each text, (n,)."""
        check_is_fitted(self)
        return np.asarray(self.pipeline_.predict(_texts(X)))


def _texts(given: Iterable[Any]) -> list[str]:
    texts = list(given)
    if wrong := [at for at, text in enumerate(texts) if not isinstance(text, str)]:
        raise InputError(f"expected texts, got {type(texts[wrong[0]]).__name__} in row {wrong[0]}")
    return [str(text) for text in texts]
