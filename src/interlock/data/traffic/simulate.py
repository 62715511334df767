"""The simulated world as rows: conversations in time, synthetic rows between them, duplicates planted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from interlock.core.errors import InputError
from interlock.data.traffic.chance import happens
from interlock.data.traffic.conversations import Talk, Turn, conversation, turn_count
from interlock.data.traffic.drift import Drift
from interlock.data.traffic.intents import INTENTS
from interlock.data.traffic.seasons import DAYS, arrivals, promotion_season, stamp
from interlock.data.traffic.synthetic import synthetic_turns
from interlock.data.traffic.wreckage import again

SYNTHETIC = 1 / 11  # 5,000 of 55,000
DUPLICATES = 0.018
ROWS_PER_CUSTOMER = 6.0
WORTH_COPYING = 18  # letters: a repeated "ok" is no duplicate
CONFLICTING = 0.06  # of duplicates, the share whose second copy was labelled differently


@dataclass(slots=True)
class _Row:
    turn: Turn
    source: str
    copy_of: int = -1  # position in the list of rows before sorting; -1 for an original


def simulate(rows: int, *, seed: int, drift: Drift | None = None) -> Iterator[dict[str, object]]:
    """Yield ``rows`` labelled messages of MangaAssist's customers, in order of time.

    Two calls with the same arguments yield the same rows, on any machine. With a drift, the rows before its first
    lever are those of the undrifted world. A world of fewer rows is not the beginning of a larger one: it covers the
    same nine months more thinly.

    Args:
        rows: how many rows; ten in eleven are production, the rest synthetic.
        seed: names the world.
        drift: what changes partway, if anything.

    Raises:
        InputError: when ``rows`` is negative.
    """
    if rows < 0:
        raise InputError(f"a world cannot have {rows} rows: expected 0 or more")
    synthetic = round(rows * SYNTHETIC)
    copies = round(rows * DUPLICATES)
    found = [_Row(turn, "production") for turn in _production(rows - synthetic - copies, seed, drift or Drift())]
    found += _copies(found, copies, seed)
    found += [_Row(turn, "synthetic") for turn in synthetic_turns(synthetic, seed=seed)]
    order = sorted(range(len(found)), key=lambda at: (round(found[at].turn.day * 86_400), at))
    ids = {at: f"m-{seed % 9973:04d}-{place:07d}" for place, at in enumerate(order)}
    for at in order:
        yield _row(found[at], ids[at], ids.get(found[at].copy_of))


def _production(count: int, seed: int, drift: Drift) -> Iterator[Turn]:
    rng = random.Random(f"lengths/{seed}")
    lengths: list[int] = []
    left = count
    while left > 0:
        lengths.append(min(left, turn_count(rng)))
        left -= lengths[-1]
    days = arrivals(len(lengths), np.random.default_rng([seed % 2**32, 7]))
    talk = Talk(seed=seed, customers=max(4, round(count / ROWS_PER_CUSTOMER)), drift=drift)
    if lengths:
        talk.season_mean = float(np.average([promotion_season(day) for day in days], weights=lengths))
    for number, (turns, day) in enumerate(zip(lengths, days, strict=True)):
        yield from conversation(talk, number, turns, day)


def _copies(rows: list[_Row], count: int, seed: int) -> list[_Row]:
    """Return copies of evenly spread rows: double sends, and messages logged again under another customer."""
    rng = random.Random(f"copies/{seed}")
    copies = []
    for place in range(count):
        at = int((place + rng.random()) * len(rows) / count)
        while at + 1 < len(rows) and len(rows[at].turn.message.text) < WORTH_COPYING:
            at += 1
        turn = rows[at].turn
        message = replace(turn.message, text=again(turn.message.text, rng))
        conflicting = rng.random() < CONFLICTING
        label = rng.choice([name for name in INTENTS if name != turn.label]) if conflicting else turn.label
        copy = replace(turn, message=message, label=label, wrong=turn.wrong or conflicting)
        if happens(rng, 0.6):  # most copies are the same person pressing send twice
            copy.day += (3.0 + 40.0 * rng.random()) / 86_400
        else:
            copy.day += (DAYS - copy.day) * 0.1 * rng.random()
            copy.customer = f"c-{seed % 9973:04d}-x{place:04d}"
            copy.conversation = f"v-{seed % 9973:04d}-x{place:05d}"
        copies.append(_Row(copy, "production", at))
    return copies


def _row(row: _Row, name: str, copy_of: str | None) -> dict[str, object]:
    turn = row.turn
    return {
        "id": name,
        "text": turn.message.text,
        "label": turn.label,
        "group": turn.customer,
        "conversation": turn.conversation,
        "timestamp": stamp(turn.day),
        "lang": turn.message.lang,
        "source": row.source,
        "truth": {
            "labels": list(turn.message.labels),
            "hard": list(dict.fromkeys(turn.message.hard)),
            "label_wrong": turn.wrong,
            "duplicate_of": copy_of,
        },
    }
