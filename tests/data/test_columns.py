"""Fields under other names: noticed and told in one line, and given the names that are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.errors import InputError
from interlock.data.columns import parse_columns
from interlock.data.convert import convert
from interlock.data.formats.row import FIELDS
from interlock.data.read import read, read_texts

PLAIN = [{"text": f"message {number}", "label": "ab"[number % 2]} for number in range(250)]


def written(path: Path, names: dict[str, str]) -> Path:
    """Write ``PLAIN`` with fields of other names."""
    rows = [{names.get(name, name): value for name, value in row.items()} for row in PLAIN]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_file_with_other_names_is_one_problem_and_says_what_to_run(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", {"text": "utterance", "label": "intent"})
    with pytest.raises(InputError) as refused:
        read(path)

    said = str(refused.value)
    assert "has no field text and no field label; its other fields are 'intent', 'utterance'" in said
    assert f"interlock convert {path} -o rows.jsonl --column text=FIELD --column label=FIELD" in said
    assert len(said.splitlines()) == 2


def test_texts_need_no_label(tmp_path: Path) -> None:
    assert len(read_texts(written(tmp_path / "rows.jsonl", {"label": "intent"}))) == len(PLAIN)
    with pytest.raises(InputError, match="no field text; its other fields are 'utterance'"):
        read_texts(written(tmp_path / "rows.jsonl", {"text": "utterance"}))


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.json", "rows.parquet"])
def test_renamed_rows_are_the_rows(tmp_path: Path, name: str) -> None:
    source = written(tmp_path / "source.jsonl", {"text": "utterance", "label": "intent"})
    convert(source, tmp_path / name, columns={"text": "utterance", "label": "intent"})

    assert [(one.text, one.label) for one in read(tmp_path / name).examples] == [
        (row["text"], row["label"]) for row in PLAIN
    ]


def test_fields_can_change_places(tmp_path: Path) -> None:
    source = written(tmp_path / "source.jsonl", {"text": "label", "label": "text"})
    convert(source, tmp_path / "rows.jsonl", columns={"text": "label", "label": "text"})

    assert read(tmp_path / "rows.jsonl").texts == [row["text"] for row in PLAIN]


def test_a_row_that_says_a_field_twice_is_named(tmp_path: Path) -> None:
    source = tmp_path / "source.jsonl"
    source.write_text('{"utterance": "hi", "label": "a"}\n{"utterance": "hi", "text": "ho", "label": "a"}\n')
    with pytest.raises(InputError, match=r"source\.jsonl:2: text: expected one field that says it"):
        convert(source, tmp_path / "rows.jsonl", columns={"text": "utterance"})
    assert not (tmp_path / "rows.jsonl").exists()


def test_a_column_that_no_row_has_is_told_with_those_there_are(tmp_path: Path) -> None:
    source = written(tmp_path / "source.jsonl", {"text": "utterance"})
    with pytest.raises(InputError, match=r"no field utterrance\nIts fields are 'label', 'utterance'"):
        convert(source, tmp_path / "rows.jsonl", columns={"text": "utterrance"})


@pytest.mark.parametrize("given", ["text", "text=", "=x", "txt=x"])
def test_what_names_no_field_and_column_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="--column does not read"):
        parse_columns([given])


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(min_size=1, max_size=5), max_size=4))
def test_columns_read_back_unless_one_stands_twice(columns: dict[str, str]) -> None:
    given = [f"{name}={column}" for name, column in columns.items()]
    if len(set(columns.values())) == len(columns):
        assert parse_columns(given) == columns
    else:
        with pytest.raises(InputError, match="once"):
            parse_columns(given)
