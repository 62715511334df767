"""AutoIntent's dataset JSON: samples (``utterance``, class numbers) by split, and ``intents`` that name the numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from interlock.core.errors import Problem
from interlock.data.formats.json_stream import elements
from interlock.data.formats.row import Asked, Format, RawRow, Row, label_names, labelled
from interlock.data.write import write_whole

SPLITS = ("train", "train_0", "train_1", "validation", "validation_0", "validation_1", "test")
KEYS = (*SPLITS, "oos", "intents")


def read(path: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield a row a sample, its split in ``split``; a sample out of scope has no label."""
    names, problems = _intents(path)
    yield from ((problem.where, problem) for problem in problems)
    for key, where, value in elements(path):
        if isinstance(value, Problem):
            if key != "intents":
                yield where, value
        elif key not in KEYS:
            yield where, Problem(where, "", f"one of {', '.join(KEYS)}", repr(key)[:80])
        elif key != "intents":
            yield where, _sample(value, key, names, where, asked)


def _intents(path: Path) -> tuple[dict[int, str], list[Problem]]:
    """Return number -> name from a first pass: the file may name its numbers last."""
    names: dict[int, str] = {}
    problems: list[Problem] = []
    for key, where, value in elements(path):
        if key != "intents":
            continue
        number: Any = value.get("id") if isinstance(value, dict) else None
        name = value.get("name") if isinstance(value, dict) else None
        if isinstance(value, Problem):
            problems.append(value)
        elif not _is_number(number) or not (name is None or isinstance(name, str)):
            problems.append(Problem(where, "intents", "an id (whole number) and a name", repr(value)[:80]))
        elif number in names:
            problems.append(Problem(where, "intents", "each id once", f"{number} twice"))
        else:
            names[number] = name or str(number)
    return names, problems


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _sample(sample: Any, split: str, names: dict[int, str], where: str, asked: Asked) -> dict[str, Any] | Problem:
    if not isinstance(sample, dict):
        return Problem(where, split, "an object with utterance and label", repr(sample)[:80])
    asked.skipped.update(f"field {name[:80]!r}" for name in sample if name not in {"utterance", "label"})
    row = {"text": sample.get("utterance"), "split": split}
    label = sample.get("label")
    numbers = label if isinstance(label, list) else [] if label is None else [label]
    if not all(_is_number(number) for number in numbers):
        return Problem(where, "label", "a class number, or a list of them", repr(label)[:80])
    if _is_one_hot(numbers, len(names)):
        numbers = [at for at, set_ in enumerate(numbers) if set_]
    if names and (strange := [number for number in numbers if number not in names]):
        return Problem(where, "label", "a number that intents names", str(strange[0])[:80])
    return row | labelled([names.get(number, str(number)) for number in numbers])


def _is_one_hot(numbers: list[int], classes: int) -> bool:
    """Say whether a list marks classes with 0 and 1: as class numbers it would hold one of them twice."""
    return len(numbers) == classes > 1 and set(numbers) <= {0, 1} and len(set(numbers)) < len(numbers)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write the splits; rows without one are ``train``. All labels are lists as soon as one row has several."""
    kept = list(rows)
    numbers: dict[str, int] = {}
    for row in kept:
        for name in label_names(row):
            numbers.setdefault(name, len(numbers))
    several = any("labels" in row for row in kept)
    splits: dict[str, list[dict[str, Any]]] = {"train": []}
    for row in kept:
        found = [numbers[name] for name in label_names(row)]
        sample = {"utterance": row["text"], "label": found if several else found[0]}
        splits.setdefault(row.get("split", "train"), []).append(sample)
    intents = [{"id": number, "name": name} for name, number in numbers.items()]
    write_whole(path, _text({**splits, "intents": intents}))


def _text(document: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    before = "{\n"
    for key, items in document.items():
        yield f"{before}{json.dumps(key)}: [\n"
        yield ",\n".join(json.dumps(item, ensure_ascii=False) for item in items)
        yield "\n]"
        before = ",\n"
    yield "\n}\n"


def _lost(row: Row) -> list[str]:
    fields = [name for name in row if name not in {"text", "label", "labels", "split"}]
    return fields + (["split"] if row.get("split", "train") not in SPLITS else [])


AUTOINTENT = Format("autointent", (".json",), read, write, _lost)
