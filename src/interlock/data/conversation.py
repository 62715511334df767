"""What was said before a message, for rows of a conversation. Knows no formats and no token budget.

A row's ``conversation`` is the list of the turns before it, the oldest first, or the name of its conversation (a blank
one names none): these turns are then the earlier rows of that name in the same file, by timestamp where all of them
have one, else in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from interlock.core.dataset import Example
from interlock.core.errors import Problem

EXPECTED = "the turns before it, a list of texts, or the name of its conversation"


class Talk:
    """The conversations of one file while it is read."""

    def __init__(self, turns: int) -> None:
        """Keep the last ``turns`` turns before each message."""
        self._turns = turns
        self._name_of: dict[str, str] = {}  # row id -> conversation

    def heard(self, row: Example, given: Any, where: str) -> Example | list[Problem]:
        """Return the row with the turns it gives itself; note the conversation it names."""
        if given is None or (isinstance(given, str) and not given.strip()):
            return row
        if isinstance(given, str | int) and not isinstance(given, bool):
            self._name_of[row.id] = str(given)
            return row
        if not isinstance(given, list) or not all(isinstance(turn, str) for turn in given):
            return [Problem(where, "conversation", EXPECTED, repr(given)[:80])]
        if any("\0" in turn or any("\ud800" <= char <= "\udfff" for char in turn) for turn in given):
            return [Problem(where, "conversation", "whole characters and no NUL", ascii(given)[:80])]
        return replace(row, conversation=tuple(given[-self._turns :]))

    def told(self, rows: Iterable[Example]) -> list[Example]:
        """Return the rows, in their order, each with the turns of its conversation that came before it."""
        found = list(rows)
        talks: dict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(found):
            if row.id in self._name_of:
                talks[self._name_of[row.id]].append(place)
        for places in talks.values():
            times = [found[place].timestamp for place in places]
            if all(time is not None for time in times):
                places.sort(key=lambda place: (found[place].timestamp or "", place))
            said = [found[place].text for place in places]
            for number, place in enumerate(places):
                before = said[max(0, number - self._turns) : number]
                found[place] = replace(found[place], conversation=tuple(before))
        return found
