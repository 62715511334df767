"""Raw rows to examples: every field checked, every problem named. Knows no file formats."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from interlock.core.dataset import Example
from interlock.core.errors import Problem, did_you_mean
from interlock.data.formats import RawRow
from interlock.predict.normalise import is_blank

OPTIONAL_TEXT = ("group", "timestamp", "slice", "lang")


def examples(rows: Iterable[RawRow], *, labels: Collection[str] | None) -> Iterator[Example | Problem]:
    """Yield an example for every good row and a problem for everything wrong with a bad one.

    Args:
        rows: raw rows with their place.
        labels: the labels a row may carry; ``None`` accepts any.
    """
    seen: dict[str, str] = {}
    for where, row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        made = _example(row, where, labels)
        if isinstance(made, Example):
            made = _unique(made, where, seen, derived="id" not in row)
        yield from made if isinstance(made, list) else [made]


def _unique(example: Example, where: str, seen: dict[str, str], *, derived: bool) -> Example | list[Problem]:
    if derived:  # the same text and label twice, without ids, are two rows
        base, copy = example.id, 2
        while example.id in seen:
            example = _with_id(example, f"{base}-{copy}")
            copy += 1
    elif example.id in seen:
        return [Problem(where, "id", f"an id not used before (it is at {seen[example.id]})", repr(example.id))]
    seen[example.id] = where
    return example


def _with_id(example: Example, new: str) -> Example:
    return Example(
        id=new,
        text=example.text,
        labels=example.labels,
        group=example.group,
        timestamp=example.timestamp,
        slice=example.slice,
        lang=example.lang,
        source=example.source,
        weight=example.weight,
    )


def _example(row: dict[str, Any], where: str, labels: Collection[str] | None) -> Example | list[Problem]:
    problems: list[Problem] = []
    text = _text(row, where, problems)
    names = _labels(row, where, labels, problems)
    fields = {name: _optional(row, name, where, problems) for name in OPTIONAL_TEXT}
    _check_timestamp(fields["timestamp"], where, problems)
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


def _labels(row: dict[str, Any], where: str, known: Collection[str] | None, problems: list[Problem]) -> tuple[str, ...]:
    if "labels" in row:
        value, field = row["labels"], "labels"
    else:
        value, field = [row["label"]] if row.get("label") is not None else None, "label"
    if not isinstance(value, list) or not value:
        problems.append(Problem(where, field, "a label", "nothing" if not value else repr(value)[:80]))
        return ()
    for name in value:
        if not isinstance(name, str) or not name:
            problems.append(Problem(where, field, "a label's name", repr(name)[:80]))
        elif known is not None and name not in known:
            problems.append(
                Problem(where, field, f"a label of the contract{did_you_mean(name, list(known))}", repr(name)[:80])
            )
    if len(set(map(repr, value))) != len(value):
        problems.append(Problem(where, field, "each label once", repr(value)[:80]))
    return tuple(value)


def _optional(row: dict[str, Any], name: str, where: str, problems: list[Problem]) -> str | None:
    value = row.get(name)
    if isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and name in {"group", "slice"}:
        value = str(value)
    if value is not None and (not isinstance(value, str) or not value):
        problems.append(Problem(where, name, "text", repr(value)[:80]))
        return None
    return value


def _check_timestamp(value: str | None, where: str, problems: list[Problem]) -> None:
    if value is None:
        return
    try:
        datetime.fromisoformat(value)
    except ValueError:
        problems.append(Problem(where, "timestamp", "ISO 8601, like 2026-04-21T14:03:22Z", repr(value)[:80]))


def _content_id(text: str, labels: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join((text, *labels)).encode()).hexdigest()[:16]
