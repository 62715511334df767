"""Label Studio's JSON export: tasks with ``data`` and the ``choices`` of their annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from interlock.core.errors import Problem
from interlock.data.formats.json_array import objects, write_array
from interlock.data.formats.row import EXTRAS, Asked, Format, RawRow, Row, borrowed, label_names, labelled, nothing
from interlock.data.formats.votes import Answer, decided_by_vote, settled


def read(path: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield a row a task. Cancelled annotations and predictions are counted as skipped, a ground truth decides."""
    asked_of: set[str] = set()
    for where, task in objects(path):
        if isinstance(task, Problem):
            yield where, task
            continue
        asked_of |= {name for one in _annotations(task) for name, _ in _choices(one)}
        if len(asked_of) > 1 and asked.question is None:
            names = ", ".join(sorted(asked_of))[:200]
            yield where, Problem(where, "annotations", "the choices of one control (--question NAME)", names)
            return
        yield where, _row(task, where, asked)


def _annotations(task: dict[str, Any]) -> list[dict[str, Any]]:
    found = task.get("annotations")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _choices(annotation: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield (control, labels chosen) for each result that is a choice."""
    results = annotation.get("result")
    for result in results if isinstance(results, list) else ():
        if isinstance(result, dict) and result.get("type") == "choices" and isinstance(result.get("value"), dict):
            chosen = result["value"].get("choices")
            if isinstance(chosen, list) and chosen and all(isinstance(one, str) for one in chosen):
                yield str(result.get("from_name", "")), chosen


def _row(task: dict[str, Any], where: str, asked: Asked) -> dict[str, Any] | Problem:
    data = task.get("data")
    if not isinstance(data, dict):
        return Problem(where, "data", "an object with text", repr(data)[:80])
    column = text_field(data)
    if column is None:
        return Problem(where, "data", "text", f"the fields {', '.join(data)}"[:160])
    row = {"text": data[column], **borrowed(data, asked, known=("id", column))}
    if (given := data.get("id", task.get("id"))) is not None:
        row["id"] = given
    asked.skipped.update(["prediction"] * len(task.get("predictions") or ()))
    answers: list[Answer] = []
    for one in _annotations(task):
        labels = [label for name, chosen in _choices(one) if asked.question in {None, name} for label in chosen]
        if one.get("was_cancelled") is True:
            asked.skipped["cancelled annotation"] += 1
        elif not labels:
            asked.skipped["annotation without a choice"] += 1
        elif one.get("ground_truth") is True:
            row |= labelled(labels)
        else:
            answers.append((_annotator(one.get("completed_by")), tuple(labels)))
    return {**settled(answers, asked), **row}


def text_field(data: dict[str, Any]) -> str | None:
    """Return the name of the field with the message: ``text``, or the only text that is no other field of a row."""
    if "text" in data:
        return "text"
    texts = [name for name, value in data.items() if isinstance(value, str) and name not in {"id", *EXTRAS}]
    return texts[0] if len(texts) == 1 else None


def _annotator(given: Any) -> str | None:
    if isinstance(given, dict):
        given = given.get("id", given.get("email"))
    return None if given is None or isinstance(given, bool) or not str(given).strip() else str(given)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write a task a row, ready for import; an annotation an annotator, and a ground truth where it settles a vote."""
    write_array((_task(row) for row in rows), path)


def _task(row: Row) -> dict[str, Any]:
    data = {name: row[name] for name in ("id", "text", *EXTRAS) if name in row}
    votes = row.get("annotations", {})
    annotations = [_annotation([label]) | {"completed_by": _who(name)} for name, label in votes.items()]
    if not decided_by_vote(row):
        annotations.append(_annotation(label_names(row)) | ({"ground_truth": True} if votes else {}))
    return {"data": data, "annotations": annotations}


def _annotation(labels: list[str]) -> dict[str, Any]:
    result = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": labels}}
    return {"result": [result], "was_cancelled": False}


def _who(name: str) -> int | dict[str, str]:
    return int(name) if name.isascii() and name.isdigit() and str(int(name)) == name else {"email": name}


LABEL_STUDIO = Format("labelstudio", (".json",), read, write, nothing)
