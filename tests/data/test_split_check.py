"""``interlock split`` and ``interlock split --check``: any split's proof, in files, exit codes and words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interlock.data.split.check import check

Command = Callable[..., tuple[int, str, str]]
ROW = {"label": "order"}


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def files(tmp_path: Path, *tests: dict[str, str]) -> tuple[Path, Path]:
    """Return a training file of three rows and a test file of the given ones."""
    train = [
        {"id": "a", "text": "where is my parcel, mail me at jo@example.com", "label": "order", "group": "ann"},
        {"id": "b", "text": "i want all my money back", "label": "refund", "timestamp": "2026-03-01T00:00:00Z"},
        {"id": "c", "text": "hello", "label": "hello"},
    ]
    return write(tmp_path / "train.jsonl", train), write(tmp_path / "test.jsonl", list(tests))


KINDS: dict[str, tuple[dict[str, str], set[str], int]] = {
    "nothing shared": ({"text": "a brand new thing"}, set(), 0),
    "a text": ({"text": "hello"}, {"exact", "normalised", "near"}, 1),
    "a text in another case": ({"text": "HELLO "}, {"normalised", "near"}, 1),
    "a text in full width": ({"text": "\uff48ello"}, {"normalised", "near"}, 1),
    "a text but for punctuation": ({"text": "hello!!"}, {"near"}, 0),
    "a text one word apart": ({"text": "i want all my cash back"}, {"near"}, 0),
    "a group": ({"text": "a brand new thing", "group": "ann"}, {"group"}, 1),
}


@pytest.mark.parametrize("case", KINDS)
def test_each_kind_of_sharing_is_counted_and_leaks_fail(case: str, tmp_path: Path, command: Command) -> None:
    row, kinds, code = KINDS[case]
    train, test = files(tmp_path, {"id": "t", "label": "hello", **row})

    got, said, _ = command("split", "--check", train, "--test", test, "--json")

    found = json.loads(said)
    assert got == code
    assert found["counts"] == {"train": 3, "test": 1}
    assert found["crossings"] == {kind: int(kind in kinds) for kind in ("exact", "normalised", "near", "group", "time")}
    assert set(found["examples"]) == kinds


def test_examples_name_both_rows_and_mask_what_is_personal(tmp_path: Path, command: Command) -> None:
    train, test = files(
        tmp_path, {"id": "t", "text": "Where is my parcel, mail me at jo@example.com", "label": "order"}
    )

    _, said, _ = command("split", train, "--check", "--test", test, "--json")
    assert json.loads(said)["examples"]["normalised"] == [
        {
            "earlier": {"part": "train", "id": "a", "text": "where is my parcel, mail me at [mail]", "group": "ann"},
            "later": {"part": "test", "id": "t", "text": "Where is my parcel, mail me at [mail]"},
        }
    ]
    code, said, _ = command("split", train, "--check", "--test", test)
    assert code == 1
    assert "normalised 1 rows of a later part (1 texts)" in said
    assert "test t: Where is my parcel, mail me at [mail]" in said


def test_a_field_says_the_part_of_each_row(tmp_path: Path, command: Command) -> None:
    rows = [
        {"text": "one", "label": "a", "split": "train"},
        {"text": "one", "label": "a", "split": "validation"},
        {"text": "three", "label": "a", "split": "Test"},
    ]
    code, said, _ = command("split", "--check", write(tmp_path / "all.jsonl", rows), "--json")

    assert code == 1
    assert json.loads(said)["counts"] == {"train": 1, "calibration": 1, "test": 1}
    assert json.loads(said)["crossings"]["exact"] == 1


BAD: dict[str, tuple[list[dict[str, str]], str]] = {
    "a part nobody knows": ([{**ROW, "text": "x", "split": "holdout"}], "train, calibration .validation. or test"),
    "no part": ([{**ROW, "text": "x", "split": "test"}, {**ROW, "text": "y"}], "1 rows do not say which part"),
    "one part": ([{**ROW, "text": "x", "split": "test"}], "is one part only"),
    "a broken row": ([{**ROW, "text": ""}], "was not read"),
}


@pytest.mark.parametrize("case", BAD)
def test_files_that_are_no_split_are_bad_input(case: str, tmp_path: Path, command: Command) -> None:
    rows, reason = BAD[case]
    code, said, error = command("split", "--check", write(tmp_path / "all.jsonl", rows), "--json")

    assert (code, said) == (2, "")
    assert re.search(reason, error)


def test_splitting_needs_a_contract_and_a_folder(tmp_path: Path, command: Command) -> None:
    train, _ = files(tmp_path)

    code, _, error = command("split", train)
    assert code == 2
    assert "splitting needs --contract and -o" in error


def test_official_files_are_frozen_and_then_check_clean(shop: Path, tmp_path: Path, command: Command) -> None:
    lines = (shop / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    train.write_text("".join(lines[:600]), encoding="utf-8")
    again = [line.replace('"r0', '"t0').replace('"customer', '"client') for line in (*lines[600:], *lines[:2])]
    test.write_text("".join(again), encoding="utf-8")
    options = ("split", train, "--test", test, "--contract", shop / "contract.yaml", "-o", tmp_path / "s", "--json")

    code, said, _ = command(*options)
    assert code == 0
    assert json.loads(said)["rule"] == "given"
    assert json.loads(said)["removed"] == 2
    code, said, _ = command("split", "--check", tmp_path / "s", "--json")
    assert (code, json.loads(said)["broken"]) == (0, [])
    code, _, error = command(*options[:-2], tmp_path / "other", "--by", "time")
    assert code == 2
    assert "no rule and no shares apply" in error


@pytest.fixture
def written(shop: Path, tmp_path: Path, command: Command) -> tuple[Path, dict[str, Any]]:
    """A folder that the command wrote, and what it said."""
    code, said, _ = command(
        "split", shop / "rows.jsonl", "--contract", shop / "contract.yaml", "-o", tmp_path / "s",
        "--shares", "0.7,0.15,0.15", "--json",
    )  # fmt: skip
    assert code == 0
    return tmp_path / "s", json.loads(said)


def test_a_folder_that_was_written_here_checks_clean(written: tuple[Path, dict[str, Any]], command: Command) -> None:
    folder, said = written
    manifest = json.loads((folder / "split.json").read_text(encoding="utf-8"))

    assert said["counts"] == {"train": 630, "calibration": 135, "test": 135}
    assert (said["rule"], said["digest"]) == ("grouped, stratified", manifest["digest"])
    code, out, _ = command("split", "--check", folder, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["counts"], found["crossings"]) == (said["counts"], said["crossings"])
    assert (found["clean"], found["broken"], found["digest"]) == (True, [], said["digest"])


def edited_row(folder: Path) -> None:
    lines = (folder / "test.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[0]) | {"text": "another text"}
    (folder / "test.jsonl").write_text("\n".join([json.dumps(row), *lines[1:]]) + "\n", encoding="utf-8")


def moved_row(folder: Path) -> None:
    lines = (folder / "test.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "test.jsonl").write_text("".join(lines[1:]), encoding="utf-8")


def edited_manifest(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / "split.json").read_text(encoding="utf-8"))
    (folder / "split.json").write_text(json.dumps({**manifest, **changes}), encoding="utf-8")


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a row edited": (edited_row, "test.jsonl has the listed ids, but its rows are not those of the fingerprint"),
    "a row taken out": (moved_row, "test.jsonl does not hold the rows that split.json lists"),
    "another seed": (
        lambda folder: edited_manifest(folder, seed=1),
        "digest of split.json is not that of its contents",
    ),
    "other counts": (lambda folder: edited_manifest(folder, crossings={"exact": 1}), "split.json counts the crossings"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_folder_that_was_changed_is_refused(
    case: str, written: tuple[Path, dict[str, Any]], command: Command
) -> None:
    spoil, reason = SPOILED[case]
    spoil(written[0])

    code, said, _ = command("split", "--check", written[0])
    assert code == 1
    assert reason in said


def test_a_manifest_that_is_none_is_bad_input(written: tuple[Path, dict[str, Any]], command: Command) -> None:
    edited_manifest(written[0], parts=[1])

    code, _, error = command("split", "--check", written[0])
    assert code == 2
    assert "parts: expected as interlock split writes it" in error


def test_rows_out_of_time_are_counted_when_all_rows_have_timestamps(tmp_path: Path) -> None:
    rows = [{**ROW, "text": f"text {at} {at * 7919}", "timestamp": f"2026-01-0{at}"} for at in (1, 5, 3, 7)]
    train, test = write(tmp_path / "train.jsonl", rows[:2]), write(tmp_path / "test.jsonl", rows[2:])
    found = check(train, test=test)

    assert [crossing.later[1].timestamp for crossing in found.crossings["time"]] == ["2026-01-03T00:00:00Z"]
    assert found.clean  # files nobody promised an order of
