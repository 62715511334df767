"""Mixing Japanese into an English message, in the ways bilingual customers do. Knows no intent but its name."""

from __future__ import annotations

import re

from interlock.data.traffic.grammar import Grammar, choose, say
from interlock.data.traffic.phrases import japanese
from interlock.data.traffic.scene import Scene
from interlock.data.traffic.voice import replacer

_GRAMMAR = Grammar({})
_CLAUSES = _GRAMMAR.goals(japanese.CLAUSES)
_OPENERS = _GRAMMAR.goals({"openers": japanese.OPENERS})["openers"]
_CLOSERS = _GRAMMAR.goals({"closers": japanese.CLOSERS})["closers"]
_WORDS = replacer(japanese.WORDS)
_VOLUME = re.compile(r"\b(?:vol\.?|volume) (\d+)")


def clause(intent: str, scene: Scene) -> str:
    """Return a whole Japanese request for the intent."""
    return say(choose(_CLAUSES[intent], scene), scene)


def mixed(text: str, scene: Scene) -> str:
    """Return the English text with Japanese words, an opener or a closer; always at least one."""
    before = text
    if scene.chance(0.7):  # single words are the commonest mix
        text = _words(text, scene)
    if text == before or scene.chance(0.3):  # whole phrases come on top
        if scene.chance(0.45):  # more people close in Japanese than open
            text = f"{say(choose(_OPENERS, scene), scene)} {text}"
        else:
            text = f"{text.rstrip('.')} {say(choose(_CLOSERS, scene), scene)}"
    return text


def _words(text: str, scene: Scene) -> str:
    left = 1 + int(scene.random() * 3)

    def swap(found: re.Match[str]) -> str:
        nonlocal left
        if left <= 0 or scene.chance(0.25):  # they do not swap every word they could
            return found[0]
        left -= 1
        return scene.pick(japanese.WORDS[found[1]])

    text = _WORDS.sub(swap, text)
    if scene.chance(0.4):  # volume counters are a favourite
        text = _VOLUME.sub(lambda m: f"{m[1]}巻" if scene.chance(0.6) else f"{m[1]}-kan", text)  # kanji first
    return text
