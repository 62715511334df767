"""Damage to texts: what a faulty pipeline does to any message. Knows no intent."""

from __future__ import annotations

import random

from interlock.data.traffic.chance import drawn, happens

BREAKS = (("cut", 0.4), ("emptied", 0.2), ("mojibake", 0.25), ("holes", 0.15))
COPIES = (("exact", 0.5), ("lower", 0.15), ("upper", 0.1), ("marks", 0.25))


def break_upstream(text: str, rng: random.Random) -> str:
    """Return the text cut short, nearly empty, or in the wrong encoding."""
    kind = drawn(BREAKS, rng.random())
    if kind == "cut":
        return text[: max(1, int(len(text) * (0.05 + 0.3 * rng.random())))]
    if kind == "emptied":
        return rng.choice(("?", ".", "null", "undefined", "[object Object]", "...", "-", "%s"))
    if kind == "mojibake":
        return mojibake(text)
    return "".join(letter if happens(rng, 0.6) else "\ufffd" for letter in text)


def mojibake(text: str) -> str:
    """Return UTF-8 bytes read as Latin-1, with typographic marks that make it show in English too."""
    fancy = text.replace("'", "\u2019").replace('"', "\u201c").replace(" ", "\u00a0", 3).replace("?", "\u2026?")
    return fancy.encode("utf-8").decode("latin-1")


def again(text: str, rng: random.Random) -> str:
    """Return the text as it looks when it is logged or sent a second time: the same, or the same but for marks."""
    kind = drawn(COPIES, rng.random())
    if kind == "exact":
        return text
    if kind == "lower":
        return text.lower()
    if kind == "upper":
        return text.upper()
    bare = text.rstrip(".!? ")
    return bare + rng.choice(("?", "??", "!", "...", " ?", "", ".")) if bare else text + "!"
