"""Raw rows to examples: every field checked, every problem named. Knows no file formats."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from interlock.core.canonical import parse_json
from interlock.core.dataset import Example
from interlock.core.errors import LISTED_PROBLEMS, Problem, did_you_mean
from interlock.data.conversation import Talk
from interlock.data.formats import RawRow
from interlock.data.moments import ACCEPTED, moment
from interlock.predict.normalise import is_blank

OPTIONAL_TEXT = ("group", "slice", "lang")


def examples(
    rows: Iterable[RawRow], *, labels: Collection[str] | None, talk: Talk | None = None
) -> Iterator[Example | Problem]:
    """Yield an example for every good row and a problem for everything wrong with a bad one.

    Args:
        rows: raw rows with their place.
        labels: the labels a row may carry; ``None`` accepts any.
        talk: notes which conversation a row belongs to; without it conversations are not looked at.
    """
    known = None if labels is None else _Known(dict.fromkeys(labels))
    seen: dict[str, str] = {}
    copies: Counter[str] = Counter()
    for where, row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        made = _example(row, where, known)
        if isinstance(made, Example):
            made = _unique(made, where, seen, copies if "id" not in row else None)
        if isinstance(made, Example) and talk is not None:
            made = talk.heard(made, row.get("conversation"), where)
        yield from made if isinstance(made, list) else [made]


class _Known(dict[str, None]):
    """The labels a row may carry, in order, and what an unknown one may have been meant to be."""

    def __init__(self, labels: dict[str, None]) -> None:
        super().__init__(labels)
        self._hints: dict[str, str] = {}

    def hint(self, name: str) -> str:
        """Return the nearest label; nothing for names beyond those that an error lists, as looking takes long."""
        if name not in self._hints and len(self._hints) < LISTED_PROBLEMS:
            self._hints[name] = did_you_mean(name, list(self))
        return self._hints.get(name, "")


def _unique(example: Example, where: str, seen: dict[str, str], copies: Counter[str] | None) -> Example | list[Problem]:
    if copies is not None:  # the same text and label twice, without ids, are two rows
        base = example.id
        while example.id in seen:
            copies[base] += 1
            example = replace(example, id=f"{base}-{copies[base] + 1}")
    elif example.id in seen:
        return [Problem(where, "id", f"an id not used before (it is at {seen[example.id]})", repr(example.id))]
    seen[example.id] = where
    return example


def _example(row: dict[str, Any], where: str, labels: _Known | None) -> Example | list[Problem]:
    problems: list[Problem] = []
    text = _text(row, where, problems)
    given = _annotations(row, where, labels, problems)
    by_vote = given is not None and "labels" not in row and row.get("label") is None
    names = _majority(given or (), where, problems) if by_vote else _labels(row, where, labels, problems)
    fields: dict[str, Any] = {name: _optional(row, name, where, problems) for name in OPTIONAL_TEXT}
    timestamp = _timestamp(row.get("timestamp"), where, problems)
    source = row.get("source", "production")
    if source not in {"production", "synthetic"}:
        problems.append(Problem(where, "source", "production or synthetic", repr(source)[:80]))
    weight = row.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        problems.append(Problem(where, "weight", "a positive number", repr(weight)[:80]))
    id_ = row.get("id")
    if id_ is not None and (isinstance(id_, bool) or not isinstance(id_, str | int) or not str(id_).strip()):
        problems.append(Problem(where, "id", "text or a whole number", repr(id_)[:80]))
    if problems or text is None:
        return problems
    return Example(
        id=str(id_) if id_ is not None else _content_id(text, names),
        text=text,
        labels=names,
        source=source,
        weight=float(weight),
        annotations=given or (),
        timestamp=timestamp,
        **fields,
    )


def check_text(value: Any, where: str) -> list[Problem]:
    """Return what is wrong with a message text: not text, nothing visible, NUL, or half a character."""
    if not isinstance(value, str):
        return [Problem(where, "text", "text", "nothing" if value is None else repr(value)[:80])]
    if "\0" in value:
        return [Problem(where, "text", "text without NUL characters", "a NUL character")]
    if any("\ud800" <= char <= "\udfff" for char in value):
        return [Problem(where, "text", "whole characters", "a lone surrogate (half a character)")]
    if is_blank(value):
        return [Problem(where, "text", "something visible", ascii(value)[:80])]
    return []


def _text(row: dict[str, Any], where: str, problems: list[Problem]) -> str | None:
    problems += (found := check_text(row.get("text"), where))
    return None if found else row["text"]


def _labels(row: dict[str, Any], where: str, known: _Known | None, problems: list[Problem]) -> tuple[str, ...]:
    if "labels" in row:
        value, field = row["labels"], "labels"
    else:
        value, field = [row["label"]] if row.get("label") is not None else None, "label"
    if not isinstance(value, list) or not value:
        problems.append(Problem(where, field, "a label", "nothing" if not value else repr(value)[:80]))
        return ()
    for name in value:
        _check_label(name, where, field, known, problems)
    if len(set(map(repr, value))) != len(value):
        problems.append(Problem(where, field, "each label once", repr(value)[:80]))
    return tuple(value)


def _check_label(name: Any, where: str, field: str, known: _Known | None, problems: list[Problem]) -> None:
    if not isinstance(name, str) or not name:
        problems.append(Problem(where, field, "a label's name", repr(name)[:80]))
    elif known is not None and name not in known:
        expected = f"a label of the contract{known.hint(name)}"
        problems.append(Problem(where, field, expected, repr(name)[:80]))


def _annotations(
    row: dict[str, Any], where: str, known: _Known | None, problems: list[Problem]
) -> tuple[tuple[str, str], ...] | None:
    """Return (annotator, label) pairs by annotator: ``None`` without the field, nothing where the field is bad.

    A null stands for someone who did not label this row, as columns of one file have the same annotators in every row.
    """
    value = row.get("annotations")
    if value is None:
        return None
    if isinstance(value, str):  # a cell of CSV
        value = _object(value)
    if not isinstance(value, dict) or not any(label is not None for label in value.values()):
        problems.append(Problem(where, "annotations", "an object, annotator to label", repr(row["annotations"])[:80]))
        return ()
    if any(not isinstance(name, str) or not name.strip() for name in value):
        problems.append(Problem(where, "annotations", "an annotator's name", repr(list(value))[:80]))
        return ()
    before = len(problems)
    pairs = sorted((annotator, label) for annotator, label in value.items() if label is not None)
    for annotator, label in pairs:
        _check_label(label, where, f"annotations.{annotator[:40]}", known, problems)
    return tuple(pairs) if len(problems) == before else ()


def _object(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _majority(given: tuple[tuple[str, str], ...], where: str, problems: list[Problem]) -> tuple[str, ...]:
    """Return the label most annotators gave; nothing where their labels were bad, which is a problem already."""
    most = Counter(label for _, label in given).most_common(2)
    if len(most) > 1 and most[0][1] == most[1][1]:
        tie = " and ".join(f"{label!r} {count} times" for label, count in most)
        problems.append(Problem(where, "label", "a label, as the annotators are tied", tie[:160]))
    return tuple(label for label, _ in most[:1])


def _optional(row: dict[str, Any], name: str, where: str, problems: list[Problem]) -> str | None:
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and name in {"group", "slice"}:
        value = str(value)
    if value is not None and (not isinstance(value, str) or not value):
        problems.append(Problem(where, name, "text", repr(value)[:80]))
        return None
    return value


def _timestamp(value: Any, where: str, problems: list[Problem]) -> str | None:
    found = None if value is None else moment(value)
    if found is None and value is not None:
        problems.append(Problem(where, "timestamp", ACCEPTED, repr(value)[:80]))
    return found


def _content_id(text: str, labels: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join((text, *labels)).encode()).hexdigest()[:16]
