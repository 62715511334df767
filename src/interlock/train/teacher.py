"""What a larger trained model, or several, say of the training rows, as targets to learn from. Knows no loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from interlock.core.contract import InputPolicy
from interlock.core.dataset import Dataset
from interlock.core.errors import InputError, Problem
from interlock.train.model import logits_of
from interlock.train.recipe import Recipe
from interlock.train.rows import Rows, encode_rows


def taught(rows: Rows, data: Dataset, labels: Sequence[str], recipe: Recipe, policy: InputPolicy) -> Rows:
    """Return rows whose targets are part label, part the teachers' softened probabilities (Hinton et al. 2015).

    Several teachers count alike. Every target still sums to 1.

    Raises:
        InputError: a teacher that is no trained model, or one for other labels.
    """
    if recipe.teacher is None or not recipe.teacher_share:
        return rows
    folders = [Path(part.strip()) for part in recipe.teacher.split(",") if part.strip()]
    said = torch.stack([_probabilities(folder, data, labels, recipe, policy) for folder in folders]).mean(dim=0)
    share = recipe.teacher_share
    return replace(rows, targets=(1 - share) * rows.targets + share * said)


def _probabilities(
    folder: Path, data: Dataset, labels: Sequence[str], recipe: Recipe, policy: InputPolicy
) -> torch.Tensor:
    """Return (n rows, k labels) of one teacher, in the order of ``labels``."""
    import transformers

    folder = folder / "model" if (folder / "model" / "config.json").is_file() else folder  # a run or a bundle
    if not (folder / "config.json").is_file():
        problem = Problem("recipe", "teacher", "the folder of a run, a bundle or a trained model", str(folder))
        raise InputError("the teacher cannot be loaded", [problem])
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    knows = [model.config.id2label[column] for column in range(model.config.num_labels)]
    if set(knows) != set(labels):
        differ = ", ".join(sorted(set(knows) ^ set(labels))[:10])
        problem = Problem("recipe", "teacher", "a model for the contract's labels", f"a difference in {differ}")
        raise InputError("the teacher knows other labels", [problem])
    rows = encode_rows(data, tokenizer, labels, policy)
    out = torch.zeros(len(rows.ids), len(labels))
    order = [knows.index(label) for label in labels]
    for batch, logits in logits_of(model, rows, tokenizer.pad_token_id):
        out[batch] = torch.softmax(logits[:, order] / recipe.teacher_temperature, dim=1)
    return out
