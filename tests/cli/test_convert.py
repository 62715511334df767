"""``interlock convert`` from the command line: what it prints, its exit codes, and that nothing is half written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"id": "1", "text": "hi", "label": "greet", "group": "g", "mood": 1}\n'
        '{"id": "2", "text": "both", "labels": ["a", "b"]}\n',
        encoding="utf-8",
    )
    return path


def test_it_says_what_it_wrote_and_what_it_left_out(rows: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "out.csv"
    code, said, _ = command("convert", rows, "-o", out)

    assert code == 0
    assert said.splitlines() == [f"2 rows written to {out} (csv)", "  not carried: field 'mood' (1)"]
    assert out.read_text(encoding="utf-8").startswith("id,text,label,labels,group")


def test_json_is_one_object(rows: Path, tmp_path: Path, command: Command) -> None:
    code, said, _ = command("convert", rows, "-o", tmp_path / "out.yml", "--lossy", "--json")

    assert code == 0
    assert json.loads(said) == {
        "rows": 1,
        "format": "rasa",
        "skipped": {"field 'mood'": 1, "row, for its labels": 1},
        "listed": [f"{rows}:2: row, for its labels"],
        "out": str(tmp_path / "out.yml"),
    }


def test_what_cannot_be_carried_is_named_and_nothing_is_written(rows: Path, tmp_path: Path, command: Command) -> None:
    code, said, error = command("convert", rows, "-o", tmp_path / "out.json", "--to", "autointent")

    assert (code, said) == (2, "")
    assert f"{rows}:1: id: expected what autointent can hold (--lossy goes on without it), got '1'" in error
    assert f"{rows}:1: group: expected" in error
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "out.doc"], "is of no known kind"),
        (["-o", "out.json", "--to", "rassa"], "did you mean 'rasa'"),
        (["-o", "out.csv", "--format", "parquet"], "cannot be read"),
        ([], "--out"),
    ],
)
def test_wrong_usage_is_said(arguments: list[str], said: str, rows: Path, command: Command) -> None:
    code, _, error = command("convert", rows, *arguments)

    assert code == 2
    assert said in error


def test_rows_of_which_none_fits_are_an_error(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "both", "labels": ["a", "b"]}\n', encoding="utf-8")
    code, _, error = command("convert", path, "-o", tmp_path / "out.yml", "--lossy")

    assert code == 2
    assert "no row of" in error
    assert not (tmp_path / "out.yml").exists()


def test_a_folder_that_is_not_empty_is_left_alone(rows: Path, tmp_path: Path, command: Command) -> None:
    code, _, error = command("convert", rows, "-o", tmp_path, "--to", "huggingface")

    assert code == 2
    assert "is not an empty directory" in error
    assert [one.name for one in tmp_path.iterdir()] == ["rows.jsonl"]


def test_the_question_and_the_format_are_passed_on(tmp_path: Path, command: Command) -> None:
    responses = {"kind": [{"value": "a", "user_id": "u"}], "mood": [{"value": "b", "user_id": "u"}]}
    path = tmp_path / "records.json"
    path.write_text(json.dumps([{"fields": {"text": "x"}, "responses": responses}]), encoding="utf-8")
    arguments = (path, "-o", tmp_path / "out.jsonl", "--format", "argilla")

    assert "--question NAME" in command("convert", *arguments)[2]
    assert command("convert", *arguments, "--question", "mood")[0] == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["label"] == "b"
