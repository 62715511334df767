"""A router whose gate learns from messages it should not know, through the real walk."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CONTRACT, shop_rows, write_rows

from interlock.bundle.open import open_bundle
from interlock.calibrate.fit import Calibration, in_second_half
from interlock.core.decision import Reason
from interlock.predict.calibrators import Temperature
from interlock.predict.detectors import Energy, UnknownGate
from interlock.predict.normalise import same_text_key
from interlock.strangers import notes
from interlock.testing import tiny_contract

Command = Callable[..., tuple[int, str, str]]
STRANGE = ["volcano", "recipe", "quantum", "piano", "galaxy", "senate", "whale", "algebra", "opera", "glacier"]
LABELS = CONTRACT.replace("  hello:", "  music: {route: music}\n  hello:").replace(
    "keep_known: 0.95", "keep_known: 0.9"
)
MUSIC = ["play", "song", "album", "band", "louder", "shuffle", "tune", "radio"]


def rows(count: int, *, seed: int) -> list[dict[str, str]]:
    """Return messages of four labels, no two with one id."""
    found = [
        {**row, "id": f"s{seed}-{row['id']}", "group": f"s{seed}-{row['group']}"} for row in shop_rows(count, seed=seed)
    ]
    chance = random.Random(seed)
    for row in found[::4]:
        row |= {"label": "music", "text": " ".join([*chance.choices(MUSIC, k=6), f"m{chance.randrange(10**6)}"])}
    return found


PARTS = {"data": rows(320, seed=1), "calibration": rows(520, seed=2), "test": rows(100, seed=3)}


def strangers(count: int) -> list[str]:
    """Return messages of words that no label has."""
    chance = random.Random(3)
    return [" ".join([*chance.choices(STRANGE, k=6), f"n{chance.randrange(10**6)}"]) for _ in range(count)]


def built(command: Command, folder: Path, *more: object) -> tuple[int, dict[str, Any], str]:
    (folder / "contract.yaml").write_text(LABELS)
    files = {name: write_rows(folder / f"{name}.jsonl", part) for name, part in PARTS.items()}
    given = [word for name, path in files.items() for word in (f"--{name}", path)]
    given += ["--contract", folder / "contract.yaml", "-o", folder / "run", "--encoder", "tiny", "--epochs", "2"]
    code, said, error = command("build", *given, "--rdrop", "0", "--json", *more)
    return code, json.loads(said.splitlines()[-1]) if code < 2 else {}, error


def test_the_gate_learns_from_one_half_of_the_unknown_rows_and_is_reported_on_the_other(
    command: Command, tmp_path: Path
) -> None:
    texts = strangers(120)
    unknown = tmp_path / "unknown.csv"  # as people have them: a table, with a column nobody asked for
    unknown.write_text("text,label\n" + "".join(f"{text},oos\n" for text in [*texts, texts[0].upper()]))
    _, body, _ = built(command, tmp_path, "--unknown", unknown)

    second = in_second_half([same_text_key(text) for text in texts])
    reported = [text for text, held in zip(texts, second, strict=True) if held]
    assert body["unknown"]["unknown_recall"]["n"] == len(reported)
    assert set(body["unknown"]) == {"unknown_auroc", "unknown_fpr95", "unknown_recall", "unknown_precision"}
    bundle = open_bundle(tmp_path / "run" / "bundle")
    card = (tmp_path / "run" / "bundle" / "receipt.json").read_text()
    assert f'"unknown_rows":{len(texts) - len(reported)}' in card.replace(" ", "")
    stopped = sum(bundle.decide(text).reason is Reason.UNKNOWN for text in reported)
    assert body["unknown"]["unknown_recall"]["value"] == pytest.approx(stopped / len(reported))


def test_a_message_cannot_be_known_and_unknown(command: Command, tmp_path: Path) -> None:
    both = write_rows(
        tmp_path / "unknown.jsonl", [{"text": strangers(1)[0]}, {"text": PARTS["calibration"][7]["text"].upper()}]
    )
    code, _, error = built(command, tmp_path, "--unknown", both)

    assert code == 2
    assert PARTS["calibration"][7]["id"] in error
    assert "1 messages" in error
    assert not (tmp_path / "run" / "bundle").exists()


def test_unknown_rows_that_do_not_read_are_all_named(command: Command, tmp_path: Path) -> None:
    bad = tmp_path / "unknown.jsonl"
    bad.write_text('{"text": "a volcano"}\n{"text": " "}\n{"label": "oos"}\n')
    code, _, error = built(command, tmp_path, "--unknown", bad)

    assert code == 2
    assert all(f"unknown.jsonl:{line}" in error for line in (2, 3))
    assert not (tmp_path / "run" / "bundle").exists()


def test_a_gate_that_is_not_what_the_contract_asks_for_is_said() -> None:
    contract = tiny_contract(decide="{unknown: {method: combined, keep_known: 0.95}}")
    facts = {"unknown": {"method": "energy", "rows": 18}}
    open_gate = Calibration(Temperature(1.0), UnknownGate(math.inf, Energy()), facts)
    said = list(notes(open_gate, contract, given=False))

    assert any("lets every message pass" in note and "takes 19 rows, it had 18" in note for note in said)
    assert any("energy stands in for combined" in note for note in said)
    asked_for = tiny_contract(decide="{unknown: {method: energy, keep_known: 0.95}}")
    shut = Calibration(Temperature(1.0), UnknownGate(2.0, Energy()), facts)
    assert list(notes(shut, asked_for, given=False)) == []
    assert len(list(notes(shut, asked_for, given=True))) == 1
