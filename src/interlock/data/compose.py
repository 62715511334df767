"""Messages that ask for several things, made of messages that ask for one. Knows no training and no detector.

Rows with one label say nothing of how two requests stand beside each other, and rows labelled with several are rare.
Joining rows of different labels gives both the scorer and the detector examples of every combination.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from interlock.core.contract import Bands, Contract, InputPolicy
from interlock.core.dataset import CalibrationSet, Dataset, Example, TrainSet

THREE = 0.25  # of composed messages, the share that joins three
TRIES = 20  # draws for a row of another label, before the message is given up
DEFAULT_SHARE = 0.5  # of the rows, when the contract detects several intents and hardly a row has several labels
FEW = 0.02  # of rows with several labels; below it the rest is composed

# Within a sentence, where the first part loses its closing mark, and between sentences.
JOINS = (" and ", ", and ", ", ", " and also ", ", also ", " and then ", ", then ", " plus ", ", but ", " as well as ")
BREAKS = (". ", ". also, ", ". and ", "! ", ". then ", "\n", " - ", ". oh, ", ". next, ", "; ")
JOINS_JA = ("、", "、あと", "、それと", "と、", " and ", "、それから")
BREAKS_JA = ("。", "。あと、", "。それと、", "。それから、", "。また、", "。ついでに、", ". ")
CHARS_A_TOKEN = 3  # fewer than nearly all texts have
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_CLOSING = ".!?。！？…"


def composed(rows: Dataset, *, count: int, seed: int, max_chars: int) -> tuple[Example, ...]:
    """Return ``count`` messages of two or three rows of different labels, labelled with all of them.

    Args:
        rows: those with one label are joined; the others are left alone.
        count: messages wanted; fewer where rows of only one label are there, or joined ones are too long.
        seed: the same rows and seed give the same messages.
        max_chars: the longest message.
    """
    chance = random.Random(f"compose/{seed}")
    sources = sorted((row for row in rows if len(row.labels) == 1), key=lambda row: row.id)
    if len({row.label for row in sources}) < 2:  # noqa: PLR2004 - nothing to join
        return ()
    made: dict[str, Example] = {}
    for _ in range(2 * count):
        if len(made) == count:
            break
        parts = _different(sources, 3 if chance.random() < THREE else 2, chance)
        text = "".join(_pieces([part.text for part in parts], chance))
        name = "+".join(part.id for part in parts)
        if len(parts) > 1 and len(text) <= max_chars and name not in made:
            made[name] = Example(
                id=name,
                text=text,
                labels=tuple(part.label for part in parts),
                lang=parts[0].lang,
                conversation=parts[0].conversation,
                source="synthetic",
                weight=min(part.weight for part in parts),
            )
    return tuple(made.values())


def to_learn(train: TrainSet, contract: Contract, *, share: float | None, seed: int) -> TrainSet:
    """Return the training rows with composed messages among them, ``share`` times as many as there are rows.

    Without a share it is ``DEFAULT_SHARE`` where the contract detects several intents and hardly a row has several,
    otherwise 0.
    """
    if share is None:
        wanted = isinstance(contract.decide, Bands) and contract.decide.several.enabled
        share = DEFAULT_SHARE if wanted and needs_composing(train) else 0.0
    more = composed(train, count=round(share * len(train)), seed=seed, max_chars=longest(contract.input))
    return TrainSet((*train, *more)) if more else train


def longest(policy: InputPolicy) -> int:
    """Return how many characters a composed message may have; of a longer one the tokens would be cut off."""
    return min(policy.max_chars, CHARS_A_TOKEN * policy.max_tokens)


def several_rows(rows: CalibrationSet, *, seed: int, max_chars: int) -> CalibrationSet:
    """Return the rows a detector of several intents is fitted on: these, and composed ones where few have several."""
    if not needs_composing(rows):
        return rows
    single = sum(len(row.labels) == 1 for row in rows)
    return CalibrationSet((*rows, *composed(rows, count=single, seed=seed, max_chars=max_chars)))


def needs_composing(rows: Dataset) -> bool:
    """Whether hardly a row has several labels."""
    return sum(len(row.labels) > 1 for row in rows) < FEW * len(rows)


def _different(sources: list[Example], parts: int, chance: random.Random) -> list[Example]:
    found = [chance.choice(sources)]
    for _ in range(TRIES):
        if len(found) == parts:
            break
        other = chance.choice(sources)
        if other.label not in {part.label for part in found}:
            found.append(other)
    return found


def _pieces(texts: list[str], chance: random.Random) -> Iterator[str]:
    japanese = any(_JAPANESE.search(text) for text in texts)
    joins, breaks = (JOINS_JA, BREAKS_JA) if japanese else (JOINS, BREAKS)
    for number, text in enumerate(texts):
        last = number == len(texts) - 1
        if last:
            yield text
        elif chance.random() < 0.5:  # noqa: PLR2004 - as often within a sentence as between two
            yield text.rstrip().rstrip(_CLOSING) + chance.choice(joins)
        else:
            joint = chance.choice(breaks)
            stripped = text.rstrip()
            yield stripped + (joint[1:] if stripped[-1:] in _CLOSING and joint[0] in ".!;。" else joint)
