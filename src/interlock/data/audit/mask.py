"""Texts shown without what could identify a person: mail, cards, phones, postal codes, long numbers. Knows no rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

SHOWN = 120  # characters of a message that an example shows
READ = 4000  # characters of a message that words are counted in
SHORTEST_CARD = 13
_DASH = r"[-\u2010-\u2015\u2212\u30fc.\s]"
MAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")  # bounded: a megabyte of letters is data too
HANDLE = re.compile(r"@\w+")
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE)
CARD = re.compile(r"(?<![\d])\d(?:[ -]?\d){12,18}(?![\d])")
PHONE = re.compile(
    rf"(?<![A-Za-z0-9_#])(?:\+\d{{1,3}}{_DASH}?(?:\(0?\d{{1,4}}\)|\d{{1,4}})(?:{_DASH}?\d{{2,4}}){{2,3}}"
    rf"|0\d{{1,4}}[-\u2010-\u2015\u2212]\d{{1,4}}[-\u2010-\u2015\u2212]\d{{3,4}}"  # Japanese, with hyphens
    rf"|0\d{{1,3}}\(\d{{1,4}}\)\d{{3,4}}|\(0\d{{1,4}}\)\s?\d{{1,4}}{_DASH}?\d{{3,4}}"  # Japanese, with brackets
    rf"|0[5789]0\d{{8}}"  # Japanese mobile, unbroken
    rf"|\(\d{{3}}\)\s?\d{{3}}[-.\s]\d{{4}}|\d{{3}}[-.]\d{{3}}[-.]\d{{4}}"  # North American
    rf"|0\d{{3,4}}\s\d{{3}}\s?\d{{3,4}})(?![A-Za-z0-9_])"  # British
)
POSTAL = re.compile(
    r"\u3012\s?\d{3}[-\u2010-\u2015\u2212\u30fc]?\d{4}"  # Japanese, with its mark
    r"|(?<![A-Za-z0-9_#-])\d{3}[-\u2010-\u2015\u2212]\d{4}(?![A-Za-z0-9_-])"  # Japanese, bare
    r"|(?<![A-Za-z0-9_#-])\d{5}-\d{4}(?![A-Za-z0-9_-])|\b[A-Z]{2}\s\d{5}\b"  # United States, where it is unmistakable
    r"|\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b"  # British
)
_CALLING = re.compile(r"\b(?:call|phone|tel|number|reach|mobile|cell)\b", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){6,}")


def personal(text: str) -> Iterator[str]:
    """Yield the kind of everything in ``text`` that has the shape of personal data: mail, card, phone, postal."""
    plain = _plain(text)
    rest = MAIL.sub(" ", plain)
    if rest != plain:
        yield "mail"
    if not any("0" <= char <= "9" for char in rest):
        return
    without = CARD.sub(_unless_card, rest)
    if without != rest:
        yield "card"
    if PHONE.search(without):
        yield "phone"
        without = PHONE.sub(" ", without)
    if (found := POSTAL.search(without)) is not None:
        yield "phone" if _is_local(found[0], plain) else "postal"


def masked(text: str, *, limit: int = SHOWN) -> str:
    """Return one line of ``text`` with personal shapes, addresses of pages and long numbers replaced by their kind."""
    plain = " ".join(_plain(text).split())
    for pattern, kind in ((URL, "url"), (MAIL, "mail")):
        plain = pattern.sub(f"[{kind}]", plain)
    plain = CARD.sub(_unless_card, plain)
    for pattern, kind in ((PHONE, "phone"), (POSTAL, "postal"), (_LONG_NUMBER, "number")):
        plain = pattern.sub(f"[{kind}]", plain)
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in plain)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"


def anonymous(text: str, *, longest: int = READ) -> str:
    """Return the beginning of ``text`` without addresses and handles, so that no word of theirs is counted."""
    plain = text[:longest]
    for pattern in (URL, MAIL, HANDLE):
        plain = pattern.sub(" ", plain)
    return plain


def is_card(digits: str) -> bool:
    """Whether the digits pass Luhn's check, as every payment card's number does."""
    numbers = [int(digit) for digit in digits if digit.isdecimal()]
    if len(numbers) < SHORTEST_CARD or len(set(numbers)) == 1:
        return False
    doubled = [sum(divmod(2 * number, 10)) for number in numbers[-2::-2]]
    return (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def _is_local(digits: str, text: str) -> bool:
    """Whether seven digits are an American number without its area rather than a Japanese postal code."""
    return re.fullmatch(r"\d{3}-\d{4}", digits) is not None and _CALLING.search(text) is not None


def _unless_card(found: re.Match[str]) -> str:
    return "[card]" if is_card(found[0]) else found[0]


def _plain(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)
