"""The values of a message's slots: what this customer, in this conversation, on this day, is talking about."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from interlock.data.traffic import lexicon, names
from interlock.data.traffic.catalogue import Series
from interlock.data.traffic.chance import drawn
from interlock.data.traffic.customers import Customer, Order, pick_series
from interlock.data.traffic.phrases import japanese

VOLUME_FORMS = ("vol {}", "vol {}", "volume {}", "volume {}", "vol. {}", "v{}", "book {}", "#{}")
LONG_NAME = 30  # letters
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
EDITIONS = ("box set", "omnibus", "artbook", "hardcover", "light novel", "deluxe edition")
SOLD = (("volume", 0.55), ("edition", 0.2), ("merch", 0.25))
CODES = ("MANGA", "SUMMER", "OTAKU", "READ", "HELLO", "SHELF", "FOX", "KONBINI", "INK", "SPRING", "NEKO", "CON")


@dataclass(slots=True)
class Scene:
    """One message's world; the focus series and the order stay the same through a conversation."""

    rng: random.Random
    customer: Customer
    focus: Series
    order: Order
    random: Callable[[], float] = field(init=False)
    _said: dict[str, str] = field(default_factory=dict)
    _others: list[Series] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take the chance of the conversation's own generator."""
        self.random = self.rng.random

    def fresh(self) -> None:
        """Forget surface forms: the next message may word the same things differently."""
        self._said.clear()
        self._others.clear()

    def fill(self, name: str) -> str:
        """Return the words for one slot, the same throughout a message."""
        said = self._said.get(name)
        if said is None:
            maker = _MAKERS.get(name)
            said = maker(self) if maker else self.pick(lexicon.SLOTS[name])
            self._said[name] = said
        return said

    def chance(self, share: float) -> bool:
        """Return yes in ``share`` of the draws."""
        return self.random() < share

    def pick(self, options: tuple[str, ...] | list[str]) -> str:
        """Return one of ``options``."""
        return options[int(self.random() * len(options))]

    def other(self, place: int) -> Series:
        """Return the message's second, third, ... series; never the focus."""
        while len(self._others) <= place:
            owned = self.customer.owned
            series = owned[int(self.random() * len(owned))]
            if self.chance(0.4):  # they also compare with what they do not own
                series = pick_series(self.rng, self.customer.genres)
            if series is not self.focus and series not in self._others:
                self._others.append(series)
        return self._others[place]

    def title(self, series: Series) -> str:
        """Return how this customer calls the series; the very long names are mostly shortened."""
        short = (
            series.short
            if len(series.short) < LONG_NAME or self.chance(0.1)
            else f"{series.author.split()[1]}'s series"
        )
        return short if self.chance(0.65) or len(series.name) >= LONG_NAME else series.name

    def volume(self, last: int) -> str:
        """Return one way to say a volume number."""
        number = 1 + int(last * self.random() ** 1.3)
        if number <= len(ORDINALS) and self.chance(0.08):  # few spell it out
            return f"the {ORDINALS[number - 1]} volume"
        return self.pick(VOLUME_FORMS).format(number)

    def different(self, name: str, other: str) -> str:
        """Return a value of slot ``other`` that is not the one slot ``name`` already has."""
        taken = self.fill(name)
        while (value := self.pick(lexicon.SLOTS[other])) == taken:
            pass
        return value

    def taste(self) -> str:
        """Return a genre, mostly one of the customer's own."""
        return self.pick(self.customer.genres if self.chance(0.75) else lexicon.GENRES)  # mostly


def item_name(rng: random.Random, series: Series) -> str:
    """Return what somebody orders of a series, without an article."""
    kind = drawn(SOLD, rng.random())
    if kind == "volume":
        return f"{series.short} vol {1 + int(series.volumes * rng.random())}"
    if kind == "edition":
        return f"{series.short} {rng.choice(EDITIONS)}"
    return f"{series.short} {rng.choice(lexicon.SLOTS['merch'])}"


def _item(scene: Scene) -> str:
    words = scene.order.item
    if scene.chance(0.22):  # people often say only what kind of thing it is
        return "the " + words.rsplit(" ", 1)[-1] if " vol " not in words else scene.pick(["the book", "the manga"])
    return words if " vol " in words else "the " + words


def _character(scene: Scene, series: Series, *, named: bool) -> str:
    name = series.characters[0]
    return f"{name} from {scene.title(series)}" if named else name


def _genre2(scene: Scene) -> str:
    taken = scene.fill("genre")
    while (genre := scene.pick(lexicon.GENRES)) == taken:
        pass
    return genre


def _order_number(scene: Scene) -> str:
    return scene.pick(("#{}", "#{}", "{}", "MA-{}", "no. {}")).format(scene.order.number)


def _damage(scene: Scene) -> str:
    merch = any(scene.order.item.endswith(kind) for kind in lexicon.SLOTS["merch"])
    return scene.pick(lexicon.SLOTS["merch_damage" if merch else "book_damage"])


def _jargon(scene: Scene) -> str:
    return scene.pick(
        ("doujinshi", "josei", "seinen", "kanzenban", "iyashikei", "yonkoma", "gekiga", "otome", "shoujo")
    )


_MAKERS: dict[str, Callable[[Scene], str]] = {
    "T": lambda s: s.title(s.focus),
    "T2": lambda s: s.title(s.other(0)),
    "T3": lambda s: s.title(s.other(1)),
    "vol": lambda s: s.volume(s.focus.volumes),
    "vol2": lambda s: str(2 + int(s.random() * 20)),
    "n": lambda s: str(1 + int(s.random() * s.focus.volumes)),
    "genre": lambda s: s.taste(),
    "genre_a": lambda s: s.taste(),
    "genre2": _genre2,
    "genre_ja": lambda s: japanese.GENRES[s.taste()],
    "theme_ja": lambda s: s.pick(japanese.THEMES),
    "edition2": lambda s: s.different("edition", "edition"),
    "trait2": lambda s: s.different("trait", "trait"),
    "author": lambda s: s.focus.author,
    "publisher": lambda s: s.focus.publisher,
    "char": lambda s: s.focus.characters[0],
    "char2": lambda s: s.focus.characters[1],
    "char_of": lambda s: _character(s, s.focus, named=s.chance(0.7)),
    "char_of2": lambda s: _character(s, s.other(0), named=True),
    "item": _item,
    "item_the": _item,
    "item_bare": lambda s: s.order.item,
    "item2": lambda s: item_name(s.rng, s.other(0)),
    "ono": _order_number,
    "code": lambda s: s.pick(CODES) + s.pick(("5", "10", "15", "20", "25", "")),
    "status_quoted": lambda s: s.pick(('"{}"', "{}", "'{}'")).format(s.fill("status")),
    "who": lambda s: s.customer.relative if s.chance(0.5) else s.pick(lexicon.SLOTS["who"]),  # theirs
    "who_bare": lambda s: s.fill("who"),
    "who_poss": lambda s: s.fill("who") + "'s" if not s.fill("who").endswith("s") else s.fill("who") + "'",
    "damage": _damage,
    "jargon": _jargon,
    "romaji": lambda s: s.pick(names.ROMAJI),
    "lt": lambda _: "<",
}
