"""Who did what, when, on which evidence, as a chain: every entry holds the digest of the one before. Knows no storage.

A change of any stored field, a row taken out, put in or moved breaks the chain. Two things it cannot see by itself:
rows cut off at the end, and a chain written anew from some row on by someone who can write everything. Both show when
the digest of a later entry was kept elsewhere, which is why the head is printed wherever an entry is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from interlock.core.canonical import canonical, digest
from interlock.core.errors import InputError, Problem, RefusedError

START = "sha256:" + "0" * 64  # what the first entry names as the one before
LONGEST = 4000  # characters of any text of an entry


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be entered. The same ``key`` twice is the same deed; it is entered once."""

    key: str
    actor: str
    action: str
    subject: str  # the digest of what it was done to
    evidence: Mapping[str, str] = field(default_factory=dict)  # name -> digest of what it rests on
    note: str = ""

    @classmethod
    def of(
        cls, action: str, subject: str, *, actor: str, evidence: Mapping[str, str] | None = None, note: str = ""
    ) -> Deed:
        """Return a deed whose key is the digest of what it says, so that doing it again enters nothing new."""
        bare = cls("", actor, action, subject, evidence or {}, note)
        return replace(bare, key=digest(canonical(bare.to_json())))

    def to_json(self) -> dict[str, Any]:
        """Return what two deeds of one key must have in common."""
        return {
            "key": self.key,
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "evidence": dict(self.evidence),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the chain."""

    sequence: int  # 1, 2, 3, ...: the order of things, whatever the clocks said
    time: str  # ISO 8601, UTC
    deed: Deed
    previous: str
    hash: str

    def computed(self) -> str:
        """Return the digest that the other fields give; nothing when they are such that no entry could have them."""
        body = {"sequence": self.sequence, "time": self.time, "previous": self.previous, **self.deed.to_json()}
        try:
            return digest(canonical(body))
        except InputError:
            return ""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "sequence": self.sequence,
            "time": self.time,
            **self.deed.to_json(),
            "previous": self.previous,
            "hash": self.hash,
        }


class Ledger(Protocol):
    """Entries that are only ever added."""

    def append(self, deed: Deed, *, at: datetime) -> Entry:
        """Enter a deed and return its entry; the same deed again returns the entry it already has.

        Raises:
            RefusedError: its key was used for another deed.
        """
        ...

    def entries(self) -> Iterator[Entry]:
        """Return every entry, in order."""
        ...


def next_entry(last: Entry | None, deed: Deed, *, at: datetime) -> Entry:
    """Return the entry of ``deed`` after ``last``.

    Raises:
        InputError: the deed lacks who, what or on what, says too much, or what no JSON can say.
    """
    _check(deed)
    sequence, previous = (last.sequence + 1, last.hash) if last else (1, START)
    canonical(deed.to_json())  # raises where the digest would be nothing
    bare = Entry(sequence, at.isoformat(), deed, previous, "")
    return replace(bare, hash=bare.computed())


def _check(deed: Deed) -> None:
    texts = {"key": deed.key, "actor": deed.actor, "action": deed.action, "subject": deed.subject}
    problems = [
        Problem("ledger", name, f"1 to {LONGEST} characters in one line", f"{len(text)}: {text[:40]!r}")
        for name, text in texts.items()
        if not (0 < len(text) <= LONGEST and text.isprintable())
    ]
    if len(deed.note) > LONGEST:
        problems.append(Problem("ledger", "note", f"at most {LONGEST} characters", str(len(deed.note))))
    if problems:
        raise InputError("this cannot be entered", problems)


def same_deed(entry: Entry, deed: Deed) -> Entry:
    """Return ``entry`` when it is of ``deed``.

    Raises:
        RefusedError: only their keys are the same.
    """
    if entry.deed.to_json() != deed.to_json():
        problem = Problem("ledger", deed.key, f"the deed of entry {entry.sequence}", "another one")
        raise RefusedError("this key is of another deed", [problem])
    return entry


def breaks(entries: Iterable[Entry], *, head: str | None = None) -> list[Problem]:
    """Return every place where the chain does not hold.

    Args:
        entries: in the order of their sequence.
        head: the digest of an entry that must be there, kept elsewhere.
    """
    problems, last, keys, seen = [], START, set(), head is None
    for place, entry in enumerate(entries, start=1):
        where = f"entry {entry.sequence}"
        if entry.sequence != place:
            problems.append(Problem("ledger", where, f"entry {place}", "a gap, or another order"))
        if entry.previous != last:
            problems.append(Problem("ledger", where, f"after {last}", f"after {entry.previous}"))
        if entry.computed() != entry.hash or not entry.hash:
            problems.append(Problem("ledger", where, f"the digest {entry.computed()} of what it says", entry.hash))
        if entry.deed.key in keys:
            problems.append(Problem("ledger", where, "a key of its own", f"{entry.deed.key} again"))
        keys.add(entry.deed.key)
        last, seen = entry.hash, seen or entry.hash == head
    if not seen:
        problems.append(Problem("ledger", "head", f"the entry {head}", "no such entry: some are missing or changed"))
    return problems
