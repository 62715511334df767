"""Many messages by one bundle: JSON lines in, decisions out in the same order, by this process or by several.

Every message is decided alone, exactly as it is served. With int8 activations its scores would depend on what else
were in a batch, so the work is spread over processes instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from interlock.bundle.open import Bundle, open_bundle
from interlock.core.canonical import parse_json
from interlock.core.decision import Decision
from interlock.core.errors import InterlockError, RefusedError

CHUNK = 64  # lines that a process is given at once
AHEAD = 3  # chunks for each process that are read before the first of them is answered
MOST_ID = 200  # characters of a request id
MESSAGE = 'a JSON object like {"text": "...", "conversation": ["..."]}'
NO_MESSAGE = "\0"  # the shortest text that every input policy refuses as undecodable


@dataclass(frozen=True, slots=True)
class Asked:
    """The message of one line."""

    text: str
    conversation: tuple[str, ...] = ()  # the turns before it
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a line is no message, without what it holds."""

    field: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one line."""

    decision: Decision
    asked: Asked | None  # nothing when the line held no message: it gets the failure fallback then
    wrong: Wrong | None = None  # why it held none


def answers(bundle: Bundle, folder: Path, lines: Iterable[bytes], *, processes: int = 1) -> Iterator[Answer]:
    """Yield one answer a line, in order.

    Args:
        bundle: decides.
        folder: where it was opened; other processes open it again and refuse another one in its place.
        lines: JSON objects with a ``text``, and ``conversation`` and ``request_id`` where there are any.
        processes: with one, each line is answered before the next is read; with more, lines are read in chunks.

    Raises:
        RefusedError: another process could not open the same bundle, or ended.
    """
    if processes == 1:
        yield from (_answer(bundle, line) for line in lines)
        return
    source = iter(lines)
    chunks = iter(lambda: list(islice(source, CHUNK)), [])
    waiting: deque[Future[list[Answer] | None]] = deque()
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_open, initargs=(folder, bundle.digest)
    ) as pool:
        for chunk in chunks:
            waiting.append(pool.submit(_answer_all, chunk))
            if len(waiting) >= AHEAD * processes:
                yield from _done(waiting.popleft())
        while waiting:
            yield from _done(waiting.popleft())


_OPENED: list[Bundle] = []  # of a process that only answers: its bundle


def _open(folder: Path, digest: str) -> None:
    try:
        bundle = open_bundle(folder)
    except (InterlockError, OSError):
        return
    if bundle.digest == digest:
        _OPENED.append(bundle)


def _answer_all(lines: list[bytes]) -> list[Answer] | None:
    return [_answer(_OPENED[0], line) for line in lines] if _OPENED else None


def _done(future: Future[list[Answer] | None]) -> list[Answer]:
    try:
        found = future.result()
    except BrokenProcessPool as error:
        raise RefusedError("a process that decided messages ended before it had answered") from error
    if found is None:
        raise RefusedError("the bundle changed while messages were decided")
    return found


def _answer(bundle: Bundle, line: bytes) -> Answer:
    asked = _asked(line)
    if isinstance(asked, Wrong):
        return Answer(bundle.decide(NO_MESSAGE), None, asked)
    return Answer(bundle.decide(asked.text, asked.conversation), asked)


def _asked(line: bytes) -> Asked | Wrong:
    try:
        body = parse_json(line.decode("utf-8"))
    except ValueError:
        return Wrong("", MESSAGE, f"{len(line.rstrip())} bytes that are no JSON" if line.strip() else "an empty line")
    if not isinstance(body, dict):
        return Wrong("", MESSAGE, "JSON that is no object")
    if not isinstance(body.get("text"), str):
        return Wrong("text", "a text", "something else" if "text" in body else "no such key")
    turns, name = body.get("conversation"), body.get("request_id")
    turns = [] if turns is None else turns
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        return Wrong("conversation", "a list of texts, the oldest turn first", "something else")
    if name is not None and not (isinstance(name, str) and 0 < len(name) <= MOST_ID):
        return Wrong("request_id", f"1-{MOST_ID} characters", "something else")
    return Asked(body["text"], tuple(turns), name)
