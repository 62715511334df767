"""Training rows as token ids and target shares. Knows the input policy, not the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from interlock.core.contract import InputPolicy
from interlock.core.dataset import Dataset
from interlock.core.decision import Reason
from interlock.predict.normalise import normalise


@dataclass(frozen=True)
class Rows:
    """What a batch is cut from."""

    ids: list[list[int]]
    targets: torch.Tensor  # (n rows, k labels), rows sum to 1
    weights: torch.Tensor  # (n,)


def encode_rows(data: Dataset, tokenizer: Any, labels: Sequence[str], policy: InputPolicy, max_tokens: int) -> Rows:
    """Prepare every row as serving would, and tokenize it; rows that serving refuses are left out."""
    index = {label: column for column, label in enumerate(labels)}
    usable = [
        (example, str(text)) for example in data if not isinstance(text := normalise(example.text, policy), Reason)
    ]
    ids = tokenizer([text for _, text in usable], truncation=True, max_length=max_tokens, padding=False)["input_ids"]
    targets = torch.zeros(len(usable), len(labels))
    for row, (example, _) in enumerate(usable):
        for label in example.labels:
            targets[row, index[label]] = 1 / len(example.labels)
    return Rows(ids, targets, torch.tensor([example.weight for example, _ in usable]))
