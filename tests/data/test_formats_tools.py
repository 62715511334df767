"""Exports of other tools, written by hand after their documentation: labels, votes, and a count of what is no row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interlock.core.errors import InputError
from interlock.data.convert import Converted, convert
from interlock.data.formats import raw_rows
from interlock.data.read import read, read_texts

RASA = """\
version: "3.1"

nlu:
- intent: greet
  examples: |
    - hey
    - good morning [Berlin](city)

    - meet [LA]{"entity": "city", "role": "to"} or [two][{"entity": "n"}, {"entity": "m"}]
- intent: faq/ask_name
  metadata:
    slice: small talk
  examples:
  - text: |
      what is your name
    metadata:
      group: g1
      sentiment: neutral
  - text: "a: \\u3042 no"
- intent: no
  examples: |
    - never
- synonym: credit
  examples: |
    - credit card account
- regex: account_number
  examples: |
    - \\d{10,12}
- lookup: banks
  examples: |
    - JPMC
responses:
  utter_x:
  - text: hi
"""


def taken(tmp_path: Path, given: Any, *, name: str = "export.json", **options: Any) -> tuple[list[Any], Converted]:
    """Return the rows of an export, and what the conversion said."""
    path = tmp_path / name
    path.write_text(given if isinstance(given, str) else json.dumps(given), encoding="utf-8")
    made = convert(path, tmp_path / "out.jsonl", **options)
    return [json.loads(line) for line in made.out.read_text(encoding="utf-8").split("\n")[:-1]], made


def test_rasa_examples_are_rows_and_everything_else_is_counted(tmp_path: Path) -> None:
    rows, made = taken(tmp_path, RASA, name="nlu.yml")

    assert rows == [
        {"text": "hey", "label": "greet"},
        {"text": "good morning Berlin", "label": "greet"},
        {"text": "meet LA or two", "label": "greet"},
        {"text": "what is your name", "label": "faq/ask_name", "group": "g1", "slice": "small talk"},
        {"text": "a: あ no", "label": "faq/ask_name", "slice": "small talk"},
        {"text": "never", "label": "no"},
    ]
    assert made.skipped == {
        "field 'sentiment'": 1,
        "lookup": 1,
        "regex": 1,
        "section 'responses'": 1,
        "synonym": 1,
    }


def test_rasa_rows_are_placed_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "nlu.yaml"
    path.write_text(RASA, encoding="utf-8")

    assert [int(where.rpartition(":")[2]) for where, _ in raw_rows(path)] == [6, 7, 9, 14, 19, 22]


BAD_RASA = {
    "no examples": ("nlu:\n- intent: a\n", 2, "examples of 'a'"),
    "an example without a dash": ("nlu:\n- intent: a\n  examples: |\n    - x\n    y\n", 5, "begins with '-'"),
    "an example without text": ("nlu:\n- intent: a\n  examples:\n  - metadata: x\n", 2, "an example with text"),
    "an item of an unknown kind": ("nlu:\n- story: a\n", 2, "an item with intent"),
    "a list of texts": ("nlu:\n- plain\n", 2, "an item with intent"),
    "no section nlu": ("stories:\n- a\n", None, "a list of intents"),
    "an alias": ("nlu: &x\n- intent: a\n  examples: *x\n", 3, "no aliases"),
    "a key twice": ("nlu: []\nnlu: []\n", 2, "each key once"),
    "no YAML": ("nlu: [\n", 2, "valid YAML"),
    "two documents": ("nlu: []\n---\nnlu: []\n", 2, "one document"),
}


@pytest.mark.parametrize(("text", "line", "expected"), BAD_RASA.values(), ids=BAD_RASA)
def test_what_is_wrong_in_a_rasa_file_is_placed(text: str, line: int | None, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError) as caught:
        read(path)

    (problem,) = caught.value.problems
    assert problem.where == (f"{path}:{line}" if line else str(path))
    assert expected in problem.expected


AUTOINTENT = {
    "train": [{"utterance": "hello", "label": 0}, {"utterance": "bye", "label": 1}],
    "test": [{"utterance": "hi", "label": 0}, {"utterance": "weather?"}],
    "intents": [{"id": 0, "name": "greet", "tags": [], "description": None}, {"id": 1, "name": None}],
}


def test_autointent_numbers_become_names_and_splits_stay(tmp_path: Path) -> None:
    rows, made = taken(tmp_path, AUTOINTENT, lossy=True)

    assert rows == [
        {"text": "hello", "label": "greet", "split": "train"},
        {"text": "bye", "label": "1", "split": "train"},
        {"text": "hi", "label": "greet", "split": "test"},
    ]
    assert made.skipped == {"row without a label": 1}
    assert read_texts(tmp_path / "export.json") == ["hello", "bye", "hi", "weather?"]
    with pytest.raises(InputError, match="expected a label, got nothing"):
        read(tmp_path / "export.json")


@pytest.mark.parametrize(
    ("label", "names"),
    [([0, 2], ["a", "c"]), ([1, 0, 1], ["a", "c"]), ([1, 1, 1], ["a", "b", "c"]), ([2], ["c"])],
)
def test_autointent_lists_are_numbers_or_marks(label: list[int], names: list[str], tmp_path: Path) -> None:
    intents = [{"id": i, "name": name} for i, name in enumerate("abc")]
    (row,), _ = taken(tmp_path, {"intents": intents, "train": [{"utterance": "x", "label": label}]})

    assert row.get("labels", [row.get("label")]) == names


@pytest.mark.parametrize(
    ("document", "got"),
    [
        ({"train": [{"utterance": "x", "label": 5}], "intents": [{"id": 0, "name": "a"}]}, "5"),
        ({"train": [{"utterance": "x", "label": "a"}]}, "'a'"),
        ({"train": [{"utterance": "x", "label": 0}], "intents": [{"id": 0, "name": "a"}] * 2}, "0 twice"),
        ({"train": [{"label": 0}]}, "nothing"),
        ({"train": ["x"]}, "'x'"),
        ({"train": [{"utterance": "x", "label": 0}], "more": []}, None),
        ({"train": [{"utterance": "x", "label": 0}], "more": [1]}, "'more'"),
    ],
)
def test_what_is_wrong_in_an_autointent_file_is_named(document: Any, got: str | None, tmp_path: Path) -> None:
    if got is None:
        assert len(taken(tmp_path, document)[0]) == 1
        return
    with pytest.raises(InputError) as caught:
        taken(tmp_path, document)
    assert got in caught.value.problems[0].got


def choice(*labels: str, control: str = "intent") -> dict[str, Any]:
    return {"id": "r", "from_name": control, "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}


def task(text: str, *annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": len(text), "data": {"text": text}, "annotations": list(annotations), "predictions": [], **more}


def by(who: Any, *labels: str, **more: Any) -> dict[str, Any]:
    return {"id": 9, "completed_by": who, "result": [choice(*labels)], "was_cancelled": False, **more}


def test_label_studio_votes_become_annotations_and_the_majority_the_label(tmp_path: Path) -> None:
    tasks = [
        task("one person", by(3, "order")),
        task("three people!", by(3, "order"), by({"id": 4, "email": "x@y"}, "other"), by(5, "order")),
        task("a cancelled one", by(3, "order", was_cancelled=True), by(4, "other")),
        task("truth wins here, too", by(3, "a"), by(4, "a"), by(5, "b", ground_truth=True)),
        task("several of them at once", by(3, "a", "b")),
        {"id": 90, "data": {"message": "other field", "group": "g", "url": 1}, "annotations": [by(None, "a")]},
        task("predicted before it came", by(3, "order"), predictions=[{"result": [choice("x")]}]),
    ]
    rows, made = taken(tmp_path, tasks)

    assert rows == [
        {"id": "10", "text": "one person", "label": "order", "annotations": {"3": "order"}},
        {
            "id": "13",
            "text": "three people!",
            "label": "order",
            "annotations": {"3": "order", "4": "other", "5": "order"},
        },
        {"id": "15", "text": "a cancelled one", "label": "other", "annotations": {"4": "other"}},
        {"id": "20", "text": "truth wins here, too", "label": "b", "annotations": {"3": "a", "4": "a"}},
        {"id": "23", "text": "several of them at once", "labels": ["a", "b"]},
        {"id": "90", "text": "other field", "label": "a", "group": "g"},
        {"id": "24", "text": "predicted before it came", "label": "order", "annotations": {"3": "order"}},
    ]
    assert made.skipped == {"cancelled annotation": 1, "field 'url'": 1, "prediction": 1}


def test_a_tie_or_no_answer_is_an_error_or_counted_and_listed(tmp_path: Path) -> None:
    tasks = [
        task("fine", by(3, "a")),
        task("tied", by(3, "a"), by(4, "b")),
        task("skipped", by(3, "a", was_cancelled=True)),
        task("tied lists", by(3, "a", "b"), by(4, "a", "c")),
        task("empty", {"completed_by": 3, "result": []}),
    ]
    rows, made = taken(tmp_path, tasks, lossy=True)

    assert [row["text"] for row in rows] == ["fine"]
    assert made.skipped == {
        "annotation without a choice": 1,
        "annotator of a row with several labels, or without a name": 2,
        "cancelled annotation": 1,
        "row without a label": 3,
        "row, for a tie of its annotators": 1,
        "tie between lists of labels": 1,
    }
    assert len(made.listed) == 4
    with pytest.raises(InputError, match="4 problems") as caught:
        read(tmp_path / "export.json")
    assert "'a' 1 times and 'b' 1 times" in caught.value.problems[0].got


def test_several_questions_need_a_choice(tmp_path: Path) -> None:
    mood = {"completed_by": 1, "result": [choice("order"), choice("happy", control="mood")]}

    with pytest.raises(InputError, match=r"--question NAME\), got intent, mood"):
        taken(tmp_path, [task("x", mood)])
    assert taken(tmp_path, [task("x", mood)], question="mood")[0][0]["label"] == "happy"


def record(text: str, responses: Any, **more: Any) -> dict[str, Any]:
    return {"id": text, "fields": {"text": text}, "metadata": {}, "suggestions": {}, "responses": responses, **more}


def said(*answers: tuple[str | None, Any]) -> list[dict[str, Any]]:
    return [{"value": value, "user_id": user} for user, value in answers]


def test_argilla_responses_become_annotations_and_the_majority_the_label(tmp_path: Path) -> None:
    records = [
        record("two", {"label": said(("u1", "a"), ("u2", "a"))}, metadata={"group": "g", "model": "m"}),
        record("three", {"label": said(("u1", "a"), ("u2", "b"), ("u3", "b"))}),
        record("nobody", {"label": said(("None", "a"))}, suggestions={"label": {"value": "b", "score": 0.5}}),
        record("many", {"label": said(("u1", ["a", "b"]))}),
        record(
            "draft",
            {"label": [{"value": "a", "user_id": "u1", "status": "draft"}, {"value": "b", "user_id": "u2"}]},
        ),
    ]
    rows, made = taken(tmp_path, records)

    assert rows == [
        {"id": "two", "text": "two", "label": "a", "group": "g", "annotations": {"u1": "a", "u2": "a"}},
        {"id": "three", "text": "three", "label": "b", "annotations": {"u1": "a", "u2": "b", "u3": "b"}},
        {"id": "nobody", "text": "nobody", "label": "a"},
        {"id": "many", "text": "many", "labels": ["a", "b"]},
        {"id": "draft", "text": "draft", "label": "b", "annotations": {"u2": "b"}},
    ]
    assert made.skipped == {"draft response": 1, "field 'model'": 1, "suggestion": 1}


def test_argilla_version_one_is_understood(tmp_path: Path) -> None:
    feedback = [
        record(
            "x",
            [
                {"user_id": "u1", "status": "submitted", "values": {"label": {"value": "a"}}},
                {"user_id": "u2", "status": "discarded", "values": {"label": {"value": "b"}}},
            ],
            external_id="e1",
        )
    ]
    assert taken(tmp_path, feedback)[0] == [{"id": "e1", "text": "x", "label": "a", "annotations": {"u1": "a"}}]
    old = [
        {"text": "y", "inputs": {"text": "y"}, "annotation": "b", "annotation_agent": "me", "prediction": [["a", 1]]}
    ]
    assert taken(tmp_path, old)[0] == [{"text": "y", "label": "b", "annotations": {"me": "b"}}]


def test_argilla_rating_is_no_label(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"responses\.stars: expected a label, or a list of labels, got 4"):
        taken(tmp_path, [record("x", {"stars": said(("u", 4))})])


def test_argilla_with_several_questions_needs_a_choice(tmp_path: Path) -> None:
    records = [record("x", {"label": said(("u", "a")), "why": said(("u", "because"))})]

    with pytest.raises(InputError, match=r"--question NAME\), got label, why"):
        taken(tmp_path, records)
    assert taken(tmp_path, records, question="label")[0][0]["label"] == "a"
