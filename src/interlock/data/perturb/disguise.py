"""Forty ways to write a message so that people still read it and programs may not. Knows no model and no defence.

Invisible and reordering characters, look-alikes and deletions are those of "Bad Characters" (Boucher et al. 2022, IEEE
S&P); the others are what keyboards, pages and hurried people do.
"""

from __future__ import annotations

import html
import random
import unicodedata
from collections.abc import Callable, Mapping

from interlock.data.perturb import changes

Family = Callable[[str, random.Random], str]

CYRILLIC = dict(zip("aceiopsxyjhkmtbABCEHIKMOPTX", "асеіорѕхујһкмтьАВСЕНІКМОРТХ", strict=True))
GREEK = dict(zip("aeiouvxkpntABEHIKMNOPTXYZ", "αειουνχκρητΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", strict=True))
LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
EMOJI = ("\U0001f600", "\U0001f64f", "\u2764\ufe0f", "\U0001f468\u200d\U0001f469\u200d\U0001f467")
BOLD, CIRCLED, FULL = 0x1D41A, 0x24D0, 0xFEE0  # where a-z start in these alphabets; the offset of full-width ASCII


def between(*marks: str) -> Family:
    """Return the family that puts one of ``marks`` after about every third character."""
    return lambda text, rng: "".join(char + (rng.choice(marks) if rng.random() < 1 / 3 else "") for char in text)


def once(*marks: str) -> Family:
    """Return the family that puts one of ``marks`` at one place inside the text."""

    def put(text: str, rng: random.Random) -> str:
        place = rng.randrange(1, max(len(text), 2))
        return text[:place] + rng.choice(marks) + text[place:]

    return put


def around(before: str, after: str) -> Family:
    """Return the family that wraps the text."""
    return lambda text, _: before + text + after


def letters(table: Mapping[str, str], share: float) -> Family:
    """Return the family that writes letters by ``table``, each with a chance of ``share``, at least one."""

    def put(text: str, rng: random.Random) -> str:
        places = [place for place, char in enumerate(text) if char in table]
        if not places:
            return text
        chosen = {place for place in places if rng.random() < share} or {rng.choice(places)}
        return "".join(table[char] if place in chosen else char for place, char in enumerate(text))

    return put


def alphabet(start: int) -> Family:
    """Return the family that writes a-z in another alphabet of 26 letters."""
    table = {chr(ord("a") + n): chr(start + n) for n in range(26)}
    return lambda text, _: "".join(table.get(char, char) for char in text.lower())


def words(change: Callable[[str, random.Random], str], share: float = 0.4) -> Family:
    """Return the family that changes words of four letters or more, each with a chance of ``share``, at least one."""

    def put(text: str, rng: random.Random) -> str:
        parts = text.split(" ")
        places = [place for place, part in enumerate(parts) if len(part) >= 4]  # noqa: PLR2004 - as said
        if not places:
            return text
        chosen = {place for place in places if rng.random() < share} or {rng.choice(places)}
        return " ".join(change(part, rng) if place in chosen else part for place, part in enumerate(parts))

    return put


def _swapped(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 2) if len(word) > 4 else 1  # noqa: PLR2004 - the ends stay
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _dropped(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1 :]


def _doubled(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    return word[:place] + word[place - 1] + word[place:]


def _emoji(text: str, rng: random.Random) -> str:
    return " ".join(part + (f" {rng.choice(EMOJI)}" if rng.random() < 1 / 3 else "") for part in text.split(" "))


FAMILIES: dict[str, Family] = {
    "zero_width_space": between("\u200b"),
    "zero_width_joiners": between("\u200c", "\u200d"),
    "word_joiner": between("\u2060", "\ufeff"),
    "soft_hyphen": between("\u00ad"),
    "grapheme_joiner": between("\u034f"),
    "invisible_operators": between("\u2061", "\u2062", "\u2063", "\u2064"),
    "variation_selectors": between("\ufe00", "\ufe0e", "\ufe0f"),
    "variation_supplement": between("\U000e0100", "\U000e01ef"),
    "tag_characters": between("\U000e0061", "\U000e007f"),
    "hangul_fillers": between("\u3164", "\uffa0", "\u115f"),
    "annotation_marks": once("\ufff9", "\ufffa", "\ufffb"),
    "deprecated_controls": between("\u206a", "\u206f"),
    "bidi_marks": between("\u200e", "\u200f", "\u061c"),
    "bidi_isolates": around("\u2067", "\u2069"),
    "bidi_embedding": around("\u202b", "\u202c"),
    "bidi_override": lambda text, _: f"\u202e{text[::-1]}\u202c",
    "bidi_override_part": lambda text, _: f"{text[:6]}\u202e{text[6:][::-1]}\u202c",
    "control_characters": once("\x01", "\x07", "\x1b", "\x7f", "\x85"),
    "cyrillic_one": letters(CYRILLIC, 0.0),
    "cyrillic_many": letters(CYRILLIC, 1.0),
    "greek_many": letters(GREEK, 0.5),
    "full_width": lambda text, _: "".join(chr(ord(c) + FULL) if "!" <= c <= "~" else c for c in text),
    "mathematical_bold": alphabet(BOLD),
    "circled_letters": alphabet(CIRCLED),
    "combining_one": once("\u0301", "\u0323", "\u0336"),
    "combining_stack": between("\u0300\u0316\u0321", "\u0334\u035c"),
    "upper_case": lambda text, _: text.upper(),
    "alternating_case": lambda text, _: "".join(c.upper() if n % 2 else c.lower() for n, c in enumerate(text)),
    "swapped_letters": words(_swapped),
    "dropped_letters": words(_dropped),
    "doubled_letters": words(_doubled),
    "spaced_letters": lambda text, _: " ".join(text),
    "no_spaces": lambda text, _: text.replace(" ", ""),
    "odd_spaces": lambda text, rng: "".join(rng.choice("\u00a0\u2003\t\n ") if c == " " else c for c in text),
    "dotted_letters": words(lambda word, _: ".".join(word)),
    "leet_one": letters(LEET, 0.0),
    "leet_many": letters(LEET, 0.6),
    "emoji_between": _emoji,
    "html_entities": lambda text, _: "".join(f"&#{ord(c)};" if c.isalpha() else html.escape(c) for c in text),
    "code_switch": lambda text, rng: changes.code_switch(text, rng) or f"{text} \u304a\u9858\u3044\u3057\u307e\u3059",
}


def disguised(text: str, family: str, *, seed: int) -> str:
    """Return the text as ``family`` writes it; the same family, text and seed give the same."""
    return FAMILIES[family](unicodedata.normalize("NFC", text), random.Random(f"{seed}\0{family}\0{text}"))
