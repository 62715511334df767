"""Rows a language model wrote to fill gaps: tidy, a little bland, and about a tenth of them bad. Knows no drift."""

from __future__ import annotations

import random

from interlock.data.traffic import messages
from interlock.data.traffic.chance import happens
from interlock.data.traffic.conversations import Turn
from interlock.data.traffic.customers import PLAIN, Customer, Order, draw_customer, pick_series
from interlock.data.traffic.grammar import Grammar, choose, say
from interlock.data.traffic.intents import CONFUSED_WITH, INTENTS, SHARES, Pacing, Steering
from interlock.data.traffic.messages import SHORT_WORDS, Message
from interlock.data.traffic.scene import Scene, item_name
from interlock.data.traffic.seasons import DAYS

BAD = 0.096
PROMPT_ROWS = 12  # rows written from one prompt share a group
JAPANESE = 0.03
_CHATTER = """
    {Sure! |Certainly! |Of course! |}Here {is|are} {an example|five examples|a realistic query} of <topic>: <said>
    As an AI language model, I {cannot place orders, but|don't have personal preferences, however} <said>
    {Example|Sample|User|Utterance} <n>: <said>
    <open>"intent": "<topic>", "text": "<said>"
    <said> {(Note: this reflects the <topic> category.)|[tone: frustrated]|(paraphrase <n>)|#<topic>}
    {Let me know if you would like more|Would you like me to generate more} <topic> {examples|messages}?
"""
_BOILERPLATE = Grammar({}).goals({"chatter": _CHATTER})["chatter"]
_SLOTS = ("[TITLE]", "{product_name}", "<order_id>", "{{genre}}", "[insert series here]", "VOLUME_NUMBER", "[NAME]")


def synthetic_turns(count: int, *, seed: int) -> list[Turn]:
    """Return ``count`` synthetic rows, spread over the world's months in the batches they were written in."""
    rng = random.Random(f"synthetic/{seed}")
    steering, bad, japanese = Steering(INTENTS), Pacing(), Pacing()
    turns: list[Turn] = []
    while len(turns) < count:
        group = len(turns) // PROMPT_ROWS
        if len(turns) % PROMPT_ROWS == 0:
            day = (group + rng.random()) * DAYS * PROMPT_ROWS / (count + PROMPT_ROWS)
            author = _author(rng, group, seed)
        intent = rng.choices(INTENTS, [SHARES[name] * steering.pull(name) for name in INTENTS])[0]
        scene = _scene(rng, author)
        message = messages.request(intent, scene, japanese=japanese.draw(JAPANESE, rng.random()))
        label = intent
        wrong = False
        if bad.draw(BAD, rng.random()):
            message, label, wrong = _spoilt(message, intent, rng)
        steering.record(label, SHARES)
        name = f"g-{seed % 9973:04d}-{group:05d}"
        turns.append(Turn(message, label, wrong, name, f"s-{seed % 9973:04d}-{len(turns):06d}", day))
        day += 2.0 / 86_400
    return turns


def _author(rng: random.Random, group: int, seed: int) -> Customer:
    person = draw_customer(9_000_000 + group, seed=seed)
    if happens(rng, 0.8):  # a fifth of the prompts ask for a casual persona
        person.manner = PLAIN
    return person


def _scene(rng: random.Random, author: Customer) -> Scene:
    ordered = pick_series(rng, author.genres)
    order = Order(4_000_000 + int(900_000 * rng.random()), item_name(rng, ordered), 0.0, ordered)
    return Scene(rng, author, pick_series(rng, author.genres), order)


def _spoilt(message: Message, intent: str, rng: random.Random) -> tuple[Message, str, bool]:
    kind = rng.choice(("wrong_label", "broken_text", "boilerplate", "mixed_slots"))
    hard = [*message.hard, "bad_synthetic", kind]
    if kind == "wrong_label":
        others = [name for name in INTENTS if name != intent]
        options = others if happens(rng, 0.4) else list(CONFUSED_WITH[intent])  # models also err far off
        return Message(message.text, message.labels, hard, message.lang), rng.choice(options), True
    text = {"broken_text": _broken, "boilerplate": _boilerplate, "mixed_slots": _mixed}[kind](message.text, intent, rng)
    return Message(text, message.labels, hard, message.lang), intent, False


def _broken(text: str, _: str, rng: random.Random) -> str:
    words = text.split()
    if len(words) <= SHORT_WORDS or happens(rng, 0.5):  # half are cut mid-sentence, half stutter
        return " ".join(words[: max(1, len(words) // 2)])
    at = int((len(words) - 2) * rng.random())
    return " ".join([*words[: at + 2], *(words[at : at + 2] * (1 + int(4 * rng.random())))])


def _boilerplate(text: str, intent: str, rng: random.Random) -> str:
    return say(choose(_BOILERPLATE, _Model(rng, intent, text)), _Model(rng, intent, text))


def _mixed(text: str, _: str, rng: random.Random) -> str:
    words = text.split()
    for _again in range(1 + int(2 * rng.random())):
        words[int(len(words) * rng.random())] = rng.choice(_SLOTS)
    return " ".join(words)


class _Model:
    """The scene of a language model's own chatter."""

    def __init__(self, rng: random.Random, intent: str, said: str) -> None:
        self.random = rng.random
        self._values = {"topic": intent, "said": said, "open": "{"}

    def fill(self, name: str) -> str:
        return self._values.get(name) or str(1 + int(30 * self.random()))
