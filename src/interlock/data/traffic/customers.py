"""Who writes: a customer's manner, tastes and past orders. Knows no sentence."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from interlock.data.traffic.catalogue import Series, by_genre, catalogue
from interlock.data.traffic.chance import drawn, happens
from interlock.data.traffic.lexicon import GENRES, SLOTS
from interlock.data.traffic.names import REAL
from interlock.data.traffic.phrases.asides import IDIOLECT

Casing = Literal["proper", "as_typed", "lower", "upper"]
Ending = Literal["full", "plain", "none", "loud"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody types, the same in every message."""

    casing: Casing
    ending: Ending
    typo_rate: float  # per word
    slang: float  # chance per replaceable word
    chatty: float  # 0 terse .. 1 wordy
    emoji: float  # chance per message
    apostrophes: bool
    japanese: float  # share of messages mixed with Japanese
    words: Mapping[str, str] = field(default_factory=dict)  # what they say instead of the plain phrase


@dataclass(slots=True)
class Order:
    """One purchase."""

    number: int
    item: str
    day: float  # days since the world's first day
    series: Series


@dataclass(slots=True)
class Customer:
    """A customer with persistent tastes and a growing history."""

    id: str
    manner: Manner
    genres: tuple[str, ...]
    owned: list[Series]
    relative: str
    orders: list[Order] = field(default_factory=list)


PLAIN = Manner("proper", "full", 0.0, 0.0, 0.6, 0.0, apostrophes=True, japanese=0.0)
OWN_WORDS = 0.5  # of the plain phrases, the share a customer has another phrase for
FIRST_REAL = len(REAL)
TALKED_ABOUT = (("famous", 0.3), ("own genres", 0.5), ("any", 0.2))
CASINGS: tuple[tuple[Casing, float], ...] = (("lower", 0.36), ("as_typed", 0.16), ("proper", 0.48))
ENDINGS: tuple[tuple[Ending, float], ...] = (("none", 0.3), ("plain", 0.25), ("full", 0.45))


def draw_customer(number: int, *, seed: int) -> Customer:
    """Return the customer with this number in the world of ``seed``."""
    rng = random.Random(f"customer/{seed}/{number}")
    genres = tuple(rng.sample(GENRES, 3))
    owned = [pick_series(rng, genres) for _ in range(6)]
    return Customer(f"c-{seed % 9973:04d}-{number:05d}", _manner(rng), genres, owned, rng.choice(SLOTS["who"]))


def pick_series(rng: random.Random, genres: tuple[str, ...]) -> Series:
    """Return a series the customer would talk about: a famous one, one of their genres, or any."""
    kind = drawn(TALKED_ABOUT, rng.random())
    shelf = catalogue()
    if kind == "famous":
        return shelf[int(FIRST_REAL * rng.random() ** 1.3)]
    if kind == "own genres":
        return shelf[rng.choice(by_genre()[rng.choice(genres)])]
    return shelf[int(len(shelf) * rng.random())]


def _manner(rng: random.Random) -> Manner:
    tidy = rng.random()  # one latent trait drives casing, punctuation, slang and typos together
    casing: Casing = "upper" if happens(rng, 0.012) else drawn(CASINGS, tidy)  # the rare one with caps lock on
    ending: Ending = "loud" if happens(rng, 0.07) else drawn(ENDINGS, tidy)
    return Manner(
        casing=casing,
        ending=ending,
        typo_rate=rng.random() ** 3 * (0.09 - 0.06 * tidy),  # most people make few
        slang=max(0.0, rng.random() * 0.9 - tidy),
        chatty=rng.random(),
        emoji=0.35 * rng.random() if happens(rng, 0.22) else 0.0,  # a fifth ever use emoji
        apostrophes=ending != "none" or happens(rng, 0.3),
        words={plain: rng.choice(own) for plain, own in IDIOLECT.items() if happens(rng, OWN_WORDS)},
        japanese=0.35 + 0.6 * rng.random() if happens(rng, 0.15) else 0.0,  # bilingual customers
    )
