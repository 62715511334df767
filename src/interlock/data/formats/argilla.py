"""Argilla's records as JSON: version 2 (``records.to_json``), version 1's feedback and text classification records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from interlock.core.errors import Problem
from interlock.data.formats.json_array import objects, write_array
from interlock.data.formats.label_studio import text_field
from interlock.data.formats.row import EXTRAS, Asked, Format, RawRow, Row, borrowed, label_names
from interlock.data.formats.votes import Answer, decided_by_vote, settled

NOBODY = (None, "", "None")  # how a response without a user is written


def read(path: Path, asked: Asked) -> Iterator[RawRow]:
    """Yield a row a record; suggestions, predictions, drafts and discarded responses are counted as skipped."""
    questions: set[str] = set()
    for where, record in objects(path):
        if isinstance(record, Problem):
            yield where, record
            continue
        answers = list(_answers(record, asked))
        questions |= {question for question, _, _ in answers}
        if len(questions) > 1 and asked.question is None:
            names = ", ".join(sorted(questions))[:200]
            yield where, Problem(where, "responses", "the answers to one question (--question NAME)", names)
            return
        yield where, _row(record, answers, where, asked)


def _row(
    record: dict[str, Any], answers: list[tuple[str, str | None, Any]], where: str, asked: Asked
) -> dict[str, Any] | Problem:
    fields = record.get("fields", record.get("inputs", {"text": record.get("text")}))
    column = text_field(fields) if isinstance(fields, dict) else None
    if column is None:
        return Problem(where, "fields", "text", repr(fields)[:80])
    row = {"text": fields[column], **borrowed(record.get("metadata"), asked, known=("id",))}
    asked.skipped.update(f"field {name[:80]!r}" for name in fields if name != column)
    asked.skipped["suggestion"] += len(record.get("suggestions") or record.get("prediction") or ())
    if (given := record.get("external_id") or record.get("id")) is not None:
        row["id"] = given
    votes: list[Answer] = []
    for question, user, value in answers:
        labels = value if isinstance(value, list) else [value]
        if asked.question not in {None, question}:
            continue
        if not labels or not all(isinstance(label, str) for label in labels):
            return Problem(where, f"responses.{question[:80]}", "a label, or a list of labels", repr(value)[:80])
        votes.append((user, tuple(labels)))
    return row | settled(votes, asked)


def _answers(record: dict[str, Any], asked: Asked) -> Iterator[tuple[str, str | None, Any]]:
    """Yield (question, user, value) from any of the three shapes that responses have."""
    given = record.get("responses")
    if isinstance(given, dict):  # version 2: question -> responses
        for question, responses in given.items():
            for one in responses if isinstance(responses, list) else ():
                if isinstance(one, dict) and _is_submitted(one, asked):
                    yield question, _user(one.get("user_id")), one.get("value")
    elif isinstance(given, list):  # version 1, feedback: a response a user
        for one in given:
            values = one.get("values") if isinstance(one, dict) and _is_submitted(one, asked) else None
            for question, value in values.items() if isinstance(values, dict) else ():
                found = value.get("value") if isinstance(value, dict) else value
                yield question, _user(one.get("user_id")), found
    elif record.get("annotation") is not None:  # version 1, text classification
        yield "annotation", _user(record.get("annotation_agent")), record["annotation"]


def _is_submitted(response: dict[str, Any], asked: Asked) -> bool:
    status = response.get("status", "submitted")
    if status != "submitted":
        asked.skipped[f"{str(status)[:40]} response"] += 1
    return bool(status == "submitted")


def _user(given: Any) -> str | None:
    return None if given in NOBODY else str(given)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write records of version 2 with one question, ``label``."""
    write_array((_record(row) for row in rows), path)


def _record(row: Row) -> dict[str, Any]:
    names = label_names(row)
    value = names if len(names) > 1 else names[0]
    votes = row.get("annotations", {None: value})
    return {
        "id": row.get("id"),
        "fields": {"text": row["text"]},
        "metadata": {name: row[name] for name in EXTRAS if name in row},
        "suggestions": {},
        "responses": {"label": [{"value": given, "user_id": user} for user, given in votes.items()]},
        "vectors": {},
    }


def _lost(row: Row) -> list[str]:
    fits = "annotations" not in row or (decided_by_vote(row) and not set(row["annotations"]) & set(NOBODY))
    return [] if fits else ["annotations"]


ARGILLA = Format("argilla", (".json",), read, write, _lost)
