"""The shop's shelves: every series with the facts a message may mention. Knows nothing of customers or messages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

from interlock.data.traffic import names
from interlock.data.traffic.chance import happens
from interlock.data.traffic.lexicon import GENRES

CATALOGUE_SEED = 20_250_401  # one shop: the shelves are the same in every simulated world
INVENTED = 1_400
SAYABLE = (3, 6)  # letters of a set of initials people would say


@dataclass(frozen=True, slots=True)
class Series:
    """One series on the shelves."""

    name: str
    short: str  # how fans say it; the name itself when they have no short form
    genre: str
    author: str
    publisher: str
    characters: tuple[str, str]
    volumes: int


@lru_cache(maxsize=1)
def catalogue() -> tuple[Series, ...]:
    """Return every series, the well-known ones first."""
    rng = random.Random(CATALOGUE_SEED)
    series = [_real(line, rng) for line in names.REAL]
    taken = {item.name for item in series}
    while len(series) < len(names.REAL) + INVENTED:
        name = _title(rng)
        if name not in taken:
            taken.add(name)
            series.append(_series(name, _short_form(name, rng), rng.choice(GENRES), rng))
    return tuple(series)


@lru_cache(maxsize=1)
def by_genre() -> dict[str, tuple[int, ...]]:
    """Return the positions of each genre's series in the catalogue."""
    places: dict[str, list[int]] = {genre: [] for genre in GENRES}
    for place, item in enumerate(catalogue()):
        places[item.genre].append(place)
    return {genre: tuple(found) for genre, found in places.items()}


def person(rng: random.Random) -> str:
    """Return a Japanese full name in Western order."""
    return f"{rng.choice(names.GIVEN)} {rng.choice(names.FAMILY)}"


def _real(line: str, rng: random.Random) -> Series:
    name, genre, short = line.split("|")
    return _series(name, short or name, genre, rng)


def _series(name: str, short: str, genre: str, rng: random.Random) -> Series:
    characters = (rng.choice(names.GIVEN), rng.choice(names.GIVEN))
    volumes = min(72, 1 + int(rng.expovariate(1 / 11)))
    return Series(name, short, genre, person(rng), rng.choice(names.PUBLISHERS), characters, volumes)


def _short_form(name: str, rng: random.Random) -> str:
    for joint in (" of ", " and ", " to ", "-kun and ", " wa "):
        head, found, _ = name.partition(joint)
        if found and " " not in head and len(head) >= SAYABLE[0] + 1:  # "Rei" alone is a person, not a series
            return head
    initials = "".join(word[0] for word in name.split() if word[0].isupper())
    if len(name.split()) > SAYABLE[0] + 1 and SAYABLE[0] <= len(initials) <= SAYABLE[1] and happens(rng, 0.7):
        return initials
    return name.removeprefix("The ")


def _title(rng: random.Random) -> str:
    a, n, m = rng.choice(names.ADJECTIVES), rng.choice(names.NOUNS), rng.choice(names.NOUNS)
    job, creature = rng.choice(names.JOBS), rng.choice(names.CREATURES)
    place, given, word = rng.choice(names.PLACES), rng.choice(names.GIVEN), rng.choice(names.ROMAJI)
    patterns = (
        f"{a} {n}",
        f"{a} {n}",
        f"The {a} {n}",
        f"{n} of {place}",
        f"{n} and {m}",
        f"The {job}'s {n}",
        f"{word} no {rng.choice(names.ROMAJI)}",
        f"{word} wa {rng.choice(names.ROMAJI)} no Naka",
        f"{given} to {word}",
        f"{given}-kun and the {creature}",
        f"{given} the {job}",
        _coined(rng),
        _coined(rng) + rng.choice((" Zero", ": Re", " Code", " Gaiden", "")),
        f"Reborn as the {job} of {place}",
        f"My {rng.choice(names.RELATIONS)} Is Secretly a {creature}",
        f"The {a} {job} Just Wants to {rng.choice(names.WISHES)}",
        f"I Became a {creature}, but All I Want Is to {rng.choice(names.WISHES)}",
        f"{place} {rng.choice(('Diaries', 'Nights', 'High', 'Rhapsody', 'Detective Club', 'Express', 'Academy'))}",
        f"{rng.choice(('Seven', 'Nine', 'Hundred', 'Twelve', 'Three'))} {_plural(n)}",
        f"{word} {rng.choice(('Diner', 'Online', 'Strike', 'Melody', 'Hunter', 'Days', 'Runner', 'Apartments'))}",
    )
    return _article(patterns[int(rng.random() * len(patterns))])


def _article(title: str) -> str:
    for vowel in "AEIOU":
        title = title.replace(f" a {vowel}", f" an {vowel}")
    return title


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _coined(rng: random.Random) -> str:
    return "".join(rng.choice(names.SYLLABLES) for _ in range(3 + int(rng.random() * 2))).capitalize()
