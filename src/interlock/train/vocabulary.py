"""Words of the domain that a tokenizer learns to keep whole. Knows no labels and no loop.

A word that falls into many pieces, or into the unknown token, costs tokens and carries little meaning. Added words
stand in ``tokenizer.json`` and are found before the tokenizer divides anything, whatever kind it is.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import torch

from interlock.core.contract import InputPolicy
from interlock.core.decision import Reason
from interlock.predict.normalise import normalise

LEAST_COUNT = 3  # occurrences; a rarer word teaches its vector nothing
MANY_PIECES = 3
LONGEST = 40  # characters; longer runs are no words
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")  # scripts without spaces between words


def extend(model: Any, tokenizer: Any, texts: Iterable[str], *, most: int, policy: InputPolicy) -> int:
    """Add the most frequent words of ``texts`` that ``tokenizer`` divides badly; return how many.

    The vector of a new word starts as the mean of its pieces' vectors. Model and tokenizer are changed in place.
    """
    import tokenizers

    normal = [str(text) for text in (normalise(one, policy) for one in texts) if not isinstance(text, Reason)]
    chosen = jargon(tokenizer, normal, most=most)
    pieces = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in chosen]
    added = [
        tokenizers.AddedToken(word, single_word=not unspaced(word), lstrip=not unspaced(word), normalized=True)
        for word in chosen
    ]
    if not added:
        return 0
    tokenizer.add_tokens(added)
    inner = getattr(model, "base", model)
    before = inner.get_input_embeddings().weight.detach().clone()
    if len(tokenizer) > len(before):
        inner.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for word, parts in zip(chosen, pieces, strict=True):
            vectors = inner.get_input_embeddings().weight
            vectors[tokenizer.convert_tokens_to_ids(word)] = before[parts].mean(dim=0)
    return len(added)


def jargon(tokenizer: Any, texts: Iterable[str], *, most: int) -> list[str]:
    """Return at most ``most`` words that fall into three or more pieces or an unknown one, most frequent first.

    Spellings that the tokenizer takes for one word are one. A word of digits alone is none.
    """
    normalizer = tokenizer.backend_tokenizer.normalizer
    counts: Counter[str] = Counter()
    spelt: dict[str, str] = {}
    for text in texts:
        for word in words(text):
            key = normalizer.normalize_str(word).strip() if normalizer is not None else word
            counts[key] += 1
            spelt.setdefault(key, word)
    often = sorted(
        (key for key, count in counts.items() if key and count >= LEAST_COUNT), key=lambda k: (-counts[k], k)
    )
    found: list[str] = []
    for key in often:
        parts = tokenizer(spelt[key], add_special_tokens=False)["input_ids"]
        if len(parts) >= MANY_PIECES or tokenizer.unk_token_id in parts:
            found.append(spelt[key])
        if len(found) == most:
            break
    return found


def words(text: str) -> Iterator[str]:
    """Yield a text's words: runs of letters, marks and digits; where a script has no spaces, runs of one script."""
    for kind, run in groupby(text, key=_kind):
        word = "".join(run)
        if kind and len(word) <= LONGEST and not word.isdecimal():
            yield word


def unspaced(word: str) -> bool:
    """Whether a word is written in a script without spaces between words."""
    return _kind(word[0]) != "spaced"


def _kind(char: str) -> str:
    """Return the script of a letter without spaces, ``spaced`` for any other letter, mark or digit, else nothing."""
    if char.isascii():
        return "spaced" if char.isalnum() else ""
    if unicodedata.category(char)[0] not in "LMN":
        return ""
    name = unicodedata.name(char, "")
    return next((script for script in UNSPACED if name.startswith(script)), "spaced")
