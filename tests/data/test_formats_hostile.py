"""Files nobody vouched for: each works or gives one clear error in bounded time; nothing is dropped in silence."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from interlock.core.errors import InputError
from interlock.data import read as reading
from interlock.data.convert import convert
from interlock.data.formats import files, json_stream, raw_rows
from interlock.data.formats.row import MAX_ROW_CHARS
from interlock.data.read import read, read_texts

GOOD = b'{"text": "fine", "label": "a"}\n'


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.exit_code == 2
    assert path.name in str(caught.value)
    assert len(str(caught.value)) < 20_000
    return caught.value


def places(error: InputError) -> list[int]:
    return [int(problem.where.rpartition(":")[2].split(" ")[0]) for problem in error.problems]


def made(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# --- bytes and encodings -------------------------------------------------------------------------------------------


def test_lines_of_other_encodings_are_named_one_by_one(tmp_path: Path) -> None:
    words = '{"text": "café 価格 x", "label": "a"}'
    lines = [
        words.encode(),
        '{"text": "café", "label": "a"}'.encode("latin-1"),
        '{"text": "“café”", "label": "a"}'.encode("cp1252"),
        '{"text": "価格", "label": "a"}'.encode("shift-jis"),
        words.encode(),
        '{"text": "a", "label": "a"}'.encode("utf-16-le"),
    ]
    error = refused(made(tmp_path, "rows.jsonl", b"\n".join(lines) + b"\n"))

    assert [place for place in places(error) if place <= 5] == [2, 3, 4]
    assert 6 in places(error)
    assert "byte 0xe9 at column" in error.problems[0].got


def test_fields_of_other_encodings_are_named_in_csv_even_beside_emoji(tmp_path: Path) -> None:
    text = b"text,label\nfine,a\n" + "🙂 ".encode() + "café,a\n".encode("latin-1") + b"ok,\xff\n"
    error = refused(made(tmp_path, "rows.csv", text))

    assert places(error) == [3, 4]
    assert [problem.field for problem in error.problems] == ["text", "label"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.json", "nlu.yml"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_said_to_be_utf_16(name: str, encoding: str, tmp_path: Path) -> None:
    text = "\ufeff" if encoding == "utf-16-be" else ""
    error = refused(made(tmp_path, name, (text + "text,label\n{nlu: []}\n").encode(encoding)))

    assert "UTF-16" in str(error)
    assert "UTF-8" in error.todo


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_are_no_part_of_rows(end: bytes, mark: bytes, tmp_path: Path) -> None:
    rows = [("one", "a"), ("two", "b")]
    bodies = {
        "rows.jsonl": [json.dumps({"text": text, "label": label}) for text, label in rows],
        "rows.json": ["[", ", ".join(json.dumps({"text": text, "label": label}) for text, label in rows), "]"],
        "rows.csv": ["text,label", *(f"{text},{label}" for text, label in rows)],
        "nlu.yml": ["nlu:", *(f"- intent: {label}\r  examples: |\r    - {text}" for text, label in rows)],
    }
    for name, lines in bodies.items():
        body = end.join(line.encode().replace(b"\r", end) for line in lines) + end
        found = read(made(tmp_path, name, mark + body))
        assert [(row.text, row.label) for row in found] == rows, name


# --- JSON ----------------------------------------------------------------------------------------------------------

DEEP = 100_000
BAD_JSON = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep in a row": b'{"text": "a", "label": ' + b"[" * 200 + b"]" * 200 + b"}",
    "a key twice": b'{"text": "a", "text": "b", "label": "a"}',
    "a key twice, deep": b'{"text": "a", "label": "a", "x": {"y": 1, "y": 2}}',
    "NaN": b'{"text": "a", "label": "a", "weight": NaN}',
    "a huge number": b'{"text": "a", "label": "a", "weight": 1' + b"0" * 5000 + b"}",
    "half a row": b'{"text": "a", "la',
    "two rows on a line": GOOD.strip() * 2,
    "only a comma": b",",
    "a text with a raw newline": b'{"text": "a\nb", "label": "a"}',
}


@pytest.mark.parametrize("bad", BAD_JSON.values(), ids=BAD_JSON)
@pytest.mark.parametrize("form", ["lines", "array", "object"])
def test_bad_json_is_one_clear_error(bad: bytes, form: str, tmp_path: Path) -> None:
    if form == "lines":
        path = made(tmp_path, "rows.jsonl", GOOD + bad + b"\n" + GOOD)
    elif form == "array":
        path = made(tmp_path, "rows.json", b"[\n" + GOOD + b",\n" + bad + b"\n,\n" + GOOD + b"]")
    else:
        path = made(tmp_path, "rows.json", b'{"train": [\n{"utterance": "x", "label": 1},\n' + bad + b"\n]}")
    error = refused(path)

    assert places(error)[0] in {2, 3, 4}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "a JSON object"),
        ('[{"text": "a", "label": "a"}] 7', "nothing after the document"),
        ('[{"text": "a", "label": "a"}', "',' or ']'"),
        ('[{"text": "a", "label": "a"} {"text": "b", "label": "a"}]', "',' or ']'"),
        ('{"train": [], "train": []}', "each key once"),
        ('{"train": [] "test": []}', "',' or '}'"),
        ('{"train": [{"utterance": "a", "label": 0}], 7: 1}', "a key"),
        ('{"train": [{"utterance": "a", "label": 0}], "test" 1}', "':' after a key"),
        ("null", "one JSON object"),
        ("[]", "has no rows"),
        ("", "has no rows"),
        ("   ", "has no rows"),
    ],
)
def test_a_json_document_that_is_no_list_of_rows_says_why(text: str, said: str, tmp_path: Path) -> None:
    assert said in str(refused(made(tmp_path, "rows.json", text.encode())))


def test_a_row_of_ten_megabytes_is_named_and_the_rows_around_it_are_read(tmp_path: Path) -> None:
    long = b'{"text": "' + b"a" * 10_000_000 + b'", "label": "a"}\n'
    error = refused(made(tmp_path, "rows.jsonl", GOOD + long + GOOD + b'{"label": 1}\n'))

    assert places(error)[0] == 2
    assert set(places(error)) == {2, 4}
    assert places(refused(made(tmp_path, "rows.json", b"[\n" + GOOD + b"," + long + b"]"))) == [3]
    assert places(refused(made(tmp_path, "rows.csv", b"text,label\nx,y\n" + b"a" * 10_000_000 + b",a\n"))) == [3]


def test_a_row_of_just_the_longest_size_is_read(tmp_path: Path) -> None:
    def row(size: int) -> bytes:
        return b'{"label": "a", "text": "' + b"a" * (size - 26) + b'"}'

    assert len(read(made(tmp_path, "a.jsonl", row(MAX_ROW_CHARS) + b"\n" + row(MAX_ROW_CHARS)))) == 2
    assert len(read(made(tmp_path, "a.json", b"[" + row(MAX_ROW_CHARS) + b"," + row(MAX_ROW_CHARS) + b"]"))) == 2
    for name, data in (("b.jsonl", row(MAX_ROW_CHARS + 2)), ("b.json", b"[" + row(MAX_ROW_CHARS + 1) + b"]")):
        assert "a longer one" in str(refused(made(tmp_path, name, data)))


# --- CSV -----------------------------------------------------------------------------------------------------------

BAD_CSV = {
    "a quote that never closes": ('text,label\nfine,a\n"open,a\nx,a\ny,a\n', [3], "is closed"),
    "one that opens in a later line of a record": ('text,label\n"two\nlines","open\nx,a\n', [3], "is closed"),
    "one that opens after doubled quotes": ('text,label\n"say ""hi"" and\nleave",a\nx,"open\ny,a\n', [4], "is closed"),
    "one with doubled quotes in its lines": ('text,label\n"open\nsay ""hi""\ny,a\n', [2], "is closed"),
    "a stray quote after a field": ('text,label\nfine,a\n"a"b,c\nx,a\n', [3], "well-formed CSV"),
    "an open quote that meets another": ('text,label\n"open,a\nhe said "no",a\n', [2], "well-formed CSV"),
    "too few fields": ("text,label\nfine,a\nonly\nx,a,b\n", [3, 4], "2 fields"),
    "a NUL byte": ("text,label\nfi\0ne,a\n", [2], "text"),
    "a column twice": ("text,label,label\nx,a,b\n", [1], "each column once"),
    "a blank header": ("\nx,a\n", [1], "a header"),
    "swallowed rows": ('text,label\nx,a\n"open,a\ny,a\nz,a\nclose",a\n', [4, 5], "one row a line"),
}


@pytest.mark.parametrize(("text", "lines", "expected"), BAD_CSV.values(), ids=BAD_CSV)
def test_bad_csv_is_placed(text: str, lines: list[int], expected: str, tmp_path: Path) -> None:
    error = refused(made(tmp_path, "rows.csv", text.encode()))

    assert places(error) == lines
    assert expected in error.problems[0].expected


def test_quotes_lines_and_commas_inside_a_message_are_fine(tmp_path: Path) -> None:
    text = 'text,label\nx,a\n"Hi,\nmy ""order"", no 7\nThanks,\nBob",a\n\nit\'s 5" wide,b\n'
    assert [row.text for row in read(made(tmp_path, "rows.csv", text.encode()))] == [
        "x",
        'Hi,\nmy "order", no 7\nThanks,\nBob',
        "it's 5\" wide",
    ]


def test_semicolons_and_tabs_are_told_from_the_header(tmp_path: Path) -> None:
    assert read(made(tmp_path, "a.csv", b"text;label\na,b;x\n")).texts == ["a,b"]
    assert read(made(tmp_path, "a.tsv", b"text\tlabel\na,b\tx\n")).texts == ["a,b"]


# --- YAML ----------------------------------------------------------------------------------------------------------


def test_a_yaml_bomb_is_refused_at_its_first_alias(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    assert places(refused(made(tmp_path, "nlu.yml", bomb.encode()))) == [2]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"nlu: " + b"[" * DEEP, "at most 64 levels"),
        (b"- " * DEEP, "at most 64 levels"),
        (b"\xff\xff: x", "expected UTF-8 text"),
        (b"nlu: !!python/object:os.x []", "has no rows"),  # tags are never followed, so nothing stands there
    ],
)
def test_hostile_yaml_is_refused(data: bytes, said: str, tmp_path: Path) -> None:
    assert said in str(refused(made(tmp_path, "nlu.yml", data)))


# --- Parquet -------------------------------------------------------------------------------------------------------


def test_parquet_of_wrong_types_names_rows_and_fields(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame(
        {"text": [1, None], "label": [["a"], ["b"]], "weight": ["x", "1"], "group": [{"a": 1}, None]}
    ).write_parquet(path)
    error = refused(path)

    assert {(int(p.where.rpartition(":")[2]), p.field) for p in error.problems} == {
        *((1, name) for name in ("text", "label", "weight", "group")),
        *((2, name) for name in ("text", "label", "weight")),
    }


def test_parquet_that_was_cut_or_changed_never_crashes(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"text": [f"text {i}" for i in range(200)], "label": ["a", "b"] * 100}).write_parquet(path)
    whole = path.read_bytes()
    chance = random.Random(5)
    failed = 0
    for _ in range(150):
        data = bytearray(whole)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        else:
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(bytes(data))
        try:
            read(path)
        except InputError:
            failed += 1
    assert failed > 50


# --- files that are no files ---------------------------------------------------------------------------------------


def test_a_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    os.mkfifo(path)

    assert "not a regular file" in str(refused(path))
    assert "not a regular file" in str(refused_as(Path("/dev/zero"), "jsonl"))


def refused_as(path: Path, name: str) -> InputError:
    with pytest.raises(InputError) as caught:
        list(raw_rows(path, format_name=name))
    return caught.value


def test_links_that_go_round_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "b.jsonl")
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "a.jsonl")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to(tmp_path / "folder")

    refused(tmp_path / "a.jsonl")
    assert "no dataset folder" in str(refused(tmp_path / "folder"))
    made(tmp_path / "folder", "train.jsonl", GOOD)
    assert len(read(tmp_path / "folder")) == 1


def test_a_file_where_a_folder_is_meant_and_the_other_way_round(tmp_path: Path) -> None:
    assert "is not a file" in str(refused_as(tmp_path, "csv"))
    assert "is not a folder" in str(refused_as(made(tmp_path, "rows.jsonl", GOOD), "huggingface"))
    assert "did you mean 'parquet'" in str(refused_as(tmp_path, "parkuet"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = made(tmp_path, "rows.jsonl", GOOD)
    path.chmod(0)

    assert "Permission denied" in str(refused(path))


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl", "rows.json", "rows.parquet", "nlu.yml"])
def test_an_empty_file_says_so(name: str, tmp_path: Path) -> None:
    assert re.search("empty|no rows|not a|no .*row", str(refused(made(tmp_path, name, b""))))


@pytest.mark.parametrize("data", [b"PK\x03\x04 zip", gzip.compress(GOOD)])
def test_packed_files_under_another_name_are_told(data: bytes, tmp_path: Path) -> None:
    assert "not UTF-8 text" in str(refused(made(tmp_path, "rows.jsonl", data)))


BAD_SAVED = {
    "splits that are no list": {"dataset_dict.json": '{"splits": 7}'},
    "a split that leads out": {"dataset_dict.json": '{"splits": ["../../etc"]}'},
    "a description that is a list": {"dataset_dict.json": "[]"},
    "files that are none": {"state.json": '{"_data_files": [{"filename": null}, 7]}'},
    "a broken card": {"README.md": "---\n[\n---\n", "train.jsonl": GOOD.decode()},
    "two configurations": {
        "README.md": "---\nconfigs:\n- config_name: a\n- config_name: b\n---\n",
        "train.jsonl": GOOD.decode(),
    },
}


SAID = {
    "splits that are no list": "has no rows",
    "a split that leads out": "does not exist",  # it stays inside the folder, where there is no such split
    "a description that is a list": "expected a JSON object",
    "files that are none": "does not exist",
    "a broken card": "expected valid YAML",
    "two configurations": "several configurations",
}


@pytest.mark.parametrize("what", BAD_SAVED)
def test_a_broken_data_set_folder_is_refused(what: str, tmp_path: Path) -> None:
    for name, text in BAD_SAVED[what].items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    assert SAID[what] in str(refused(tmp_path))


# --- size ----------------------------------------------------------------------------------------------------------


def test_a_gzip_that_expands_as_no_text_does_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(30):
            file.write(b"\n" * 1_000_000)

    assert "expands to more than 200 times" in str(refused(path))


def test_reading_stops_at_ten_thousand_problems(tmp_path: Path) -> None:
    error = refused(made(tmp_path, "rows.jsonl", b"garbage\n" * 30_000))

    assert len(error.problems) == 10_000
    assert "and 9950 more problems" in str(error)
    assert "where reading stopped" in str(error)
    with pytest.raises(InputError, match="where reading stopped"):
        read_texts(tmp_path / "rows.jsonl")


def test_more_rows_or_text_than_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path, "rows.jsonl", GOOD * 20)
    monkeypatch.setattr(reading, "MAX_ROWS", 20)
    assert len(read(path)) == len(read_texts(path)) == 20
    monkeypatch.setattr(reading, "MAX_ROWS", 19)
    assert "Take a sample" in str(refused(path))
    monkeypatch.setattr(reading, "MAX_ROWS", 20)
    monkeypatch.setattr(reading, "MAX_CHARS", 79)
    assert "79 characters" in str(refused(path))
    with pytest.raises(InputError, match="79 characters"):
        read_texts(path)


def test_millions_of_blank_lines_or_tiny_elements_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_ITEMS", 100)
    monkeypatch.setattr(json_stream, "MAX_ITEMS", 100)
    assert len(read(made(tmp_path, "rows.jsonl", b"\n" * 100 + GOOD))) == 1
    assert "more than 100 blank lines" in str(refused(made(tmp_path, "rows.jsonl", b"\n" * 101 + GOOD)))
    items = b", ".join([b'{"utterance": "a", "label": 0}'] * 100)
    assert len(read(made(tmp_path, "rows.json", b'{"train": [' + items + b"]}"))) == 100
    assert "at most 100 elements" in str(refused(made(tmp_path, "rows.json", b'{"train": [1, ' + items + b"]}")))


def test_a_conversion_that_fails_leaves_no_file(tmp_path: Path) -> None:
    path = made(tmp_path, "rows.jsonl", GOOD * 5 + b"garbage\n")
    for name in ("out.csv", "out.parquet", "out.yml", "out.json"):
        with pytest.raises(InputError):
            convert(path, tmp_path / name)
    with pytest.raises(InputError):
        convert(path, tmp_path / "out", to="huggingface")

    assert [one.name for one in tmp_path.iterdir()] == ["rows.jsonl"]


MEASURE = """\
import resource, sys
from pathlib import Path
import polars
from interlock.core.errors import InputError
from interlock.data.convert import convert
from interlock.data.read import read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    n = convert(sys.argv[1], Path(sys.argv[2])).rows if len(sys.argv) > 2 else len(read(sys.argv[1]))
except InputError as error:
    n = -len(error.problems)
print(n, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def peak(*arguments: Path) -> tuple[int, int]:
    """Return rows read (or minus the problems) and the bytes of memory that took, in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, arguments)], check=True, capture_output=True, text=True
    )
    rows, used = done.stdout.split()
    return int(rows), int(used)


def test_garbage_and_huge_lines_take_little_memory(tmp_path: Path) -> None:
    line = os.urandom(3000).replace(b"\n", b" ") + b"\n"
    garbage = made(tmp_path, "garbage.jsonl", line * 10_000)
    huge = made(tmp_path, "huge.jsonl", b'{"text": "' + b"a" * 60_000_000)
    array = made(tmp_path, "huge.json", b'[{"text": "' + b"a" * 60_000_000)

    for path in (garbage, huge, array):
        rows, used = peak(path)
        assert rows < 0
        assert used < 50_000_000


@pytest.mark.slow
def test_a_gigabyte_of_rows_is_read_in_a_kilobyte_a_row_and_converted_in_little(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    count = 5_000_000
    with path.open("w") as file:
        for start in range(0, count, 1000):
            file.writelines(
                json.dumps({"text": f"message number {i} " + "word " * 30, "label": f"l{i % 150}"}) + "\n"
                for i in range(start, start + 1000)
            )
    assert path.stat().st_size > 1_000_000_000

    rows, used = peak(path)
    assert rows == count
    assert used < 1000 * count + path.stat().st_size

    rows, used = peak(path, tmp_path / "rows.csv")
    assert rows == count
    assert used < 300 * count  # the ids alone

    huge = tmp_path / "huge.jsonl"
    with huge.open("wb") as big:
        for _ in range(1000):
            big.write(b"a" * 1_000_000)
    rows, used = peak(huge)
    assert rows == -1
    assert used < 50_000_000
