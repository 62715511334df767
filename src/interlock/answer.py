"""The online walk: a message in, a decision out. Reads top to bottom; later stages hang in where they are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from interlock.core.decision import Decision
from interlock.predict.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Message:
    """What a caller wants decided."""

    text: str
    request_id: str | None = None


Choose = Callable[[Message], Predictor]  # which router answers this message
Record = Callable[[Message, Decision], None]  # told of every decision once it is made


def answer(message: Message, *, choose: Choose, records: Sequence[Record] = ()) -> Decision:
    """Decide one message.

    Args:
        message: the text and who asks.
        choose: picks the router; one bundle answers the whole message.
        records: what must know of the decision before the caller does: event store, review queue.
    """
    predictor = choose(message)
    decision = predictor.decide(message.text)
    for record in records:
        record(message, decision)
    return decision
