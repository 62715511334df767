"""Rows with the turns before them: given as a list, or found by the name of their conversation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interlock.cli.app import run
from interlock.core.errors import InputError
from interlock.data.read import read


def file_of(path: Path, *rows: dict[str, Any]) -> Path:
    body = [{"label": "yes", "id": f"r{number}", **row} for number, row in enumerate(rows)]
    path.write_text("".join(json.dumps(row) + "\n" for row in body), encoding="utf-8")
    return path


def turns_of(path: Path, turns: int) -> list[tuple[str, ...]]:
    return [row.conversation for row in read(path, turns=turns)]


def test_the_last_turns_a_row_gives_are_kept(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.jsonl", {"text": "x", "conversation": ["one", "two", "three"]}, {"text": "y"})

    assert turns_of(path, 2) == [("two", "three"), ()]


def test_rows_of_one_conversation_hear_the_rows_before_them(tmp_path: Path) -> None:
    talk = [{"text": f"t{number}", "conversation": "v1"} for number in range(4)]
    path = file_of(tmp_path / "a.jsonl", talk[0], {"text": "other", "conversation": "v2"}, *talk[1:])

    assert turns_of(path, 2) == [(), (), ("t0",), ("t0", "t1"), ("t1", "t2")]


@pytest.mark.parametrize("name", ["", "  ", None])
def test_rows_without_the_name_of_a_conversation_are_not_of_one(tmp_path: Path, name: str | None) -> None:
    path = file_of(tmp_path / "a.jsonl", *({"text": text, "conversation": name} for text in ("one", "other")))

    assert turns_of(path, 2) == [(), ()]


def test_time_orders_a_conversation_whose_rows_stand_in_any_order(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "conversation": 7, "timestamp": f"2026-01-0{n}T00:00:00Z"} for n in (3, 1, 2)]

    assert turns_of(file_of(tmp_path / "a.jsonl", *rows), 5) == [("t1", "t2"), (), ("t1",)]


def test_conversations_are_not_looked_at_unless_asked_for(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.jsonl", {"text": "x", "conversation": {"any": "thing"}})

    assert read(path).examples[0].conversation == ()


@pytest.mark.parametrize("given", [{"a": 1}, [1], [["x"]], ["a\0b"], ["\ud800"], True, 1.5])
def test_what_is_no_conversation_is_a_problem_of_its_row(tmp_path: Path, given: object) -> None:
    with pytest.raises(InputError, match=r"a\.jsonl:1"):
        read(file_of(tmp_path / "a.jsonl", {"text": "x", "conversation": given}), turns=2)


def test_turns_are_part_of_the_rows_identity_and_are_written_back(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.jsonl", {"text": "x", "conversation": ["before"]})
    rows = read(path, turns=1)

    assert rows.fingerprint != read(path).fingerprint
    assert rows.examples[0].to_json()["conversation"] == ["before"]


def test_a_split_keeps_the_turns_and_is_what_its_manifest_says(tmp_path: Path) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text(
        "contract: 1\nname: a\nlabel_version: b\nlabels: {yes: {route: y}, no: {route: n}}\n"
        "input: {context: {turns: 1}}\n",
        encoding="utf-8",
    )
    words = ["order", "parcel", "refund", "coupon", "volume", "author", "price", "stock", "ship", "gift"]
    rows = [
        {"text": f"{word} {number} {other}", "label": "yes" if number % 2 else "no", "conversation": f"v{number // 2}"}
        for number, (word, other) in enumerate((one, two) for one in words for two in words)
    ]
    data = file_of(tmp_path / "rows.jsonl", *rows)

    assert run(["split", str(data), "--contract", str(contract), "-o", str(tmp_path / "out")]) == 0
    written = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().splitlines()]
    assert any("conversation" in row for row in written)
    assert run(["split", str(tmp_path / "out"), "--check"]) == 0
