"""Every format gives back what was written to it, or refuses what it would not; one suite for all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.core.canonical import parse_json
from interlock.core.errors import InputError
from interlock.data.convert import convert
from interlock.data.formats import FORMATS, raw_rows
from interlock.data.formats.row import FIELDS, Row
from interlock.data.read import read
from interlock.data.rows import check_text

FULL: list[dict[str, Any]] = [
    {"id": "1", "text": "where is my order", "label": "order", "group": "a", "timestamp": "2026-01-02T03:04:05Z"},
    {"id": "2", "text": "もう一度お願いします 🙂", "label": "other", "lang": "ja", "slice": "vip", "split": "train"},
    {"id": "3", "text": 'a "quoted", line\r\nbroken;\t|', "label": "order", "source": "synthetic", "weight": 0.1},
    {"id": "4", "text": " - both: yes", "labels": ["order", "a|b"], "split": "test"},
    {"id": "5", "text": "[Berlin](city) and [x]{y}", "label": "faq/ask:name", "split": "test"},
    {"id": "6", "text": "#1 is 'late'", "label": "no", "annotations": {"7": "no", "ann": "order", "bo": "no"}},
    {"id": "7", "text": "overruled", "label": "other", "annotations": {"7": "no", "ann": "no"}},
]
CARRIES = {  # the ids of FULL that each format gives back whole
    "jsonl": "1234567",
    "json": "1234567",
    "csv": "1234567",
    "parquet": "1234567",
    "huggingface": "1234567",
    "labelstudio": "1234567",
    "argilla": "123456",
    "rasa": "12367",
    "autointent": "",
}
NAMES = {
    "huggingface": "folder",
    "csv": "rows.csv",
    "parquet": "rows.parquet",
    "rasa": "nlu.yml",
    "jsonl": "rows.jsonl",
}
TRAIN_BY_DEFAULT = {"huggingface", "autointent"}  # formats in which a row without a split is a training row


def there(folder: Path, name: str) -> Path:
    return folder / NAMES.get(name, "rows.json")


def plain(rows: Sequence[Row], *, train: bool) -> list[str]:
    said = (dict(row) | ({"split": row.get("split", "train")} if train else {}) for row in rows)
    return sorted(json.dumps(row, sort_keys=True) for row in said)


def as_jsonl(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "given.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def back(path: Path) -> list[Row]:
    """Return the rows of a file as JSON lines hold them."""
    made = convert(path, path.parent / "back.jsonl")
    found = [parse_json(line) for line in made.out.read_text(encoding="utf-8").split("\n")[:-1]]
    assert made.rows == len(found)
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_carries_comes_back_and_the_rest_is_refused_by_field_and_row(name: str, tmp_path: Path) -> None:
    kept = [row for row in FULL if str(row["id"]) in CARRIES[name]]
    lost = [row for row in FULL if row not in kept]
    assert [row["id"] for row in FULL if not FORMATS[name].lost(row)] == list(CARRIES[name])
    if kept:
        path = there(tmp_path, name)
        assert convert(as_jsonl(tmp_path, kept), path, to=name).rows == len(kept)
        assert plain(back(path), train=False) == plain(kept, train=False) or name in TRAIN_BY_DEFAULT
        assert plain(back(path), train=True) == plain(kept, train=True)
    if lost:
        with pytest.raises(InputError) as caught:
            convert(as_jsonl(tmp_path, FULL), tmp_path / "other", to=name)
        assert {problem.where.rpartition(":")[2] for problem in caught.value.problems} == {row["id"] for row in lost}
        assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", FORMATS)
def test_lossy_goes_on_and_counts_what_is_lost(name: str, tmp_path: Path) -> None:
    made = convert(as_jsonl(tmp_path, FULL), there(tmp_path, name), to=name, lossy=True)
    found = back(made.out)

    dropped = sum(count for what, count in made.skipped.items() if what.startswith("row"))
    changed = sum(count for what, count in made.skipped.items() if what.startswith("field"))
    assert made.rows == len(found) == len(FULL) - dropped
    assert dropped + changed == len(made.listed) == len(FULL) - len(CARRIES[name])
    for row in found:
        original = next(one for one in FULL if one["text"] == row["text"])
        for field in {"text", "label", "labels"} & row.keys():
            assert row[field] == original[field]


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
    lambda t: not check_text(t, "")
)
label = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8).filter(str.strip)
whole_row = st.fixed_dictionaries(
    {"text": text},
    optional={
        "group": label,
        "timestamp": st.datetimes().map(lambda t: t.isoformat() + "Z"),
        "slice": label,
        "lang": label,
        "weight": st.floats(min_value=1e-9, max_value=0.99),
        "split": st.sampled_from(["train", "test", "validation", "calibration"]),
        "annotations": st.dictionaries(label, label, min_size=1, max_size=3),
        "id": label,
    },
)
given_label = st.one_of(
    st.fixed_dictionaries({"label": label}),
    st.fixed_dictionaries({"labels": st.lists(label, min_size=2, max_size=3, unique=True)}),
)
rows_strategy = st.lists(st.builds(lambda a, b: a | b, whole_row, given_label), min_size=1, max_size=6)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_strategy)
def test_any_row_comes_back_the_same_when_a_format_says_it_carries_it(name: str, rows: list[dict[str, Any]]) -> None:
    used: set[str] = set()
    kept = []
    for row in rows:
        if not FORMATS[name].lost(row) and row.get("id") not in used:
            kept.append(row)
            used |= {row["id"]} if "id" in row else set()
    if not kept:
        return
    with TemporaryDirectory() as folder:
        path = there(Path(folder), name)
        FORMATS[name].write(kept, path)
        assert plain(back(path), train=name in TRAIN_BY_DEFAULT) == plain(kept, train=name in TRAIN_BY_DEFAULT)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_told_by_name_and_content(name: str, tmp_path: Path) -> None:
    rows = [{"text": f"words {i}", "label": f"l{i % 2}", "split": "train"} for i in range(4)]
    path = convert(as_jsonl(tmp_path, rows), there(tmp_path, name), to=name).out

    assert plain(back(path), train=False) == plain(rows, train=False)
    assert [row for _, row in raw_rows(path, format_name=name)] == [row for _, row in raw_rows(path)]
    assert read(path).counts() == {"l0": 2, "l1": 2}


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.csv.gz", "rows.tsv", "rows.ndjson"])
def test_packed_files_and_other_extensions_come_back_too(name: str, tmp_path: Path) -> None:
    path = convert(as_jsonl(tmp_path, FULL), tmp_path / name).out
    twice = convert(path, tmp_path / f"again-{name}").out

    assert back(path) == FULL
    assert twice.read_bytes() == path.read_bytes()


def test_fields_that_no_format_knows_are_counted(tmp_path: Path) -> None:
    rows: list[Row] = [{"text": "a", "label": "x", "secret": 1}, {"text": "b", "label": "y"}]

    assert convert(as_jsonl(tmp_path, rows), tmp_path / "out.csv").skipped == {"field 'secret'": 1}


def test_a_data_set_saved_to_disk_gives_its_class_names_and_splits(tmp_path: Path) -> None:
    names = ["order", "other"]
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    features = {
        "label": {"names": names, "_type": "ClassLabel"},
        "labels": {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "List"},
    }
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "state.json").write_text('{"_data_files": [{"filename": "data.arrow"}]}')
        (tmp_path / split / "dataset_info.json").write_text(json.dumps({"features": features}))
        pl.DataFrame({"text": ["a", "b"], "label": [1, None], "labels": [None, [0, 1]]}).write_ipc_stream(
            tmp_path / split / "data.arrow"
        )

    found = [row for _, row in raw_rows(tmp_path)]

    assert found == [
        {"text": "a", "label": "other", "split": "train"},
        {"text": "b", "labels": ["order", "other"], "split": "train"},
        {"text": "a", "label": "other", "split": "test"},
        {"text": "b", "labels": ["order", "other"], "split": "test"},
    ]


CARD = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/part-*
  - split: test
    path: [held.jsonl]
- config_name: intents
  data_files: intents/x.parquet
dataset_info:
- config_name: default
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': order
          '1': 'no'
---
# The card
"""


def test_a_folder_with_a_card_is_read_as_the_card_says(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD)
    for folder in ("data", "intents"):
        (tmp_path / folder).mkdir()
    pl.DataFrame({"text": ["a", "b"], "label": [1, 0]}).write_parquet(tmp_path / "data" / "part-0.parquet")
    pl.DataFrame({"id": [1]}).write_parquet(tmp_path / "intents" / "x.parquet")
    (tmp_path / "held.jsonl").write_text('{"text": "c", "label": "no"}\n')

    assert sorted(str(row) for _, row in raw_rows(tmp_path)) == [
        "{'text': 'a', 'label': 'no', 'split': 'train'}",
        "{'text': 'b', 'label': 'order', 'split': 'train'}",
        "{'text': 'c', 'label': 'no', 'split': 'test'}",
    ]


def test_the_files_of_a_written_folder_have_the_same_columns(tmp_path: Path) -> None:
    convert(as_jsonl(tmp_path, FULL), tmp_path / "folder", to="huggingface")
    files = sorted((tmp_path / "folder" / "data").iterdir())

    assert [path.name for path in files] == ["test-00000-of-00001.parquet", "train-00000-of-00001.parquet"]
    assert pl.read_parquet_schema(files[0]) == pl.read_parquet_schema(files[1])


def test_class_names_in_a_parquet_files_own_metadata_are_used(tmp_path: Path) -> None:
    info = {"info": {"features": {"label": {"names": ["x", "y"], "_type": "ClassLabel"}}}}
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"text": ["a"], "label": [1]}).write_parquet(path, metadata={"huggingface": json.dumps(info)})

    assert [row for _, row in raw_rows(path)] == [{"text": "a", "label": "y"}]


def test_the_name_of_a_hub_data_set_that_is_not_here_says_so() -> None:
    with pytest.raises(InputError, match="does not exist"):
        read("nobody/nothing-here")


def test_every_format_is_explained_in_the_reference() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")

    for name in FORMATS:
        assert re.search(rf"^\| `{name}` \|", reference, flags=re.MULTILINE), name
    for field in FIELDS:
        assert f"`{field}`" in reference
