"""Lines decided by several processes: the same decisions, in the same order, by the same bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from interlock.build import Built
from interlock.bulk import CHUNK, Answer, answers
from interlock.bundle.open import open_bundle
from interlock.core.errors import RefusedError

WORDS = ["where is my parcel", "money back", "hello friend", "", "parcel refund hello", "\u3164"]


def lines() -> list[bytes]:
    messages = [json.dumps({"text": f"{WORDS[i % len(WORDS)]} {'late ' * (i % 5)}"}).encode() for i in range(3 * CHUNK)]
    return [*messages, b"no json", b'{"text": 3}', b"[]", b"\xff", b""]


def said(found: list[Answer]) -> list[dict[str, Any]]:
    return [{**one.decision.to_json(), "stage_ms": None} for one in found]


def test_several_processes_decide_as_one_does_and_in_order(built: Built) -> None:
    folder = built.run / "bundle"
    bundle = open_bundle(folder)
    alone = list(answers(bundle, folder, lines()))
    together = list(answers(bundle, folder, lines(), processes=2))

    assert said(together) == said(alone)
    assert [one.asked is not None for one in together] == [True] * (3 * CHUNK) + [False] * 5
    assert {one["reason"] for one in said(together)[-5:]} == {"undecodable"}
    assert len({one["label"] for one in said(together)}) > 2


def test_one_process_answers_a_line_before_it_reads_the_next(built: Built) -> None:
    read = []

    def slowly() -> Any:
        for line in lines():
            read.append(line)
            yield line

    folder = built.run / "bundle"
    next(answers(open_bundle(folder), folder, slowly()))

    assert len(read) == 1


def test_another_bundle_in_its_place_decides_nothing(built: Built, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(built.run / "bundle", tmp_path / "bundle"))
    bundle = open_bundle(folder)
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes() + b" ")

    with pytest.raises(RefusedError, match="the bundle changed"):
        list(answers(bundle, folder, lines(), processes=2))
