"""A data file to a ``Dataset``, all of it or one error that lists what is wrong. Knows no splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from interlock.core.dataset import Dataset, Example
from interlock.core.errors import InputError, Problem
from interlock.data.alike import alike
from interlock.data.columns import recognised
from interlock.data.conversation import Talk
from interlock.data.formats import raw_rows
from interlock.data.rows import check_text, examples

KEPT_PROBLEMS = 10_000  # a file with more is of another kind: reading stops
MAX_ROWS = 5_000_000  # a row takes about 450 bytes of memory beside its text
MAX_CHARS = 2_000_000_000  # of all texts together


def read(path: str | Path, *, labels: Collection[str] | None = None, turns: int = 0) -> Dataset:
    """Read labelled messages of any known format (``data/formats``).

    Args:
        path: a file, a dataset folder, or the name of a dataset in the cache of the Hugging Face Hub.
        labels: the labels a row may carry; ``None`` accepts any that a person can tell apart.
        turns: how many turns before a message are kept with it; see ``data/conversation``.

    Raises:
        InputError: naming every problem with file:line, field, expected and got. Nothing half-read is returned.
    """
    path = Path(path)
    known = None if labels is None else dict.fromkeys(labels)  # ordered, with fast membership
    good: list[Example] = []
    problems: list[Problem] = []
    chars = 0
    talk = Talk(turns) if turns else None
    for item in examples(recognised(raw_rows(path), path), labels=known, talk=talk):
        if isinstance(item, Problem):
            keep(problems, item, path)
            continue
        good.append(item)
        chars += len(item.text)
        if len(good) > MAX_ROWS or chars > MAX_CHARS:
            raise too_much(path)
    rows = Dataset(tuple(talk.told(good) if talk is not None else good))
    if labels is None:
        problems += confusable(rows, path)
    if problems:
        raise bad_rows(path, problems)
    return rows


def read_texts(path: str | Path) -> list[str]:
    """Read messages that need no label, such as examples of what the router should not know."""
    path = Path(path)
    problems: list[Problem] = []
    texts: list[str] = []
    chars = 0
    for where, row in recognised(raw_rows(path), path, needs=("text",)):
        found = [row] if isinstance(row, Problem) else check_text(row.get("text"), where)
        for problem in found:
            keep(problems, problem, path)
        if not found and not isinstance(row, Problem):
            texts.append(row["text"])
            chars += len(row["text"])
            if len(texts) > MAX_ROWS or chars > MAX_CHARS:
                raise too_much(path)
    if problems:
        raise bad_rows(path, problems)
    return texts


def keep(problems: list[Problem], problem: Problem, path: Path) -> None:
    """Add ``problem``; with ``KEPT_PROBLEMS`` of them, stop reading.

    Raises:
        InputError: there are too many to go on.
    """
    problems.append(problem)
    if len(problems) == KEPT_PROBLEMS:
        raise InputError(
            f"{path} was not read: {KEPT_PROBLEMS} problems, where reading stopped",
            problems,
            todo="The file seems to be of another kind; mend it and run again; nothing was written.",
        )


def bad_rows(path: Path, problems: list[Problem]) -> InputError:
    """Return the error that lists ``problems``."""
    many = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    return InputError(
        f"{path} was not read: {many}", problems, todo="Mend these rows and run again; nothing was written."
    )


def too_much(path: Path) -> InputError:
    """Return the error of a file whose rows would not fit into memory."""
    return InputError(
        f"{path} was not read: more than {MAX_ROWS:,} rows, or {MAX_CHARS:,} characters of text",
        todo="Take a sample: a router gains nothing from more.",
    )


def confusable(rows: Dataset, path: Path) -> Iterator[Problem]:
    """Yield a problem for each pair of labels that a person would take for one."""
    counts: Counter[str] = rows.counts()
    for one, other in alike(counts):
        got = f"{one!r} ({counts[one]} rows) and {other!r} ({counts[other]} rows)"
        yield Problem(str(path), "label", "labels that differ by more than case, spacing or look", ascii_too(got))


def ascii_too(text: str) -> str:
    """Return ``text`` with the code points of what is not ASCII, for what looks the same and is not."""
    return text if text.isascii() else f"{text}, that is {text!a}"
