"""Crashes of the event store: a quick power cut at every step; all proofs with their table: python -m bench.crashes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The package ``bench.crashes``, which stands beside the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT), *sys.path])
        found = importlib.import_module("bench.crashes.__main__")
        if not found.usable():
            pytest.skip("strace is not here, or may not trace")
        yield found


def cut(bench: Any, folder: Path, synchronous: str, *, each: int) -> Any:
    (folder / "run").mkdir()
    (folder / "images").mkdir()
    ops = bench.record(folder / "run" / bench.STORE, "--count", "10", "--synchronous", synchronous)
    return bench.cut_everywhere(ops, folder / "images", each=each, seed=1)


def test_a_power_cut_at_any_step_loses_no_acknowledged_event(bench: Any, tmp_path: Path) -> None:
    found = cut(bench, tmp_path, "FULL", each=2)

    assert found.images > 250
    assert (found.lost, found.doubled, found.corrupt) == (0, 0, 0)


@pytest.mark.parametrize(("synchronous", "damage"), [("NORMAL", "lost"), ("OFF", "corrupt")])
def test_the_same_cuts_find_a_writer_that_does_not_flush(
    bench: Any, tmp_path: Path, synchronous: str, damage: str
) -> None:
    assert getattr(cut(bench, tmp_path, synchronous, each=1), damage) > 0


@pytest.mark.slow
def test_every_row_of_the_table_is_as_the_document_says(bench: Any, tmp_path: Path) -> None:
    table = {said: tally for said, tally, _ in bench.rows(tmp_path, events=30, each=20)}
    bites = {said for said, tally in table.items() if tally.lost or tally.corrupt or tally.doubled}

    assert bites == {said for said in table if "NORMAL" in said or "OFF" in said or "trusting" in said}


@pytest.mark.slow
def test_a_fault_of_any_call_loses_nothing_and_the_store_goes_on(bench: Any, tmp_path: Path) -> None:
    for said, tally, unrecovered in bench.faults(tmp_path):
        assert tally.images > 0, said
        assert (tally.lost, tally.doubled, tally.corrupt, unrecovered) == (0, 0, 0, 0), said
