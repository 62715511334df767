"""The message with what was said before it, within the token budget. Knows no models, only how to count tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from interlock.core.contract import InputPolicy
from interlock.core.dataset import Example
from interlock.core.decision import Reason
from interlock.predict.disguise import is_disguised
from interlock.predict.normalise import NormalText, allowed_start, normalise
from interlock.predict.scorer import Scorer

JOINT = " || "  # between the message and the turn before it, and so on backwards
_JOINTS = re.compile(r"\|(?:\s*\|)+")  # white space between bars is nothing to a tokenizer


def in_context(
    text: NormalText, conversation: Sequence[str], policy: InputPolicy, *, tokens: Callable[[NormalText], int]
) -> NormalText:
    """Return the message and the turns before it, the latest first, as the contract's ``input.context`` asks.

    The message stands first and whole: a scorer sees it in the same place with and without a conversation. Turns that
    would make it longer than the policy's tokens are left out, the oldest first, and so is a turn that the policy
    refuses or that shows people something else than it says. Bars that stand together in a message or a turn become
    one, so that neither can pass for two.

    Args:
        text: the message.
        conversation: earlier turns, the oldest first; only the last few are looked at.
        policy: says how many turns count, and what of a turn is allowed.
        tokens: how many tokens a text has.
    """
    if policy.context is None:
        return text
    text = _one_piece(text)
    turns = [_allowed(turn, policy) for turn in conversation[-policy.context.turns :]]
    whole = text
    for turn in filter(None, reversed(turns)):  # of ten huge turns one is counted, and not all of them ten times
        longer = NormalText(JOINT.join((whole, turn)))
        if not tokens(longer) <= policy.max_tokens:
            break
        whole = longer
    return whole


def _allowed(turn: str, policy: InputPolicy) -> NormalText | None:
    normal = normalise(turn, policy)
    if isinstance(normal, Reason) or (policy.form == "readable" and is_disguised(turn, normal)):
        return None
    return _one_piece(normal)


def _one_piece(text: NormalText) -> NormalText:
    return NormalText(_JOINTS.sub("|", text))


def row_text(row: Example, policy: InputPolicy, scorer: Scorer) -> NormalText:
    """Return what ``scorer`` sees of a labelled row, as it would be served."""
    text = allowed_start(row.text, policy)
    return in_context(text, row.conversation, policy, tokens=lambda joined: scorer.encode(joined).tokens)
