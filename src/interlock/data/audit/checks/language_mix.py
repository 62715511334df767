"""Messages that mix languages: two scripts, or Japanese in Latin letters among English. Knows a few words only."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from interlock.data.audit.finding import Finding
from interlock.data.audit.subject import Subject

CODE = "language.mix"
JAPANESE = frozenset({"HIRAGANA", "KATAKANA", "CJK"})
ROMANISED = re.compile(  # words that no English sentence has
    r"\b(?:desu|deshita|desuka|desho|deshou|kudasai|arigat[oō]u?|gozaimasu|sumimasen|konnichiwa|konbanwa|ohay[oō]u?"
    r"|onegai|onegaishimasu|hajimemashite|otsukaresama|nihongo|doko|itsu|naze|nani|nante|kono|sono|watashi|boku|hoshii"
    r"|yomitai|kaitai|mitai na|daisuki|osusume|kedo|chotto|tsugi|zenbu|sugoi|kawaii|yoroshiku|tasukete|henpin|haisou"
    r"|ch[uū]mon|nimotsu|omise|waribiki|purezento|kinou|koukan|kaado|\w{2,}(?:masu|masen|mashita))\b"
    r"|\d-kan\b|^ano,|\bkana[.?!]*$",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the rows with two scripts (Kana and Kanji count as one), then those with romanised words."""
    mixed: list[int] = []
    romanised: list[int] = []
    mainly: Counter[str] = Counter()
    for at, row in enumerate(subject.rows):
        found = scripts(row.text)
        mainly.update(["+".join(sorted(found)) or "none"])
        if len(found) > 1:
            mixed.append(at)
        elif ROMANISED.search(row.text):
            romanised.append(at)
    mixed += romanised
    if mixed or len(mainly) > 1:
        yield Finding(
            CODE,
            "note",
            count=len(mixed),
            rows=subject.ids(mixed),
            examples=subject.show(mixed),
            numbers={
                "share": len(mixed) / len(subject.rows),
                "romanised": len(romanised),
                **dict(sorted(mainly.items())),
            },
            action="Measure these rows as a slice of their own, and choose an encoder that has seen both languages.",
        )


def scripts(text: str) -> frozenset[str]:
    """Return the scripts of the letters in ``text``: LATIN, JAPANESE, HANGUL, CYRILLIC, ..."""
    if text.isascii():
        return frozenset({"LATIN"}) if any(char.isalpha() for char in text) else frozenset()
    return frozenset(script for char in set(text) if (script := _script(char)))


@lru_cache(maxsize=20_000)
def _script(char: str) -> str:
    if not char.isalpha():
        return ""
    name = unicodedata.name(unicodedata.normalize("NFKC", char)[0], "")
    first = name.split(" ")[0].split("-")[0]
    return "JAPANESE" if first in JAPANESE else first if len(first) > 1 else ""
