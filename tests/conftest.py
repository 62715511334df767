"""What several rooms' tests share: one tiny build a session, made by the real walk."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.build import Built, build
from interlock.train.recipe import Recipe

WORDS = {
    "order": ["where", "is", "my", "parcel", "late", "tracking", "courier", "delivery"],
    "refund": ["money", "back", "return", "broken", "refund", "send", "item", "torn"],
    "hello": ["hi", "hello", "thanks", "morning", "bye", "friend", "nice", "day"],
}
CONTRACT = """\
contract: 1
name: shop
label_version: shop-v1
labels:
  order: {route: tracking, keywords: [parcel]}
  refund: {route: returns, critical: true}
  hello: {route: smalltalk}
input: {max_tokens: 24, max_chars: 300}
fallback: {uncertain: assistant, failure: person}
decide:
  auto: {confidence: 0.8, margin: 0.2}
  guarded: {confidence: 0.55}
  unknown: {keep_known: 0.95}
limits:
  accuracy: {at_least: 0.7}
  accuracy_vs_champion: {at_least: -0.5}
"""


def shop_rows(count: int, *, seed: int = 1) -> list[dict[str, str]]:
    """Return labelled messages that a small model can learn: words of one label with some of the others'."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        label = sorted(WORDS)[number % len(WORDS)]
        own = chance.choices(WORDS[label], k=6)
        other = chance.choices([word for words in WORDS.values() for word in words], k=1)
        text = " ".join([*own, *other, f"n{chance.randrange(10**6)}"])
        rows.append({"id": f"r{number:05d}", "text": text, "label": label, "group": f"customer{number // 3}"})
    return rows


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace: contract.yaml and rows.jsonl."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    write_rows(folder / "rows.jsonl", shop_rows(900))
    return folder


@pytest.fixture(scope="session")
def built(shop: Path) -> Built:
    """A router built by the real walk: random tiny encoder, real training, real graphs, real bundle."""
    return build(
        contract=shop / "contract.yaml",
        data=shop / "rows.jsonl",
        out=shop / "run",
        encoder="tiny",
        recipe=Recipe(epochs=3, batch_size=16),
    )


@pytest.fixture
def bundle(built: Built, tmp_path: Path) -> Path:
    """A copy of the built bundle that a test may spoil."""
    return Path(shutil.copytree(built.run / "bundle", tmp_path / "bundle"))


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: arguments in; exit code, stdout and stderr out."""
    from interlock.cli.app import run

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture(scope="session")
def clinc150() -> Path:
    """The folder of CLINC150's rows; the longer proofs that need it are skipped without."""
    folder = Path(os.environ.get("INTERLOCK_DATA", "")) / "clinc150"
    if not (folder / "train.jsonl").is_file():
        pytest.skip("set INTERLOCK_DATA to the folder of the public datasets")
    return folder
