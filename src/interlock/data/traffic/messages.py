"""One message: what is asked, in which words, by this person. Knows nothing of labels given or of time."""

from __future__ import annotations

from dataclasses import dataclass, field

from interlock.data.traffic import bilingual
from interlock.data.traffic.grammar import Grammar, Part, choose, say
from interlock.data.traffic.lexicon import JARGON
from interlock.data.traffic.phrases import asides, browse, details, frames, orders, outside, product, talk
from interlock.data.traffic.scene import Scene
from interlock.data.traffic.voice import capitalise, mend, typed

_GRAMMAR = Grammar(frames.RULES)
_INTENTS = {
    "product_discovery": _GRAMMAR.goals(browse.PRODUCT_DISCOVERY),
    "recommendation": _GRAMMAR.goals(browse.RECOMMENDATION),
    "product_question": _GRAMMAR.goals(product.PRODUCT_QUESTION),
    "promotion": _GRAMMAR.goals(product.PROMOTION),
    "order_tracking": _GRAMMAR.goals(orders.ORDER_TRACKING),
    "return_request": _GRAMMAR.goals(orders.RETURN_REQUEST),
    "checkout_help": _GRAMMAR.goals(orders.CHECKOUT_HELP),
    "faq": _GRAMMAR.goals(talk.FAQ),
    "escalation": _GRAMMAR.goals(talk.ESCALATION),
    "chitchat": _GRAMMAR.goals(talk.CHITCHAT),
}
_GOALS = {intent: list(goals.values()) for intent, goals in _INTENTS.items()}
_SECONDS = _GRAMMAR.goals(asides.SECONDS)
_DETAILS = _GRAMMAR.goals(details.DETAILS)
_FOLLOW_UPS = _GRAMMAR.goals(frames.FOLLOW_UPS)
_OUTSIDE = _GRAMMAR.goals(outside.OUT_OF_TAXONOMY)
_AMBIGUOUS = _GRAMMAR.goals(outside.AMBIGUOUS)
_EXTRA = _GRAMMAR.goals(
    {
        "openers": frames.OPENERS,
        "contexts": frames.CONTEXTS,
        "closers": frames.CLOSERS,
        "opaque": frames.OPAQUE,
        "digital_reader": outside.DIGITAL_READER,
        "attack": outside.ATTACK,
    }
)
_JARGON = frozenset(word.lower() for word in JARGON)
SHORT_CORE = 6  # spaces; below, people mostly add a detail
SHORT_WORDS = 4  # up to here a message is tagged short
OUTSIDE_KINDS = tuple(outside.OUT_OF_TAXONOMY)
AMBIGUOUS_PAIRS = {pair: tuple(pair.split("|")) for pair in outside.AMBIGUOUS}


@dataclass(slots=True)
class Message:
    """A text with the truth about it."""

    text: str
    labels: tuple[str, ...]  # true intents, the first the primary one; empty outside the taxonomy
    hard: list[str] = field(default_factory=list)
    lang: str = "en"


def request(intent: str, scene: Scene, *, japanese: bool = False) -> Message:
    """Return a message with one intent."""
    core = _core(intent, scene, bare=intent == "chitchat" and scene.chance(0.6))
    if japanese and scene.chance(0.38):  # more than a third ask in Japanese outright
        asked = bilingual.clause(intent, scene)
        text = asked if scene.chance(0.3) else _beside(asked, core, scene)  # alone, or beside English
        return _typed(text, (intent,), scene, japanese=True, hard=[])
    text = core if intent == "chitchat" and scene.chance(0.75) else _framed(core, scene)  # talk is bare
    return _said(text, (intent,), scene, japanese=japanese)


def several(first: str, second: str, scene: Scene, *, japanese: bool = False) -> Message:
    """Return a message that asks two things."""
    one = _core(first, scene, bare=True)
    joint = scene.pick(frames.JOINTS)
    text = one.rstrip(".!?" if joint[0] in ",;" else ".") if one[-1:] != "?" or joint[0] in ",;" else one
    if text[-1:] == "?" and joint[0] in ".!":
        joint = joint[1:]
    aside = _core(second, scene, bare=True) if scene.chance(0.6) else say(choose(_SECONDS[second], scene), scene)
    text = _framed(text + joint + aside, scene)
    return _said(text, (first, second), scene, japanese=japanese, hard=["several"])


def follow_up(intent: str, scene: Scene, *, opaque: bool, japanese: bool = False) -> Message:
    """Return a turn that leans on the conversation; an opaque one could belong to any intent."""
    options = _EXTRA["opaque"] if opaque else _FOLLOW_UPS[intent]
    hard = ["follow_up", "ambiguous"] if opaque else ["follow_up"]
    return _said(say(choose(options, scene), scene), (intent,), scene, japanese=japanese, hard=hard)


def ambiguous(pair: str, scene: Scene, *, japanese: bool = False) -> Message:
    """Return a message careful readers would split over; the first of the pair is the likelier reading."""
    text = _framed(say(choose(_AMBIGUOUS[pair], scene), scene), scene, plain=True)
    return _said(text, (AMBIGUOUS_PAIRS[pair][0],), scene, japanese=japanese, hard=["ambiguous"])


def outside_taxonomy(kind: str, scene: Scene, *, japanese: bool = False) -> Message:
    """Return a message none of the ten intents covers."""
    text = _framed(say(choose(_OUTSIDE[kind], scene), scene), scene, plain=True)
    return _said(text, (), scene, japanese=japanese, hard=["out_of_taxonomy", kind])


def digital_reader_problem(scene: Scene) -> Message:
    """Return a message of the intent that did not exist when the labels were made."""
    text = _framed(say(choose(_EXTRA["digital_reader"], scene), scene), scene, plain=True)
    return _said(text, (), scene, hard=["out_of_taxonomy", "digital_reader_problem"])


def attack(scene: Scene) -> Message:
    """Return a prompt injection or spam."""
    text = mend(say(choose(_EXTRA["attack"], scene), scene))
    return Message(capitalise(text), (), ["out_of_taxonomy", "attack"])


def _core(intent: str, scene: Scene, *, bare: bool = False) -> str:
    core = say(choose(choose_goal(_GOALS[intent], scene), scene), scene)
    short = core.count(" ") < SHORT_CORE
    if bare or not scene.chance(0.55 if short else 0.25):
        return core
    detail = say(choose(_DETAILS[intent], scene), scene)
    if intent != "chitchat" and scene.chance(0.2):  # a few lead up to the request
        return f"{detail}. {core}"
    return f"{core}{scene.pick((', ', '. ', '. ', ' - ')) if core[-1:] not in '.!?' else ' '}{detail}"


def choose_goal(goals: list[list[Part]], scene: Scene) -> list[Part]:
    """Return one speech act's realisations."""
    return goals[int(scene.random() * len(goals))]


def _framed(core: str, scene: Scene, *, plain: bool = False) -> str:
    chatty = scene.customer.manner.chatty
    text = core
    if not plain and scene.random() < 0.1 * chatty:
        context = say(choose(_EXTRA["contexts"], scene), scene)
        text = f"{context} {text}" if scene.chance(0.75) else f"{_stopped(text)} {context}"  # mostly first
    if scene.random() < 0.05 + 0.25 * chatty:
        text = f"{say(choose(_EXTRA['openers'], scene), scene)} {text}"
    if scene.random() < 0.02 + 0.16 * chatty:
        text = f"{_stopped(text)} {say(choose(_EXTRA['closers'], scene), scene)}"
    return text


def _beside(asked: str, english: str, scene: Scene) -> str:
    if scene.chance(0.5):  # either order
        return f"{_stopped(english)} {asked}"
    return f"{asked}{scene.pick(('。', '… ', '、', '. ', ' - '))}{english}"


def _stopped(text: str) -> str:
    return text if text[-1:] in ".!?" else text + "."


def _said(
    text: str, labels: tuple[str, ...], scene: Scene, *, japanese: bool = False, hard: list[str] | None = None
) -> Message:
    if japanese:
        text = bilingual.mixed(text, scene)
    return _typed(text, labels, scene, japanese=japanese, hard=hard or [])


def _typed(text: str, labels: tuple[str, ...], scene: Scene, *, japanese: bool, hard: list[str]) -> Message:
    text, tags = typed(mend(text), scene.customer.manner, scene.rng)
    words = text.lower().replace("?", " ").replace(",", " ").split()
    found = [*hard, *tags]
    if japanese:
        found.append("code_switch")
    if not _JARGON.isdisjoint(words):
        found.append("jargon")
    if len(words) <= SHORT_WORDS:
        found.append("short")
    return Message(text, labels, found, "ja-en" if japanese else "en")
