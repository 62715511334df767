"""What several annotators said of a row: read, checked, voted on, and written back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.dataset import Dataset, Example
from interlock.core.errors import InputError
from interlock.data.read import read
from interlock.data.write import write_rows

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda name: name.strip())


def read_lines(path: Path, *rows: dict[str, object], labels: tuple[str, ...] | None = ("a", "b", "c")) -> Dataset:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read(path, labels=labels)


@given(st.dictionaries(NAMES, st.sampled_from("abc"), max_size=5))
def test_annotations_come_back_from_a_written_file_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, said: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows = Dataset((Example("1", "hello", ("a",), annotations=tuple(sorted(said.items()))),))
    write_rows(rows, path)

    assert read(path) == rows
    assert ("annotations" in json.loads(path.read_text(encoding="utf-8"))) == bool(said)


def test_rows_without_annotations_keep_their_fingerprint() -> None:
    rows = Dataset((Example("1", "hello", ("a",)),))

    assert rows.fingerprint == "sha256:ad46e418747b81bb8b9d37daaee28375be60813dbefdc6259b2e9d04a3ce99b7"


def test_annotators_are_put_in_order_so_that_the_order_of_keys_is_not_data(tmp_path: Path) -> None:
    one = read_lines(tmp_path / "1.jsonl", {"id": "1", "text": "t", "label": "a", "annotations": {"z": "a", "y": "b"}})
    two = read_lines(tmp_path / "2.jsonl", {"id": "1", "text": "t", "label": "a", "annotations": {"y": "b", "z": "a"}})

    assert one == two
    assert one.examples[0].annotations == (("y", "b"), ("z", "a"))


@pytest.mark.parametrize(
    ("said", "label"),
    [({"x": "b"}, "b"), ({"x": "b", "y": "a", "z": "b"}, "b"), ({"x": "c", "y": None, "z": None}, "c")],
)
def test_without_a_label_the_most_frequent_annotation_is_the_label(
    said: dict[str, str | None], label: str, tmp_path: Path
) -> None:
    (row,) = read_lines(tmp_path / "rows.jsonl", {"text": "t", "annotations": said})

    assert row.labels == (label,)
    assert dict(row.annotations) == {name: one for name, one in said.items() if one is not None}


def test_a_label_that_is_given_stands_against_every_vote(tmp_path: Path) -> None:
    (row,) = read_lines(tmp_path / "rows.jsonl", {"text": "t", "label": "a", "annotations": {"x": "b", "y": "b"}})

    assert row.labels == ("a",)


def test_a_cell_of_csv_holds_annotations_as_json(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('text,annotations\nhello,"{""x"": ""a"", ""y"": ""a""}"\nbye,"{""x"": ""b""}"\n')

    assert [dict(row.annotations) for row in read(path, labels=["a", "b"])] == [{"x": "a", "y": "a"}, {"x": "b"}]


BAD: dict[str, tuple[dict[str, object], str, str]] = {
    "a tie": ({"annotations": {"x": "a", "y": "b"}}, "label", "'a' 1 times and 'b' 1 times"),
    "no one": ({"annotations": {}, "label": "a"}, "annotations", "{}"),
    "only nulls": ({"annotations": {"x": None}, "label": "a"}, "annotations", "None"),
    "a list": ({"annotations": ["a"]}, "annotations", "['a']"),
    "text that is no object": ({"annotations": "[1]", "label": "a"}, "annotations", "'[1]'"),
    "text that is no JSON": ({"annotations": "x=a", "label": "a"}, "annotations", "x=a"),
    "a nameless annotator": ({"annotations": {" ": "a"}}, "annotations", "[' ']"),
    "an unknown label": ({"annotations": {"x": "aa"}}, "annotations.x", "'aa'"),
    "a number": ({"annotations": {"x": 3}}, "annotations.x", "3"),
    "an unknown label beside a good one": ({"annotations": {"x": "aa", "y": "b"}}, "annotations.x", "'aa'"),
    "a label that is wrong itself": ({"annotations": {"x": "a"}, "label": "q"}, "label", "'q'"),
}


@pytest.mark.parametrize(("fields", "field", "got"), BAD.values(), ids=BAD)
def test_bad_annotations_are_one_problem_with_their_place(
    fields: dict[str, object], field: str, got: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read_lines(tmp_path / "rows.jsonl", {"text": "hello", **fields})

    (problem,) = caught.value.problems
    assert (problem.where, problem.field) == (f"{tmp_path / 'rows.jsonl'}:1", field)
    assert got in problem.got
