"""The refund-support world: tickets a person must see at once, and tickets an agent may take. Knows no chat."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from interlock.core.errors import InputError
from interlock.data.traffic.chance import happens
from interlock.data.traffic.customers import Customer, Manner, Order, draw_customer, pick_series
from interlock.data.traffic.grammar import Grammar, choose, say
from interlock.data.traffic.intents import Steering
from interlock.data.traffic.phrases import intake
from interlock.data.traffic.scene import Scene, item_name
from interlock.data.traffic.seasons import arrivals, stamp
from interlock.data.traffic.voice import capitalise, mend, typed

HUMAN, AGENT = "human_review_now", "guarded_agent"
# reason -> (label, share of tickets, share written in anger)
REASONS: dict[str, tuple[str, float, float]] = {
    "damaged_package_exception": (HUMAN, 0.14, 0.45),
    "return_window_exception": (HUMAN, 0.12, 0.2),
    "account_takeover": (HUMAN, 0.08, 0.3),
    "routine_delivery_status": (AGENT, 0.38, 0.4),
    "return_policy_question": (AGENT, 0.28, 0.2),
}
SHARES = {reason: share for reason, (_, share, _) in REASONS.items()}
ROWS_PER_ACCOUNT = 3
_GRAMMAR = Grammar(intake.RULES)
_TICKETS = _GRAMMAR.goals(intake.TICKETS)
_RULE = {name: _GRAMMAR.compile(f"<{name}>") for name in intake.RULES}


def simulate_intake(rows: int, *, seed: int) -> list[dict[str, object]]:
    """Return ``rows`` refund-support tickets in order of time.

    An account writes its few tickets close together and new accounts keep appearing, so a split by time can keep the
    early accounts for training and test on accounts it has never seen. How angry a ticket sounds says little about
    whether a person is needed: there are furious questions about a tracking page and calm reports of a stolen account.

    Raises:
        InputError: when ``rows`` is negative.
    """
    if rows < 0:
        raise InputError(f"a world cannot have {rows} rows: expected 0 or more")
    days = arrivals(rows, np.random.default_rng([seed % 2**32, 11]))
    steering = Steering(tuple(REASONS))
    rng = random.Random(f"intake/{seed}")
    tickets = []
    for place, day in enumerate(days):
        person = draw_customer(_account(place, rng), seed=seed)
        reason = rng.choices(tuple(SHARES), [share * steering.pull(name) for name, share in SHARES.items()])[0]
        steering.record(reason, SHARES)
        ticket: dict[str, object] = {
            "id": f"t-{seed % 9973:04d}-{place:06d}",
            "text": _ticket(reason, person, rng, day),
            "label": REASONS[reason][0],
            "slice": reason,
            "group": person.id.replace("c-", "a-", 1),
            "timestamp": stamp(day),
            "source": "synthetic",
        }
        tickets.append(ticket)
    return tickets


def _account(place: int, rng: random.Random) -> int:
    """Return who writes the ticket at ``place``: accounts appear in order and fall silent again."""
    return max(0, place // ROWS_PER_ACCOUNT - int(4 * rng.random()))


def _ticket(reason: str, person: Customer, rng: random.Random, day: float) -> str:
    person.manner = _calmer(person.manner)
    ordered = pick_series(rng, person.genres)
    order = Order(4_000_000 + int(day * 3000) + int(3000 * rng.random()), item_name(rng, ordered), day, ordered)
    scene = Scene(rng, person, ordered, order)
    angry = happens(rng, REASONS[reason][2])
    text = say(choose(_TICKETS[reason], scene), scene)
    parts = [text if text[-1:] in ".!?" else text + "."]
    if happens(rng, 0.45):
        parts.insert(
            0 if happens(rng, 0.4) else 1,
            say(_RULE["account_background" if reason == "account_takeover" else "background"], scene),
        )
    if happens(rng, 0.6):
        parts.insert(0, say(_RULE["angry_open" if angry else "polite_open"], scene))
    if happens(rng, 0.55):
        parts.append(say(_RULE["angry_close" if angry else "calm_close"], scene))
    written = typed(capitalise(mend(" ".join(parts))), person.manner, rng)[0]
    return written.upper() if angry and happens(rng, 0.06) else written


def _calmer(manner: Manner) -> Manner:
    """Return how somebody types in a ticket form: more carefully than in a chat."""
    return replace(manner, slang=manner.slang * 0.3, emoji=0.0, typo_rate=manner.typo_rate * 0.6, japanese=0.0)
