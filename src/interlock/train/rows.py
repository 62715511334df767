"""Training rows as token ids and target shares. Knows the input policy, not the model."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from interlock.core.contract import InputPolicy
from interlock.core.dataset import Dataset
from interlock.core.decision import Reason
from interlock.predict.context import in_context
from interlock.predict.normalise import normalise

AS_TEXT = {"split_special_tokens": True}  # as ``predict/encoder.py`` does: "[SEP]" in a message is what it shows


@dataclass(frozen=True)
class Rows:
    """What a batch is cut from."""

    ids: list[list[int]]
    targets: torch.Tensor  # (n rows, k labels), rows sum to 1
    weights: torch.Tensor  # (n,)
    names: list[str]  # the examples' ids
    truncated: list[bool]  # whether the token limit cut the text
    languages: list[str]  # as given, or the script of the text


def encode_rows(data: Dataset, tokenizer: Any, labels: Sequence[str], policy: InputPolicy) -> Rows:
    """Prepare every row as serving would, and tokenize it; rows that serving refuses are left out."""
    index = {label: column for column, label in enumerate(labels)}
    usable = [
        (example, str(in_context(text, example.conversation, policy, tokens=partial(_tokens, tokenizer))))
        for example in data
        if not isinstance(text := normalise(example.text, policy), Reason)
    ]
    texts, most = [text for _, text in usable], policy.max_tokens
    read = {"max_length": most, "padding": False, **AS_TEXT}
    ids = tokenizer(texts, truncation=True, **read)["input_ids"] if texts else []
    targets = torch.zeros(len(usable), len(labels))
    for row, (example, _) in enumerate(usable):
        for label in example.labels:
            targets[row, index[label]] = 1 / len(example.labels)
    return Rows(
        ids,
        targets,
        torch.tensor([example.weight for example, _ in usable]),
        names=[example.id for example, _ in usable],
        truncated=_truncated(texts, ids, tokenizer, most),
        languages=[language_of(text, example.lang) for example, text in usable],
    )


def _tokens(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text, truncation=False, verbose=False, **AS_TEXT)["input_ids"])


def language_of(text: str, given: str | None) -> str:
    """Return the language a row gives, or else the script most of its letters are in, such as ``script:latin``."""
    if given is not None:
        return given
    if text.isascii():
        return "script:latin" if any(char.isalpha() for char in text) else "script:none"
    first = (unicodedata.name(char, "other").partition(" ")[0].lower() for char in text if char.isalpha())
    scripts = Counter("cjk" if script in {"hiragana", "katakana"} else script for script in first)
    return f"script:{min(scripts, key=lambda script: (-scripts[script], script), default='none')}"


def _truncated(texts: Sequence[str], ids: Sequence[Sequence[int]], tokenizer: Any, max_tokens: int) -> list[bool]:
    """Return whether each text has more tokens than it was given; only texts that fill the limit are counted again."""
    full = [row for row, tokens in enumerate(ids) if len(tokens) >= max_tokens]
    out = [False] * len(ids)
    if full:
        filling = [texts[row] for row in full]
        whole = tokenizer(filling, truncation=False, padding=False, verbose=False, **AS_TEXT)["input_ids"]
        for row, tokens in zip(full, whole, strict=True):
            out[row] = len(tokens) > len(ids[row])
    return out
