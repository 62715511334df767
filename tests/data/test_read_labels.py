"""Labels that a person would take for one another are refused in pairs, and thousands of labels are read."""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.contract_file import parse_contract
from interlock.core.errors import InputError
from interlock.data import rows as rows_module
from interlock.data.alike import alike
from interlock.data.read import read

PAIRS = {
    "case": ("order", "Order"),
    "German case": ("straße", "STRASSE"),
    "space around": ("order", " order"),
    "space inside": ("order status", "order  status"),
    "a space that does not break": ("order status", "order\u00a0status"),
    "composed and decomposed": ("caf\u00e9", "cafe\u0301"),
    "full width": ("order", "\uff4f\uff52\uff44\uff45\uff52"),
    "half width kana": ("\u30ab\u30bf", "\uff76\uff80"),
    "a ligature": ("office", "o\ufb03ce"),
    "a Cyrillic letter": ("order", "\u043erder"),
    "a capital Greek letter": ("ORDER", "\u039fRDER"),
    "a character of no width": ("order", "or\u200bder"),
    "a soft hyphen": ("order", "or\u00adder"),
}
DIFFERENT = [
    ("order", "orders"),
    ("a_b", "a-b"),
    ("か", "が"),
    ("résumé", "resume"),
    ("1", "l"),
    ("कि", "की"),
    ("ß", "b"),
]


def rows(path: Path, labels: list[str]) -> Path:
    said = (json.dumps({"text": f"t{i}", "label": label}) + "\n" for i, label in enumerate(labels))
    path.write_text("".join(said), encoding="utf-8")
    return path


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_labels_that_look_the_same_are_refused_as_a_pair(one: str, other: str, tmp_path: Path) -> None:
    path = rows(tmp_path / "rows.jsonl", [one, one, other, "another"])

    with pytest.raises(InputError) as caught:
        read(path)

    (problem,) = caught.value.problems
    assert f"{one!r} (2 rows) and {other!r} (1 rows)" in problem.got
    assert problem.got.isascii() or ascii(other)[1:-1].replace("\\", "\\\\") in problem.got or "that is" in problem.got


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_labels_that_a_person_can_tell_apart_are_fine(one: str, other: str, tmp_path: Path) -> None:
    assert set(read(rows(tmp_path / "rows.jsonl", [one, other])).counts()) == {one, other}


def test_a_contract_says_which_labels_are_meant(tmp_path: Path) -> None:
    path = rows(tmp_path / "rows.jsonl", ["order", "Order"])

    assert len(read(path, labels=["order", "Order"])) == 2
    with pytest.raises(InputError, match="did you mean 'order'"):
        read(path, labels=["order", "refund"])


def test_a_workspace_is_not_made_from_labels_that_look_the_same(
    tmp_path: Path, command: Callable[..., tuple[int, str, str]]
) -> None:
    path = rows(tmp_path / "rows.jsonl", ["order", "Order", "other"])

    code, _, said = command("new", tmp_path / "mine", "--from-data", path)

    assert code == 2
    assert "'order' (1 rows) and 'Order' (1 rows)" in said
    assert not (tmp_path / "mine").exists()


@given(st.lists(st.text(min_size=1), unique=True, max_size=6))
def test_looking_the_same_does_not_depend_on_form_or_case(labels: list[str]) -> None:
    found = {name for pair in alike(labels) for name in pair}

    assert found <= set(labels)
    for label in labels:
        for other in (unicodedata.normalize("NFD", label), f" {label} "):
            assert other == label or alike([label, other]) == [(label, other)]


def test_ten_thousand_labels_are_read_and_make_a_contract(
    tmp_path: Path, command: Callable[..., tuple[int, str, str]]
) -> None:
    labels = [f"intent number {i}" for i in range(10_000)]
    path = rows(tmp_path / "rows.jsonl", labels * 2)
    started = time.process_time()

    assert len(read(path).counts()) == 10_000
    assert command("new", tmp_path / "mine", "--from-data", path)[0] == 0
    contract = parse_contract((tmp_path / "mine" / "contract.yaml").read_bytes())
    assert len(read(path, labels=contract.label_names)) == 20_000

    assert time.process_time() - started < 120  # quadratic work would take hours


def test_hints_are_looked_for_only_as_often_as_they_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def hint(name: str, known: list[str]) -> str:
        asked.append(name)
        return f" (one of {known})"

    monkeypatch.setattr(rows_module, "did_you_mean", hint)
    path = rows(tmp_path / "rows.jsonl", [f"wrong {i // 2}" for i in range(1000)])

    with pytest.raises(InputError, match="1000 problems"):
        read(path, labels=["order", "refund"])

    assert asked == [f"wrong {i}" for i in range(50)]
