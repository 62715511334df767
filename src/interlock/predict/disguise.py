"""Text as a reader sees it, and whether it was written to be read differently by people and programs. Knows no models.

What can be undone for certain is undone: invisible characters, compatibility forms, look-alike letters inside a word of
another script. What cannot, such as text shown in another order, is reported as a disguise.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Characters that show nothing though their category says otherwise: fillers, joiners and the Braille blank.
INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f")
_HIDDEN = {"Cf", "Cc", "Cs", "Cn"}  # categories that show nothing; white space among them stays
_SPACE = {"\t", "\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"}
_OVERRIDES = re.compile("[\u202d\u202e]")  # the text is shown in another order than it is stored in
_BROKEN = re.compile(r"\w[\v\f\x85]\w|\x1b\[")  # breaks many programs show as nothing, in a word; a terminal's colours
_LOOKALIKES = str.maketrans(
    "аеѕіјорсухһкмтьвнԁԛԝгпАВЕЅІЈКМНОРСТУХԚԜЬЗαειουνχκρητγωβΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aesijopcyxhkmtbbhdqwrnABESIJKMHOPCTYXQWb3aeiouvxkpntywbABEZHIKMNOPTYX",
)
_WORD = re.compile(r"[^\W\d_]+")
_STACKED = re.compile(  # three marks on one letter, which no script writes
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3,}"
)
_DIGITS = re.compile(r"[\d$]")
_LATIN = "A-Za-z\u00c0-\u024f"
_INSIDE = re.compile(  # digits among a word's letters, outside addresses; a zero before letters
    rf"(?<![\w@./:-])(?=(?:[\d$]*[{_LATIN}]){{3}})[{_LATIN}]+[\d$]+[{_LATIN}]+(?![\w@/:-]|\.\w)|(?<!\w)0[{_LATIN}]{{2,}}"
)
_APART = re.compile(r"(?<!\w)(?:[^\W_][ .\-_]{1,3}){5,}[^\W_](?!\w)")  # l e t t e r s
_TOGETHER = re.compile(r"[a-zA-Z]{25,}")  # words without spaces between them
_ENCODED = re.compile(  # letters as numbers, and texts as they stand in web addresses
    r"&#x?[0-9a-fA-F]{2,};|[^\W\d_]%[0-9a-fA-F]{2}\w|(?:%[0-9a-fA-F]{2}){2}|(?<![^\W\d_])(?:[^\W\d_]{2,}\+){2,}[^\W\d_]{2}"
)
LONGEST_WORD, SINGLES = 25, 5  # from where the patterns above can match at all


def readable(text: str, *, most: int = 1_000_000) -> str:
    """Return the text with what shows nothing taken out, letters in their plain forms, and words of one script.

    The order is that of the Unicode standard's advice on security (UTS 39): remove what shows nothing, NFKC, then fold
    look-alikes. The result does not change when it is made readable again. A text that grows beyond ``most``
    characters on the way is given up and returned as it is then.
    """
    if text.isascii() and text.isprintable():
        return text
    for _ in range(4):  # a compatibility form may hide what shows nothing; the second round then finds it
        plain = unicodedata.normalize("NFKC", _shown(text))
        if len(plain) > most:
            return plain
        once = _folded(plain)
        if once == text:
            break
        text = once
    return text


def is_disguised(text: str, readable_text: str) -> bool:
    """Whether a text shows people something else than it says, in a way that cannot be undone for certain.

    Args:
        text: as it came.
        readable_text: what ``readable`` made of it.
    """
    if _tricked(readable_text) or (not text.isprintable() and (_OVERRIDES.search(text) or _BROKEN.search(text))):
        return True
    if readable_text.isascii() and text.isascii():
        return False
    return _mixed(readable_text) or _STACKED.search(text) is not None


def _tricked(text: str) -> bool:
    """Whether letters are written as what they are not; the cheap questions come first."""
    lengths = [len(word) for word in text.split()]
    singles = lengths.count(1) + text.count(".") + text.count("-") + text.count("_")
    return bool(
        (_DIGITS.search(text) and _INSIDE.search(text))
        or (singles >= SINGLES and _APART.search(text))
        or (max(lengths, default=0) >= LONGEST_WORD and _TOGETHER.search(text))
        or (("&#" in text or "%" in text or "+" in text) and _ENCODED.search(text))
    )


def _shown(text: str) -> str:
    return "".join(" " if char in _SPACE else char for char in text if char in _SPACE or not _hidden(char))


@lru_cache(maxsize=4096)
def _hidden(char: str) -> bool:
    variation = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    return variation or char in INVISIBLE or unicodedata.category(char) in _HIDDEN


def _folded(text: str) -> str:
    """Return the text with look-alikes of Latin letters as these, in words that are Latin beside them."""
    if text.isascii():
        return text
    folded = _WORD.sub(lambda found: _as_latin(found[0]), text)
    return unicodedata.normalize("NFC", folded)


def _as_latin(word: str) -> str:
    if word.isascii():
        return word
    scripts = {script_of(char) for char in word}
    return word.translate(_LOOKALIKES) if "latin" in scripts and scripts & {"cyrillic", "greek"} else word


def _mixed(text: str) -> bool:
    """Whether a word mixes scripts that no language mixes, or a word among Latin ones is all look-alikes."""
    words = [found[0] for found in _WORD.finditer(text)]
    latin = sum(word.isascii() for word in words)
    for word in words:
        if word.isascii():
            continue
        scripts = {script_of(char) for char in word} & {"latin", "cyrillic", "greek", "armenian", "cherokee"}
        if len(scripts) > 1:
            return True
        if scripts - {"latin"} and latin and word.translate(_LOOKALIKES).isascii():
            return True
    return False


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """Return the script of a character, by its Unicode name: latin, cyrillic, hiragana, cjk."""
    return unicodedata.name(char, "other").partition(" ")[0].lower()
