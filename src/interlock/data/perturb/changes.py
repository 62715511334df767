"""One change of a message each: another entity, a synonym, a second language, a slip, case, manners. Knows no labels.

A change takes a text and a source of chance, and returns the changed text, or None where there is nothing to change.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping

from interlock.data.perturb.words import FILLER, POLITE_AFTER, POLITE_BEFORE, SYNONYMS
from interlock.data.traffic.catalogue import catalogue
from interlock.data.traffic.phrases import japanese
from interlock.data.traffic.voice import misspell, replacer

Change = Callable[[str, random.Random], str | None]
_WORD = re.compile(r"[^\W\d_]{4,}")
_NUMBER = re.compile(r"\d+")
_NAMED = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})*")
_PAIRS = {**SYNONYMS, **{partner: word for word, partner in SYNONYMS.items()}}
_SYNONYM = replacer({word: (partner,) for word, partner in _PAIRS.items()})
_FOREIGN = replacer(japanese.WORDS)
_COMMON = 5  # letters from which a series' name is no everyday word
HALF = 0.5
KEYS = "abcdefghijklmnopqrstuvwxyz"


def entity(texts: Iterable[str]) -> Change:
    """Return the change that puts another entity in an entity's place.

    Entities are the catalogue's series, then the names that stand inside sentences of ``texts``, then numbers.
    """
    names = sorted({item.name for item in catalogue() if len(item.name) >= _COMMON and item.name.istitle()})
    series = re.compile(r"\b(" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")\b", re.IGNORECASE)
    pool = sorted({found for text in texts for found in _NAMED.findall(text)})

    def change(text: str, rng: random.Random) -> str | None:
        for pattern, others in ((series, names), (_NAMED, pool)):
            found = pattern.search(text)
            rest = [other for other in others if found is not None and other.casefold() != found[0].casefold()]
            if found is not None and rest:
                return _put(text, found, _cased(rng.choice(rest), found[0]))
        found = _NUMBER.search(text)
        return _put(text, found, _other_number(found[0], rng)) if found is not None else None

    return change


def synonym(text: str, rng: random.Random) -> str | None:
    """Replace one word by another of its meaning."""
    return _replace_one(text, _SYNONYM, {word: (partner,) for word, partner in _PAIRS.items()}, rng)


def code_switch(text: str, rng: random.Random) -> str | None:
    """Say one word in Japanese, or add a word of courtesy where no word is known."""
    found = _replace_one(text, _FOREIGN, japanese.WORDS, rng)
    return found or (f"{text.rstrip('.')} onegai shimasu" if text.isascii() else None)


def typo(text: str, rng: random.Random) -> str | None:
    """Misspell one word of four letters or more."""
    words = [found for found in _WORD.finditer(text) if found[0].isascii()]
    if not words:
        return None
    found = rng.choice(words)
    return _put(text, found, misspell(found[0], rng))


def case(text: str, rng: random.Random) -> str | None:
    """Shout, or whisper."""
    first, second = (str.upper, str.lower) if rng.random() < HALF else (str.lower, str.upper)
    return next((changed for way in (first, second) if (changed := way(text)) != text), None)


def politeness(text: str, rng: random.Random) -> str | None:
    """Add an opening or a closing word of courtesy."""
    if rng.random() < HALF:
        return rng.choice(POLITE_BEFORE) + text
    return text.rstrip(" .!?") + rng.choice(POLITE_AFTER)


def hollow(text: str, rng: random.Random) -> str | None:
    """Put filler in the place of every word of four letters or more: what is left says nothing."""
    words = _WORD.sub(lambda _: rng.choice(FILLER), text)
    return words if words != text else None


def typos(text: str, rate: float, rng: random.Random) -> str:
    """Return the text with each letter left out, doubled or replaced with chance ``rate``."""
    return "".join(
        rng.choice(("", letter * 2, rng.choice(KEYS))) if letter.isalpha() and rng.random() < rate else letter
        for letter in text
    )


def _replace_one(
    text: str, pattern: re.Pattern[str], words: Mapping[str, tuple[str, ...]], rng: random.Random
) -> str | None:
    found = list(pattern.finditer(text))
    if not found:
        return None
    chosen = rng.choice(found)
    return _put(text, chosen, rng.choice(words[chosen[0]]))


def _put(text: str, found: re.Match[str], other: str) -> str:
    return f"{text[: found.start()]}{other}{text[found.end() :]}"


def _cased(name: str, like: str) -> str:
    return name.lower() if like.islower() else name.upper() if like.isupper() else name


def _other_number(number: str, rng: random.Random) -> str:
    first = rng.choice([digit for digit in "123456789" if digit != number[0]])
    return first + "".join(rng.choice("0123456789") for _ in number[1:])
