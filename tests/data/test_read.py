"""Files to datasets: all of it, or one error that lists what is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from interlock.core.dataset import Dataset
from interlock.core.errors import InputError
from interlock.data.read import read, read_texts
from interlock.data.write import write_rows

ROWS = [
    {"id": "1", "text": "where is my order", "label": "order", "group": "a", "timestamp": "2026-01-02T03:04:05Z"},
    {"id": "2", "text": "もう一度お願いします", "label": "other", "lang": "ja"},
    {"id": "3", "text": 'a "quoted", line\nbroken', "label": "order", "source": "synthetic"},
]


def as_jsonl(path: Path) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return path


def as_gzip(path: Path) -> Path:
    path.write_bytes(gzip.compress(as_jsonl(path.with_name("x.jsonl")).read_bytes()))
    return path


def as_crlf_with_bom(path: Path) -> Path:
    path.write_bytes(b"\xef\xbb\xbf" + as_jsonl(path.with_name("x.jsonl")).read_bytes().replace(b"\n", b"\r\n"))
    return path


def as_csv(path: Path) -> Path:
    pl.DataFrame(ROWS, infer_schema_length=None).write_csv(path)
    return path


def as_parquet(path: Path) -> Path:
    pl.DataFrame(ROWS, infer_schema_length=None).write_parquet(path)
    return path


def as_dataset_folder(path: Path) -> Path:
    """Write what datasets.save_to_disk writes: Arrow streams, and labels as class numbers."""
    names = ["order", "other"]
    rows = [{**row, "label": names.index(row["label"])} for row in ROWS]
    (path / "train").mkdir(parents=True)
    (path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    (path / "train" / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
    info = {"features": {"label": {"names": names, "_type": "ClassLabel"}}}
    (path / "train" / "dataset_info.json").write_text(json.dumps(info))
    pl.DataFrame(rows, infer_schema_length=None).write_ipc_stream(path / "train" / "data-00000-of-00001.arrow")
    return path


FORMS = {
    "rows.jsonl": as_jsonl,
    "rows.jsonl.gz": as_gzip,
    "windows.jsonl": as_crlf_with_bom,
    "rows.csv": as_csv,
    "rows.parquet": as_parquet,
    "folder": as_dataset_folder,
}


@pytest.mark.parametrize("name", FORMS)
def test_every_format_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    found = read(FORMS[name](tmp_path / name), labels=["order", "other"])

    assert found.fingerprint == read(as_jsonl(tmp_path / "plain.jsonl")).fingerprint
    assert found.texts == [row["text"] for row in ROWS]


def test_written_rows_read_back_the_same(tmp_path: Path) -> None:
    found = read(as_jsonl(tmp_path / "a.jsonl"))
    write_rows(found, tmp_path / "b.jsonl")

    assert read(tmp_path / "b.jsonl") == found


def test_the_fingerprint_does_not_depend_on_row_order(tmp_path: Path) -> None:
    found = read(as_jsonl(tmp_path / "a.jsonl"))

    assert Dataset(tuple(reversed(found.examples))).fingerprint == found.fingerprint


def test_missing_ids_come_from_the_content_and_stay_distinct(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": "x"}\n' * 2 + '{"text": "b", "label": "x"}\n')
    first = [row.id for row in read(path)]

    assert len(set(first)) == 3
    assert first == [row.id for row in read(path)]


BAD = {
    "no text": ('{"label": "a"}', "text", "nothing"),
    "a text of only blanks": ('{"text": "\\u3164 \\u200b", "label": "a"}', "text", "\\u3164"),
    "a text that is a number": ('{"text": 7, "label": "a"}', "text", "7"),
    "a NUL": ('{"text": "a\\u0000b", "label": "a"}', "text", "NUL"),
    "a lone surrogate": ('{"text": "a\\ud800", "label": "a"}', "", "surrogate"),
    "no label": ('{"text": "a"}', "label", "nothing"),
    "an unknown label": ('{"text": "a", "label": "aa"}', "label", "aa"),
    "a label that is a number": ('{"text": "a", "label": 3}', "label", "3"),
    "no labels": ('{"text": "a", "labels": []}', "labels", "nothing"),
    "a label twice": ('{"text": "a", "labels": ["a", "a"]}', "labels", "['a', 'a']"),
    "a bad time": ('{"text": "a", "label": "a", "timestamp": "yesterday"}', "timestamp", "yesterday"),
    "a bad source": ('{"text": "a", "label": "a", "source": "web"}', "source", "web"),
    "a negative weight": ('{"text": "a", "label": "a", "weight": -1}', "weight", "-1"),
    "not JSON": ("hello", "", "Expecting value"),
    "a list": ("[1]", "", "list"),
    "a key twice": ('{"text": "a", "text": "b", "label": "a"}', "", "twice"),
}


@pytest.mark.parametrize(("line", "field", "got"), BAD.values(), ids=BAD)
def test_a_bad_row_is_named_by_line_field_and_what_was_found(line: str, field: str, got: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "fine", "label": "a"}\n' + line + "\n", encoding="utf-8")

    with pytest.raises(InputError) as caught:
        read(path, labels=["a", "b"])

    (problem,) = caught.value.problems
    assert (problem.where, problem.field) == (f"{path}:2", field)
    assert got in problem.got


def test_invalid_utf8_is_named_by_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "caf\xe9", "label": "a"}\n')

    with pytest.raises(InputError, match="byte 0xe9"):
        read(path)


def test_a_used_id_is_named_with_the_line_that_used_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "x", "text": "a", "label": "a"}\n' * 2)

    with pytest.raises(InputError, match=r"rows\.jsonl:2: id: expected an id not used before \(it is at .*:1\)"):
        read(path)


def test_one_error_lists_fifty_problems_and_counts_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"label": "a"}\n' * 60)

    with pytest.raises(InputError) as caught:
        read(path)

    assert str(caught.value).count("rows.jsonl:") == 50
    assert "and 10 more problems" in str(caught.value)
    assert len(caught.value.problems) == 60


FILES = {
    "a missing file": ("none.jsonl", None),
    "an empty file": ("empty.jsonl", b""),
    "a file of blank lines": ("blank.jsonl", b"\n\n"),
    "an unknown kind": ("rows.doc", b"x"),
    "a CSV of only a header": ("rows.csv", b"text,label\n"),
    "a broken Parquet file": ("rows.parquet", b"PAR1 no"),
    "a line of ten megabytes": ("long.jsonl", b'{"text": "' + b"a" * 10_000_000 + b'", "label": "a"}\n'),
    "a broken gzip": ("rows.jsonl.gz", b"\x1f\x8b broken"),
    "stray quotes in CSV": ("quotes.csv", b'text,label\n"a"b,c\n'),
    "a short CSV row": ("short.csv", b"text,label\nonly\n"),
    "a folder without data": ("folder", None),
}


@pytest.mark.parametrize(("name", "data"), FILES.values(), ids=FILES)
def test_a_file_that_holds_no_rows_raises_one_clear_error(name: str, data: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    elif name == "folder":
        path.mkdir()

    with pytest.raises(InputError) as caught:
        read(path)

    assert name in str(caught.value)


def test_unknown_messages_need_only_a_text(tmp_path: Path) -> None:
    path = tmp_path / "strange.jsonl"
    path.write_text('{"text": "a"}\n{"text": "b", "label": "never heard of"}\n')

    assert read_texts(path) == ["a", "b"]
