"""Conversations: who writes when, about what, turn after turn, and which label each turn was given."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from interlock.data.traffic import messages
from interlock.data.traffic.chance import drawn, happens
from interlock.data.traffic.customers import Customer, Order, draw_customer, pick_series
from interlock.data.traffic.drift import Drift
from interlock.data.traffic.intents import CONFUSED_WITH, GOES_WITH, INTENTS, SHARES, Pacing, Steering
from interlock.data.traffic.lexicon import NEW_SLANG, NEW_TAILS
from interlock.data.traffic.messages import Message
from interlock.data.traffic.scene import Scene, item_name
from interlock.data.traffic.seasons import promotion_season
from interlock.data.traffic.voice import replacer
from interlock.data.traffic.wreckage import break_upstream

SEVERAL = 0.18  # of production messages
OUTSIDE = 0.053
JAPANESE = 0.098  # of production messages; the synthetic ones hardly mix
AMBIGUOUS = 0.028
LEANS = 0.5  # of turns on the topic of the turn before, the share that makes no sense without it
OPAQUE = 0.12  # of follow-ups
LABEL_NOISE = 0.017
SECOND_LABEL = 0.08  # of messages with several intents, the share labelled with another than the primary one
FIRST_READING = 0.68  # of ambiguous messages, the share labelled with the likelier reading
TURNS = (0.46, 0.70, 0.84, 0.92, 0.97, 1.0)  # cumulative shares of conversations with 1..6 turns

# what annotators fall back on when no label fits
FORCED: dict[str, tuple[tuple[str, float], ...]] = {
    "off_topic": (("chitchat", 0.85), ("faq", 0.1), ("recommendation", 0.05)),
    "business": (("faq", 0.84), ("escalation", 0.08), ("chitchat", 0.08)),
    "adjacent": (("product_question", 0.8), ("product_discovery", 0.1), ("chitchat", 0.1)),
    "digital_reader_problem": (("checkout_help", 0.35), ("product_question", 0.35), ("faq", 0.2), ("escalation", 0.1)),
    "attack": (("chitchat", 0.7), ("escalation", 0.15), ("promotion", 0.15)),
}
_NEW_SLANG = replacer(NEW_SLANG)


@dataclass(slots=True)
class Turn:
    """One row before it has an id."""

    message: Message
    label: str
    wrong: bool
    customer: str
    conversation: str
    day: float


class Talk:
    """The state that runs through a world: shares to keep, customers met so far."""

    def __init__(self, *, seed: int, customers: int, drift: Drift) -> None:
        """Start a world with nobody met."""
        self.seed = seed
        self.drift = drift
        self.labels = Steering(INTENTS)
        self.paces = {name: Pacing() for name in ("several", "outside", "japanese", "ambiguous", "noise")}
        self._number_of_customers = customers
        self._customers: dict[int, Customer] = {}
        self.season_mean = 1.0

    def due(self, day: float) -> dict[str, float]:
        """Return the wanted shares on this day."""
        wanted = SHARES["promotion"] * promotion_season(day) / self.season_mean
        rest = (1.0 - wanted) / (1.0 - SHARES["promotion"])
        shares = {name: wanted if name == "promotion" else share * rest for name, share in SHARES.items()}
        return self.drift.shares(shares, day)

    def customer(self, rng: random.Random) -> Customer:
        """Return who writes: some write often, most rarely."""
        number = int(self._number_of_customers * rng.random() ** 1.35)
        known = self._customers.get(number)
        if known is None:
            known = self._customers[number] = draw_customer(number, seed=self.seed)
        return known


def turn_count(rng: random.Random) -> int:
    """Return how many turns a conversation has."""
    chance = rng.random()
    return 1 + sum(chance >= share for share in TURNS[:-1])


def conversation(talk: Talk, number: int, turns: int, day: float) -> Iterator[Turn]:
    """Yield the turns of one conversation that starts on ``day``."""
    rng = random.Random(f"talk/{talk.seed}/{number}")
    customer = talk.customer(rng)
    name = f"v-{talk.seed % 9973:04d}-{number:06d}"
    scene: Scene | None = None
    before = ""
    moment = day
    for at in range(turns):
        intent = _next_intent(talk, rng, before, talk.due(day))
        if scene is None or (intent != before and happens(rng, 0.3)):  # a new topic may be a new series
            scene = _scene(rng, customer, intent, day)
        scene.fresh()
        message = _message(talk, scene, intent, before, day)
        label, wrong = _label(talk, message, rng)
        message = _drifted(talk.drift, message, scene, day)
        talk.labels.record(label, talk.due(day))
        yield Turn(message, label, wrong, customer.id, name, moment)
        before = message.labels[0] if message.labels else ""
        moment += (20.0 + 150.0 * rng.random()) / 86_400 * (1 + at % 2)
    _buy(customer, scene, before, day, rng)


def _next_intent(talk: Talk, rng: random.Random, before: str, due: dict[str, float]) -> str:
    weights = []
    next_to = GOES_WITH.get(before, ())
    for intent in INTENTS:
        lean = 5.0 if intent == before else 1.8 if intent in next_to else 0.8
        if not before:
            lean = 0.6 if intent == "chitchat" else 1.0
        weights.append(due[intent] * lean * talk.labels.pull(intent))
    return rng.choices(INTENTS, weights)[0]


def _scene(rng: random.Random, customer: Customer, intent: str, day: float) -> Scene:
    focus = pick_series(rng, customer.genres)
    order = _order(rng, customer, intent, day)
    if intent in {"order_tracking", "return_request"} and happens(rng, 0.8):  # talk is about the order
        focus = order.series
    return Scene(rng, customer, focus, order)


def _order(rng: random.Random, customer: Customer, intent: str, day: float) -> Order:
    age = 3.0 if intent == "order_tracking" else 9.0 if intent == "return_request" else 0.0
    fitting = [order for order in customer.orders if age <= day - order.day <= age + 30.0]
    if fitting:
        return fitting[-1]
    series = pick_series(rng, customer.genres)
    number = 4_000_000 + int(day * 3000) + int(3000 * rng.random())
    order = Order(number, item_name(rng, series), day - age - 12.0 * rng.random(), series)
    if age:
        customer.orders.append(order)
    return order


def _buy(customer: Customer, scene: Scene | None, last: str, day: float, rng: random.Random) -> None:
    if scene is None or last not in {"product_question", "promotion", "checkout_help"}:
        return
    if happens(rng, 0.3):
        number = 4_000_000 + int(day * 3000) + int(3000 * rng.random())
        customer.orders.append(Order(number, item_name(rng, scene.focus), day, scene.focus))
        customer.owned[int(len(customer.owned) * rng.random())] = scene.focus


def _message(talk: Talk, scene: Scene, intent: str, before: str, day: float) -> Message:
    draw, paces = scene.random, talk.paces
    japanese = paces["japanese"].draw(JAPANESE, draw(), weight=scene.customer.manner.japanese * 10.5)
    new_intent, attack = talk.drift.amount("new_intent", day), talk.drift.amount("attack", day)
    if (new_intent or attack) and (chance := draw()) < new_intent + attack:
        return messages.attack(scene) if chance < attack else messages.digital_reader_problem(scene)
    if paces["outside"].draw(OUTSIDE, draw()):
        kind = {"chitchat": "off_topic", "faq": "business", "product_question": "adjacent"}.get(intent)
        kind = kind or scene.pick(messages.OUTSIDE_KINDS)
        return messages.outside_taxonomy(kind, scene, japanese=japanese)
    if paces["several"].draw(SEVERAL / (1.0 - OUTSIDE), draw()):
        return messages.several(intent, scene.pick(GOES_WITH[intent]), scene, japanese=japanese)
    if paces["ambiguous"].draw(AMBIGUOUS, draw()):
        pairs = [pair for pair, both in messages.AMBIGUOUS_PAIRS.items() if intent in both]
        if pairs:
            return messages.ambiguous(scene.pick(pairs), scene, japanese=japanese)
    if intent == before and scene.chance(LEANS):
        return messages.follow_up(intent, scene, opaque=draw() < OPAQUE, japanese=japanese)
    return messages.request(intent, scene, japanese=japanese)


def _label(talk: Talk, message: Message, rng: random.Random) -> tuple[str, bool]:
    chance = rng.random()
    if not message.labels:
        return drawn(FORCED[message.hard[1]], chance), False
    primary = message.labels[0]
    if talk.paces["noise"].draw(LABEL_NOISE, chance):
        wrong = [name for name in CONFUSED_WITH[primary] if name not in message.labels]
        return rng.choice(wrong), True
    if len(message.labels) > 1 and rng.random() < SECOND_LABEL:
        return message.labels[1], False
    if "ambiguous" in message.hard and "follow_up" not in message.hard and rng.random() >= FIRST_READING:
        readings = [both[1] for both in messages.AMBIGUOUS_PAIRS.values() if both[0] == primary]
        return rng.choice(readings), False
    return primary, False


def _drifted(drift: Drift, message: Message, scene: Scene, day: float) -> Message:
    if (share := drift.amount("slang", day)) and scene.random() < share:
        text = _NEW_SLANG.sub(lambda m: scene.pick(NEW_SLANG[m[1]]), message.text)
        if text == message.text:
            text = f"{text} {scene.pick(NEW_TAILS)}"
        message = replace(message, text=text, hard=[*message.hard, "new_slang"])
    if (share := drift.amount("broken", day)) and scene.random() < share:
        message = replace(
            message, text=break_upstream(message.text, scene.rng), hard=[*message.hard, "broken_upstream"]
        )
    return message
