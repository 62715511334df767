"""A run folder: whose it is, what is gone on with, and what is never touched."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.run import CONFIG, FINISHED, LOCK, start_run
from interlock.core.errors import InputError


def begun(folder: Path, config: dict[str, Any] | None = None, **keep: list[str]) -> None:
    """Begin a run and let it be interrupted."""
    start_run(folder, config if config is not None else {"seed": 1}, **keep).close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_new_folder_is_made_with_its_parents_and_an_empty_one_is_taken(tmp_path: Path) -> None:
    begun(tmp_path / "a" / "b")
    (tmp_path / "empty").mkdir()
    begun(tmp_path / "empty")

    assert names(tmp_path / "a" / "b") == names(tmp_path / "empty") == {CONFIG, LOCK}


def test_what_is_no_run_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        begun(tmp_path / "file")
    for number, config in enumerate([None, "[]", '{"run": 2}', "{", "\xff"]):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        (folder / "thesis.tex").write_text("mine")
        if config is not None:
            (folder / CONFIG).write_text(config, encoding="latin-1")
        before = names(folder)
        with pytest.raises(InputError, match="holds no run"):
            begun(folder)
        assert names(folder) == before


def test_an_interrupted_run_keeps_what_was_asked_for_only_under_the_same_configuration(tmp_path: Path) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")

    def spoilt() -> None:
        (run / "kept").write_text("1")
        (run / "model").mkdir()
        (run / "model" / "weights").write_text("1")
        (run / "link").symlink_to(elsewhere)

    begun(run)
    spoilt()
    begun(run, keep=["kept"])
    assert names(run) == {CONFIG, LOCK, "kept"}
    spoilt()
    begun(run, {"seed": 2}, keep=["kept"])
    assert names(run) == {CONFIG, LOCK}
    assert (elsewhere / "mine").exists()  # a link goes, not what it points at


def test_a_run_that_died_before_it_said_what_it_was_can_be_begun_again(tmp_path: Path) -> None:
    (tmp_path / LOCK).touch()
    begun(tmp_path)

    assert names(tmp_path) == {CONFIG, LOCK}


def test_a_finished_run_is_never_cleared_even_when_it_finished_while_another_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path)
    taken = fcntl.flock

    def finished_meanwhile(*given: Any) -> None:
        (tmp_path / FINISHED).write_text("{}")
        taken(*given)

    monkeypatch.setattr(fcntl, "flock", finished_meanwhile)
    with pytest.raises(InputError, match="finished run"):
        begun(tmp_path)
    monkeypatch.undo()
    with pytest.raises(InputError, match="finished run"):
        begun(tmp_path)
    assert (tmp_path / FINISHED).exists()


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    lock = start_run(tmp_path, {})
    with lock, pytest.raises(InputError, match="another build"):
        begun(tmp_path, {})
    begun(tmp_path, {})
