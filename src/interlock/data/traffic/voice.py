"""How a sentence looks once a particular person has typed it. Knows no meaning: words in, words out."""

from __future__ import annotations

import random
import re

from interlock.data.traffic.chance import drawn, happens
from interlock.data.traffic.customers import Manner
from interlock.data.traffic.phrases import asides

_SPACES = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s+([,.;:!?](?:\s|$))")
_REPEATED = re.compile(r"([,;:.])\s*([.,;:!?])")
_TWO_ARTICLES = re.compile(r"\b(my|your|an?|this|the|these) the\b", re.IGNORECASE)
_PERCENT = re.compile(r"%an?\b")
_AN = re.compile(r"\b([Aa]) (?=[aeiouAEIO]|8|11\b|18\b)(?!one-|one\b|use|uni|eur|UK|US)")
_SENTENCE = re.compile(r"(^|[.!?]\s+)([a-z])")
_WORD = re.compile(r"[a-zA-Z']+")
_KEYS = "qwertyuiop asdfghjkl zxcvbnm"
LONG_ENOUGH = 4  # letters; shorter words are rarely misspelt
SLIPS = (("swapped", 0.35), ("left out", 0.25), ("twice", 0.15), ("key beside", 0.25))
EMOJI = (
    "😊",
    "🙏",
    "😭",
    "🔥",
    "😅",
    "❤️",
    "👀",
    "🥺",
    "😂",
    "📚",
    "✨",
    "💀",
    "😩",
    "🤔",
    "🎉",
    ":)",
    ":(",
    "^^",
    "xD",
    ";_;",
    "<3",
)

SLANG: dict[str, tuple[str, ...]] = {
    "you": ("u", "ya"),
    "your": ("ur",),
    "are": ("r",),
    "please": ("pls", "plz"),
    "thanks": ("thx", "ty"),
    "recommendations": ("recs",),
    "recommendation": ("rec",),
    "recommend": ("rec",),
    "because": ("cuz", "bc"),
    "really": ("rly", "fr"),
    "want to": ("wanna",),
    "going to": ("gonna",),
    "got to": ("gotta",),
    "I don't know": ("idk",),
    "something": ("smth", "sth"),
    "someone": ("some1",),
    "anyone": ("any1",),
    "about": ("abt",),
    "what": ("wut",),
    "people": ("ppl",),
    "the best": ("goated", "the goat"),
    "good": ("fire", "gud", "solid"),
    "right now": ("rn",),
    "though": ("tho",),
    "with": ("w/", "with"),
    "without": ("w/o",),
    "before": ("b4",),
    "manga": ("mangas", "manga"),
    "main character": ("mc",),
    "volumes": ("vols",),
    "volume": ("vol",),
    "tomorrow": ("tmrw",),
    "package": ("pkg",),
    "order": ("ordr", "order"),
    "messages": ("msgs",),
    "favorite": ("fav",),
    "definitely": ("def",),
    "finished": ("done w/", "finished"),
    "kidding": ("kiddin",),
    "see": ("c",),
    "okay": ("k",),
    "I am": ("im",),
    "I'm": ("im",),
    "ending": ("endin",),
    "anything": ("anythin", "anything"),
    "obsessed": ("down bad", "obsessed"),
    "to be honest": ("tbh",),
    "dollars": ("bucks",),
    "question": ("q",),
    "information": ("info",),
    "discount": ("disc", "discount"),
    "boyfriend": ("bf",),
    "girlfriend": ("gf",),
    "brother": ("bro",),
    "sister": ("sis",),
    "friend": ("buddy", "homie"),
}
SLANG_TAILS = ("lol", "tbh", "ngl", "fr", "lmao", "no cap", "asap", "rn", "haha", "plsss", "istg", "imo", "bruh", "fam")


def replacer(words: dict[str, tuple[str, ...]]) -> re.Pattern[str]:
    """Return a pattern that finds any of the keys as whole words, the longest first."""
    keys = sorted(words, key=lambda key: (-len(key), key))
    return re.compile(r"\b(" + "|".join(re.escape(key) for key in keys) + r")\b")


_SLANG = replacer(SLANG)
_IDIOLECT = replacer(asides.IDIOLECT)
KEPT = 0.8  # how often somebody uses their own phrase where they have one


def mend(text: str) -> str:
    """Return the text with the seams of its composition closed: spaces, articles, doubled marks."""
    text = _PERCENT.sub("a", text)
    text = _TWO_ARTICLES.sub(lambda m: "the" if m[1].lower() in {"a", "an"} else m[1], _SPACES.sub(" ", text).strip())
    text = _REPEATED.sub(lambda m: m[0] if m[0] in {"..", ". ."} else m[2] if m[2] in ".!?" else m[1], text)
    text = _BEFORE_MARK.sub(r"\1", text)
    return _AN.sub(r"\1n ", text)


def capitalise(text: str) -> str:
    """Return the text with a capital at the start of each sentence."""
    return _SENTENCE.sub(lambda m: m[1] + m[2].upper(), text)


def typed(text: str, manner: Manner, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """Return the text as this person types it, and which of ``slang``, ``typo`` it now has."""
    tags: list[str] = []
    if manner.words:
        text = _IDIOLECT.sub(lambda m: manner.words.get(m[1], m[1]) if rng.random() < KEPT else m[1], text)
    if manner.slang > 0:
        slangy = _slang(text, manner.slang, rng)
        if slangy != text:
            tags.append("slang")
            text = slangy
    text = _case(text, manner)
    if not manner.apostrophes:
        text = text.replace("'", "")
    if manner.typo_rate > 0:
        text, typos = _typos(text, manner.typo_rate, rng)
        if typos:
            tags.append("typo")
    text = _ending(text, manner, rng)
    if manner.emoji and rng.random() < manner.emoji:
        text = f"{text} {EMOJI[int(len(EMOJI) * rng.random())]}"
        if happens(rng, 0.15):  # some repeat it
            text += text[-1] if text[-1] not in ")(3;_^D\ufe0f" else ""
    return text, tuple(tags)


def _slang(text: str, rate: float, rng: random.Random) -> str:
    def swap(found: re.Match[str]) -> str:
        options = SLANG[found[1]]
        return options[int(len(options) * rng.random())] if rng.random() < rate else found[1]

    text = _SLANG.sub(swap, text)
    if rng.random() < rate * 0.35:
        tail = SLANG_TAILS[int(len(SLANG_TAILS) * rng.random())]
        text = f"{text.rstrip('.')} {tail}"
    return text


def _case(text: str, manner: Manner) -> str:
    if manner.casing == "lower":
        return text.lower()
    if manner.casing == "upper":
        return text.upper()
    return capitalise(text) if manner.casing == "proper" else text


def _typos(text: str, rate: float, rng: random.Random) -> tuple[str, bool]:
    words = text.split(" ")
    made = False
    for at, word in enumerate(words):
        if len(word) >= LONG_ENOUGH and rng.random() < rate and word.isascii() and word.isalpha():
            words[at] = misspell(word, rng)
            made = made or words[at] != word
    return " ".join(words), made


def misspell(word: str, rng: random.Random) -> str:
    """Return the word of three letters or more as a hurried typist leaves it."""
    at = 1 + int((len(word) - 2) * rng.random())
    kind = drawn(SLIPS, rng.random())
    if kind == "swapped":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "left out":
        return word[:at] + word[at + 1 :]
    if kind == "twice":
        return word[:at] + word[at] + word[at:]
    place = _KEYS.find(word[at].lower())
    near = _KEYS[max(0, place - 1)] if place >= 0 else word[at]
    return word[:at] + (near if near != " " else "s") + word[at + 1 :]  # otherwise the key beside it


def _ending(text: str, manner: Manner, rng: random.Random) -> str:
    if manner.ending == "full":
        return text if text[-1:] in ".!?…。！？" or not text[-1:].isalnum() else text + "."
    if manner.ending == "loud":
        return (
            text.rstrip(".") + rng.choice(("!!", "!", "!!!", "??", "...", ""))
            if text[-1:] != "?"
            else text + rng.choice(("", "?", "??", "!"))
        )
    bare = text.rstrip(".!")
    if manner.ending == "none" and happens(rng, 0.75):  # even they ask with a mark now and then
        bare = bare.rstrip("?")
    return bare or text
