"""How many tokens texts take: counted by a tokenizer, or estimated without one. Knows no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from interlock.core.errors import InputError, Problem

SPECIAL = 2  # tokens an encoder adds to every text
LETTERS = 7  # of a word that one piece holds, as a rule of thumb for English vocabularies
BATCH = 2000
_PIECE = re.compile(r"[A-Za-z0-9]+|[^\s]")


def token_counts(texts: Sequence[str], *, tokenizer: Path | None, whole: bool = True) -> npt.NDArray[np.int64]:
    """Return the tokens of each text.

    Args:
        texts: any texts.
        tokenizer: a ``tokenizer.json``; without it words are cut into pieces of a typical length.
        whole: with the special tokens around a message.

    Raises:
        InputError: the file is no tokenizer.
    """
    if tokenizer is None:
        return np.array([_estimate(text) + SPECIAL * whole for text in texts], dtype=np.int64)
    from tokenizers import Tokenizer

    try:
        known = Tokenizer.from_file(str(tokenizer))
    except Exception as error:  # the library raises bare Exception
        raise InputError(
            f"{tokenizer} does not load", [Problem(str(tokenizer), "", "a tokenizer.json", str(error)[:200])]
        ) from error
    known.no_truncation()
    known.no_padding()
    counts: list[int] = []
    for start in range(0, len(texts), BATCH):
        found = known.encode_batch_fast(list(texts[start : start + BATCH]), add_special_tokens=whole)
        counts += [len(item.ids) for item in found]
    return np.array(counts, dtype=np.int64)


def _estimate(text: str) -> int:
    return sum(1 + (len(piece) - 1) // LETTERS for piece in _PIECE.findall(text))
