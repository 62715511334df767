"""The whole audit: its laws, its files, its command, its page, and data that is odd."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.core.contract import Contract
from interlock.core.dataset import Example
from interlock.core.errors import InputError
from interlock.data.audit.finding import Finding
from interlock.data.audit.load import load
from interlock.data.audit.page import page
from interlock.data.audit.run import CHECKS, Audit, examine
from interlock.data.traffic import simulate
from interlock.report.figures import svg

Look = Callable[..., Audit]
Make = Callable[..., list[Example]]
Terms = Callable[..., Contract]
Command = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def contract_file(path: Path, labels: list[str], *, critical: str = "") -> Path:
    lines = [f"  {json.dumps(name)}: {{route: r, critical: {str(name == critical).lower()}}}" for name in labels]
    path.write_text("\n".join(["contract: 1", "name: c", "label_version: v1", "labels:", *lines]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def world() -> list[dict[str, object]]:
    return list(simulate(3000, seed=11))


@pytest.fixture
def workspace(tmp_path: Path, world: list[dict[str, object]]) -> Path:
    write(tmp_path / "rows.jsonl", world)
    contract_file(tmp_path / "contract.yaml", sorted({str(row["label"]) for row in world}))
    return tmp_path


@settings(max_examples=5, deadline=None)
@given(order=st.randoms())
def test_the_order_of_rows_changes_nothing(order: random.Random, look: Look, make: Make) -> None:
    rows = [*make(120), replace(make(120)[3], id="copy"), Example("two", "song album and oven", ("music", "cooking"))]
    mixed = list(rows)
    order.shuffle(mixed)

    assert look(mixed).to_json() == look(rows).to_json()


def test_every_id_is_a_row_and_no_id_is_listed_twice(world: list[dict[str, object]], terms: Terms) -> None:
    rows = [
        Example(str(row["id"]), str(row["text"]), (str(row["label"]),), group=str(row["group"]), source=row["source"])  # type: ignore[arg-type]
        for row in world
    ]
    audit = examine({"train": rows}, contract=terms(*sorted({row.label for row in rows})))
    ids = {row.id for row in rows}

    assert len(audit.findings) > 10
    for finding in audit.findings:
        assert set(finding.rows) <= ids, finding.code
        assert len(set(finding.rows)) == len(finding.rows), finding.code
        assert set(finding.suggestions) | set(finding.keep) | set(finding.keep.values()) <= ids
        assert not set(finding.suggestions.values()) - set(audit.subject.labels)
        assert len(finding.examples) <= 3


def test_the_command_prints_one_object_and_exits_by_the_verdict(workspace: Path, command: Command) -> None:
    code, said, _ = command("audit", workspace / "rows.jsonl", "--contract", workspace / "contract.yaml", "--json")
    found = json.loads(said)
    contract_file(workspace / "hard.yaml", sorted({f["label"] for f in _rows(workspace)}), critical="escalation")
    hard, refused, _ = command("audit", workspace / "rows.jsonl", "--contract", workspace / "hard.yaml", "--json")

    assert found["rows"] == 3000
    assert code == (1 if any(f["severity"] == "reject" for f in found["findings"]) else 0)
    assert all(set(f) >= {"code", "severity", "count", "rows", "action"} for f in found["findings"])
    assert hard == 1
    assert json.loads(refused)["verdict"] == "reject"


def _rows(workspace: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (workspace / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


def test_people_read_codes_examples_and_actions(workspace: Path, command: Command) -> None:
    _, said, _ = command("audit", workspace / "rows.jsonl", "--contract", workspace / "contract.yaml")

    for word in ("duplicate.exact", "label.noise", "Keep the first row", "3000 rows"):
        assert word in said


def test_the_page_stands_alone_and_escapes_what_data_says(workspace: Path, command: Command) -> None:
    rows = _rows(workspace)
    rows[0]["text"] = "<script>alert('x')</script> {{ 7 * 7 }} 日本 お店 please"
    write(workspace / "rows.jsonl", rows)  # type: ignore[arg-type]
    command(
        "audit", workspace / "rows.jsonl", "--contract", workspace / "contract.yaml", "--html", workspace / "a.html"
    )
    whole = (workspace / "a.html").read_text(encoding="utf-8")

    assert whole.count("<svg") == 4
    assert "<script" not in whole
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", whole)
    assert not re.search(r"url\((?!#)", whole)
    assert "duplicate.exact" in whole


def test_an_injected_label_cannot_speak_html(look: Look, terms: Terms, make: Make) -> None:
    evil = "<img src=x onerror=alert(1)> $x_{2}$"
    rows = [replace(row, labels=(evil,)) if row.label == "music" else row for row in make(80)]
    whole = page(look(rows, contract=terms("billing", "cooking", evil, "travel")), svg=svg)

    assert "<img" not in whole
    assert "&lt;img" in whole


def test_parts_come_from_files_or_from_the_field_split(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"id": "1", "text": "one", "label": "a", "split": "train"},
        {"id": "2", "text": "two", "label": "b", "split": "Validation"},
        {"id": "3", "text": "three", "label": "a", "split": "test"},
        {"id": "4", "text": "four", "label": "a", "split": "holdout"},
        {"id": "5", "text": "five", "label": "a"},
    ]
    path = write(tmp_path / "r.jsonl", rows)
    test = write(tmp_path / "t.jsonl", [{"id": "t", "text": "six", "label": "a"}])
    parts, notes = load(path, labels=("a", "b"), test=None, calibration=None)
    by_file, _ = load(path, labels=("a", "b"), test=test, calibration=None)

    assert {part: [row.id for row in some] for part, some in parts.items()} == {
        "train": ["1", "4", "5"],
        "calibration": ["2"],
        "test": ["3"],
    }
    assert notes == ["the split 'holdout' of 1 rows is not known and was read as train"]
    assert {part: len(some) for part, some in by_file.items()} == {"train": 5, "test": 1}


def test_a_leak_between_files_exits_with_1(workspace: Path, command: Command) -> None:
    write(workspace / "test.jsonl", [{**row, "id": f"t{row['id']}"} for row in _rows(workspace)[:5]])
    code, said, _ = command(
        "audit",
        workspace / "rows.jsonl",
        "--contract",
        workspace / "contract.yaml",
        "--test",
        workspace / "test.jsonl",
        "--json",
    )
    found = {f["code"]: f for f in json.loads(said)["findings"]}

    assert code == 1
    assert {row["id"] for row in _rows(workspace)[:5]} <= set(found["split.leak"]["rows"])


BAD: dict[str, list[dict[str, object]]] = {
    "a label in another case": [{"text": "x", "label": "A"}, {"text": "y", "label": "b"}],
    "a label in another Unicode form": [{"text": "x", "label": "cafe\u0301"}, {"text": "y", "label": "b"}],
    "an empty text": [{"text": " ", "label": "a"}],
    "no label": [{"text": "x"}],
    "one id twice": [{"id": "1", "text": "x", "label": "a"}, {"id": "1", "text": "y", "label": "a"}],
}


@pytest.mark.parametrize("rows", BAD.values(), ids=BAD)
def test_bad_rows_are_one_message_and_exit_2(rows: list[dict[str, object]], tmp_path: Path, command: Command) -> None:
    contract = contract_file(tmp_path / "c.yaml", ["a", "b", "café"])
    code, said, error = command("audit", write(tmp_path / "r.jsonl", rows), "--contract", contract)

    assert (code, said) == (2, "")
    assert "r.jsonl:" in error


ODD: dict[str, list[Example]] = {
    "one row": [Example("1", "hello", ("a",))],
    "one label": [Example(str(i), f"hello number {i} of many", ("a",)) for i in range(30)],
    "one text": [Example(str(i), "hello", (("a", "b")[i % 2],)) for i in range(30)],
    "nothing but signs": [Example(str(i), "?!"[i % 2] * (i + 1), (("a", "b")[i % 2],)) for i in range(20)],
    "one letter each": [Example(str(i), chr(97 + i), (("a", "b")[i % 2],)) for i in range(20)],
    "several labels only": [Example(str(i), f"text {i}", ("a", "b")) for i in range(20)],
    "a megabyte": [Example("1", "ab " * 300_000, ("a",)), Example("2", "1" * 900_000, ("b",))],
    "dates without dashes": [Example(str(i), f"text {i}", ("a",), timestamp="20260421T101010Z") for i in range(60)],
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD)
def test_odd_data_is_audited_and_drawn(rows: list[Example], look: Look, terms: Terms) -> None:
    audit = look(rows, contract=terms("a", "b"))

    assert len(audit.subject.rows) == len(rows)
    assert "<svg" in page(audit, svg=svg)
    json.dumps(audit.to_json(), allow_nan=False)


def test_ten_thousand_labels_are_counted_and_what_is_passed_over_is_said(look: Look, terms: Terms) -> None:
    names, chance = tuple(f"l{i}" for i in range(10_000)), random.Random(1)
    audit = look(
        [Example(str(i), f"text {chance.getrandbits(64):x}", (names[i // 2],)) for i in range(20_000)],
        contract=terms(*names),
    )
    floor = audit.found("label.floor")

    assert floor is not None
    assert floor.count == 10_000
    assert any(note.startswith("label.noise") for note in audit.notes)
    assert audit.found("label.noise") is None


def test_two_files_may_not_use_one_id_for_two_texts(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", [{"id": "1", "text": "x", "label": "a"}])
    other = write(tmp_path / "b.jsonl", [{"id": "1", "text": "y", "label": "a"}])

    with pytest.raises(InputError, match="one text for one id"):
        load(one, labels=("a",), test=other, calibration=None)


def test_every_code_is_explained() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    folder = ROOT / "src" / "interlock" / "data" / "audit" / "checks"
    written = {code for path in folder.glob("*.py") for code in re.findall(r'"([a-z]+\.[a-z]+)"', path.read_text())}

    assert set(CHECKS) <= written
    for code in written:
        assert f"| `{code}` |" in reference, code


def test_a_finding_without_a_two_part_code_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="not a finding"):
        Finding("noise", "warn", count=1, action="")


def test_an_encoder_that_is_not_there_is_bad_usage(workspace: Path, command: Command) -> None:
    code, _, error = command(
        "audit", workspace / "rows.jsonl", "--contract", workspace / "contract.yaml", "--encoder", "no/such"
    )

    assert code == 2
    assert "--encoder" in error
