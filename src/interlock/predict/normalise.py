"""Raw text to the one form every scorer sees, or the reason it is refused. Knows no models."""

from __future__ import annotations

import unicodedata
from typing import NewType

from interlock.core.contract import InputPolicy
from interlock.core.decision import Reason
from interlock.predict.disguise import INVISIBLE, readable

NormalText = NewType("NormalText", str)  # only ``normalise`` makes one

_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp"}


def is_blank(text: str) -> bool:
    """Whether nothing in ``text`` would be visible; stricter than ``str.strip``, which misses most blank characters."""
    return all(
        char.isspace()
        or char in INVISIBLE
        or unicodedata.category(char) in _INVISIBLE_CATEGORIES
        or _is_variation(char)
        for char in text
    )


def _is_variation(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def normalise(text: str, policy: InputPolicy) -> NormalText | Reason:
    """Apply the input policy.

    Returns:
        The text to score (as ``form`` says; outer white space removed when the policy trims), or the reason it must
        not be scored: ``undecodable``, ``too_long`` (more than ``max_chars`` characters) or ``empty_text``.
    """
    if len(text) > policy.max_chars:  # first: everything after this is linear in the text
        return Reason.TOO_LONG
    if "\0" in text or (not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)):
        return Reason.UNDECODABLE
    if is_blank(text):
        return Reason.EMPTY_TEXT
    whole = readable(text, most=policy.max_chars) if policy.form == "readable" else unicodedata.normalize("NFC", text)
    if len(whole) > policy.max_chars:  # a compatibility form may stand for many characters
        return Reason.TOO_LONG
    return NormalText(whole.strip() if policy.trim else whole)


def same_text_key(text: str) -> str:
    """Return the form under which two texts are one message: NFKC, case-folded, nothing invisible, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    visible = "".join(
        " " if char.isspace() else char
        for char in folded
        if char.isspace() or not (unicodedata.category(char) == "Cf" or char in INVISIBLE or _is_variation(char))
    )
    return " ".join(visible.split())


def allowed_start(text: str, policy: InputPolicy) -> NormalText:
    """Return what may be scored of any text, so that a refused row can still be counted in a measurement."""
    normal = normalise(text[: policy.max_chars], policy)
    return NormalText("?") if isinstance(normal, Reason) else normal
