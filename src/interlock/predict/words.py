"""Words that a router never met: what a message says when they are corrected or left out. Knows no models.

A misspelt word can turn one request into another with full confidence, and so can a word of a language the router does
not read. Such a message is read a second time; the predictor compares both readings.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from interlock.core.errors import RefusedError
from interlock.predict.disguise import script_of
from interlock.predict.slips import LONGEST, Sieve

PARTS = ("met", "characters")
MOST_SEEN, MOST_CHARACTERS = 1_000_000, 100_000
CHECK_BITS = 32  # of the checksum in a word's digest
READINGS = 3  # of one message, at most
CORRECTED = 8  # unknown words of one message that are corrected; further ones are left out
SHORTEST = 3  # letters of a word that is corrected, at least
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # scripts whose characters stand for words
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_APART = re.compile(r"[\W_]+")
_ENDS = re.compile(r"^[\W_]+|[\W_]+$")
_SHORT_FORM = re.compile(r"['\u2019](?:s|m|re|ve|ll|d|t)$")
_DIGITS = re.compile(r"^\d+")
_LETTERS = (str.maketrans("013457$", "oieasts"), str.maketrans("013457$", "oleasts"))  # that digits look like
# Letters with marks that no Unicode form takes off.
_STROKES = str.maketrans("\u0111\u0127\u0131\u0142\u00f8\u0167\u0180\u0268", "dhilotbi")
_STARTS = ("\u2581", "\u0120")  # how SentencePiece and byte-level tokenizers mark the start of a word


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says without its unknown words.

    It stands ``alone`` if it has to be one that is routed itself: the likeliest, unless all it lacks is one word, and
    every other that lacks words.
    """

    text: str
    alone: bool


@dataclass(frozen=True)
class Words:
    """What a router can read."""

    whole: Mapping[str, int]  # words the tokenizer keeps whole, and their places, the commonest first
    seen: frozenset[int]  # digests of the words of the training messages
    characters: str  # of the training messages, each once, in order

    @classmethod
    def of(cls, whole: Mapping[str, int], texts: Iterable[str]) -> Words:
        """Return the words of a tokenizer and of training messages, as the scorer sees them."""
        met, characters = set[str](), set[str]()
        for text in texts:
            characters.update(text)
            for found in _WORD.findall(text):
                word = _form(found)
                met.update((word, *_parts(word)))
        seen = frozenset(_digest(word) for word in met if _is_word(word))
        return cls(whole, seen, "".join(sorted(char for char in characters if not char.isspace())))

    def readings(self, text: str) -> list[Reading]:
        """Return the text with unknown words corrected or left out, the likeliest reading first; none if all are known.

        A word is corrected to one that it may stand for: itself without marks, with letters for the digits that look
        like them, or a word one slip away (Damerau 1964: a letter too many, too few, another, or two swapped), those of
        the training messages before others, then the tokenizer's commonest. The second reading takes every word's
        second choice, where it has one. A text is empty where most words would be left out, where letters are of a
        script that no training message has, and where there are marks alone, without a letter, a number or a sign.
        """
        if text.isascii() and self._common.issuperset(text.lower().split()):  # most messages, in a microsecond
            return []
        if not any(char.isalnum() or self._is_sign(char) for char in text):
            return [Reading("", alone=True)]
        if not text.isascii() and any(char.isalpha() and script_of(char) not in self._scripts for char in text):
            return [Reading("", alone=True)]
        words = list(_WORD.finditer(text))
        unknown = [found for found in words if not self.knows(found[0])]
        choices = [self._choices(found[0]) for found in unknown[:CORRECTED]] + [[]] * (len(unknown) - CORRECTED)
        most, lacking = max(map(len, choices), default=0), choices.count([])
        if 2 * lacking > len(words):
            return [Reading("", alone=True)]
        lacks_one = most == 0 and lacking == 1 and _is_word(_form(unknown[0][0]))
        out = list[Reading]()
        for place in range(max(most, 1) if unknown else 0):
            better = [own[place] if place < len(own) else "".join(own[:1]) for own in choices]
            alone = (place == 0 or lacking > 0) and not lacks_one
            out.append(Reading(_replaced(text, unknown, better), alone))
        return out

    def knows(self, word: str) -> bool:
        """Whether a word, with what stands around it, is known, as a whole or in its parts; numbers always are."""
        form = _form(word)
        if form in self.whole:
            return True
        if not _is_word(form):
            return word.isascii() or all(self._shown(char) for char in word)
        if self._learnt(form):
            return True
        parts = [part for part in _parts(form) if part]
        return all((len(part) > 1 or len(parts) == 1) and self._met(part) for part in parts)

    def tensors(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the stored form: arrays by name. The tokenizer's words stand in the tokenizer."""
        return {
            "met": np.array(sorted(self.seen), dtype=np.uint64),
            "characters": np.frombuffer(self.characters.encode(), dtype=np.uint8),
        }

    @cached_property
    def _common(self) -> frozenset[str]:
        return frozenset(self.whole)

    @cached_property
    def _scripts(self) -> frozenset[str]:
        return frozenset(script_of(char) for char in self.characters if char.isalpha())

    def _is_sign(self, char: str) -> bool:
        return not char.isascii() and unicodedata.category(char) == "So"

    def _shown(self, char: str) -> bool:
        """Whether something that is no letter was met, or is a mark or a number of any kind."""
        return char.isascii() or char in self.characters or unicodedata.category(char)[0] in "PN"

    @cached_property
    def _checks(self) -> frozenset[int]:
        return frozenset(digest >> CHECK_BITS for digest in self.seen)

    @cached_property
    def _sieve(self) -> Sieve:
        return Sieve(self._checks | {zlib.crc32(word.encode()) for word in self.whole})

    def _met(self, word: str) -> bool:
        return word in self.whole or self._learnt(word)

    def _learnt(self, word: str) -> bool:
        """Whether a training message has ``word``; its checksum alone tells for nearly all that none has."""
        return zlib.crc32(word.encode()) in self._checks and _digest(word) in self.seen

    def _choices(self, word: str) -> list[str]:
        """Return the known words that an unknown one may stand for, the likeliest first."""
        form = _form(word)
        plain = _APART.sub("", form).translate(_STROKES)
        alike = (plain, *(_APART.sub("", form.translate(letters)) for letters in _LETTERS))
        out = dict.fromkeys(one for one in alike if one != form and self._met(one))
        if SHORTEST <= len(plain) <= LONGEST:
            slips = [slip for slip in self._sieve.one_slip_away(plain) if self._met(slip)]
            slips.sort(key=lambda slip: (not self._learnt(slip), self.whole.get(slip, math.inf), slip))
            out |= dict.fromkeys(slips)
        return list(out)[:READINGS]


def _replaced(text: str, found: Iterable[re.Match[str]], words: Iterable[str]) -> str:
    """Return the text with other words in these places, and single spaces."""
    out, last = list[str](), 0
    for place, word in zip(found, words, strict=True):
        out.append(text[last : place.start()] + word)
        last = place.end()
    return " ".join("".join((*out, text[last:])).split())


def whole_words(vocabulary: Mapping[str, int]) -> dict[str, int]:
    """Return the words that a tokenizer's vocabulary (token -> id) keeps whole, folded, with their ids.

    Vocabularies list their tokens the commonest first.
    """
    mark = next((start for start in _STARTS if any(token[:1] == start for token in vocabulary)), "")
    out: dict[str, int] = {}
    for token, place in sorted(vocabulary.items(), key=lambda item: item[1]):
        if token.startswith(mark):
            word = _folded(token.removeprefix(mark))
            if word.isalpha():
                out.setdefault(word, place)
    return out


def read_words(stored: Mapping[str, npt.NDArray[np.generic]], whole: Mapping[str, int]) -> Words:
    """Return what ``tensors`` stored, for the tokenizer with these ``whole`` words.

    Raises:
        RefusedError: parts are missing, too large, or not what they should be.
    """
    if set(stored) != set(PARTS):
        raise RefusedError(f"known words: expected {', '.join(PARTS)}, got {', '.join(sorted(stored))[:200]}")
    seen, letters = stored["met"], stored["characters"]
    if seen.dtype != np.uint64 or seen.ndim != 1 or seen.size > MOST_SEEN or not _rising(seen.tolist()):
        raise RefusedError(f"known words: expected at most {MOST_SEEN} rising 64-bit digests")
    if letters.dtype != np.uint8 or letters.ndim != 1 or letters.size > 4 * MOST_CHARACTERS:
        raise RefusedError(f"known words: expected at most {MOST_CHARACTERS} characters")
    try:
        characters = letters.tobytes().decode()
    except UnicodeDecodeError as error:
        raise RefusedError("known words: the characters are not UTF-8") from error
    return Words(whole, frozenset(seen.tolist()), characters)


def _rising(values: list[int]) -> bool:
    return all(before < after for before, after in pairwise(values))


def _folded(word: str) -> str:
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(char for char in apart if not unicodedata.combining(char)))


def _form(word: str) -> str:
    """Return a word as it is compared: folded, without marks around it, without a short form's end."""
    folded = _folded(word)
    return folded if folded.isalpha() else _SHORT_FORM.sub("", _ENDS.sub("", folded))


def _parts(form: str) -> list[str]:
    return [_DIGITS.sub("", part) for part in _APART.split(form)]


def _is_word(form: str) -> bool:
    return any(char.isalpha() for char in form)


def _digest(word: str) -> int:
    """Return 64 bits: a checksum, which is quick to look for among hundreds of slips, and as much of a real digest."""
    data = word.encode()
    rest = hashlib.blake2b(data, digest_size=CHECK_BITS // 8).digest()
    return zlib.crc32(data) << CHECK_BITS | int.from_bytes(rest, "big")
