"""The registry from the command line, as two persons use it: push, activate, take back, revoke, collect."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.read import read_verified
from interlock.core.canonical import canonical
from interlock.predict.calibrators import Temperature

Command = Callable[..., tuple[int, str, str]]
TRUST = ("--trust", "keys/trust.json")


@pytest.fixture
def work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_files: Callable[..., dict[str, bytes]],
    pack_files: Callable[..., Path],
    command: Command,
) -> list[str]:
    """A workspace with a builder, two approvers and three pushed bundles, two of which became champion."""
    monkeypatch.chdir(tmp_path)
    for name, role in (("alice", "builder"), ("bob", "approver"), ("dora", "approver")):
        assert command("keys", "new", name, "--role", role)[0] == 0
    digests = []
    for day in (1, 2, 3):
        files = make_files(calibrator_json=canonical(Temperature(1 + day / 10).to_json()))
        pack_files(tmp_path / f"day{day}", files, created=f"2026-01-0{day}T00:00:00+00:00")
        for name in ("alice", "bob"):
            assert command("sign", f"day{day}", "--key", name)[0] == 0
        code, said, _ = command("registry", "push", f"day{day}", *TRUST, "--json")
        assert code == 0
        digests.append(json.loads(said)["digest"])
    for digest in digests[:2]:
        assert command("registry", "alias", "champion", digest, *TRUST)[0] == 0
    return digests


def whole(shown: str, digest: str) -> bool:
    """Whether a digest stands in a table, folded perhaps."""
    cells = [line.split("│")[place].strip() for line in shown.splitlines() for place in (1, 3) if line.count("│") > 3]
    return digest in "".join(cells[::2]) + " " + "".join(cells[1::2])


def listed(command: Command) -> Any:
    return json.loads(command("registry", "list", "--json")[1])


def test_going_back_takes_two_approvers_and_stands_in_the_ledger(work: list[str], command: Command) -> None:
    code, _, why = command("registry", "alias", "champion", work[0], *TRUST)
    assert code == 1
    assert "token of two approvers" in why
    assert command("registry", "rollback", work[0], "--key", "bob", "--reason", "astray", "-o", "t.json")[0] == 0
    assert command("registry", "approve", "t.json", "--key", "bob")[0] == 0  # the same person again
    code, _, why = command("registry", "alias", "champion", work[0], *TRUST, "--token", "t.json")
    assert code == 1
    assert "two persons who approve" in why
    code, said, _ = command("registry", "approve", "t.json", "--key", "dora")
    assert (code, work[0] in said, "astray" in said) == (0, True, True)

    code, said, _ = command("registry", "alias", "champion", work[0], *TRUST, "--token", "t.json")
    assert (code, "by token" in said) == (0, True)
    assert "so already" in command("registry", "alias", "champion", work[0], *TRUST)[1]
    assert listed(command)["aliases"]["champion"]["basis"] == "token"
    last = json.loads(command("ledger", "show", "--json")[1].splitlines()[-1])
    assert (last["action"], last["subject"], last["note"]) == ("alias champion", work[0], "astray (bob, dora)")


def test_a_builder_s_key_spoils_no_token(work: list[str], command: Command) -> None:
    code, _, why = command("registry", "rollback", work[0], "--key", "alice", "--reason", "x")
    assert (code, "a trusted approver" in why, Path("rollback.json").exists()) == (2, True, False)
    assert command("registry", "rollback", work[0], "--key", "bob", "--reason", "x")[0] == 0
    before = Path("rollback.json").read_bytes()
    assert command("registry", "approve", "rollback.json", "--key", "alice")[0] == 2
    assert Path("rollback.json").read_bytes() == before
    assert command("keys", "new", "zoe")[0] == 0  # whom this workspace's root does not know; another's may
    assert command("registry", "approve", "rollback.json", "--key", "zoe")[0] == 0


def test_what_is_revoked_becomes_champion_no_more_and_what_nothing_names_is_removed(
    work: list[str], command: Command
) -> None:
    assert "1 removed" in command("registry", "gc")[1].splitlines()[-1]
    assert set(listed(command)["bundles"]) == set(work[:2])
    assert command("registry", "push", "day3", *TRUST)[0] == 0
    assert command("registry", "revoke", work[2], "--reason", "no consent")[0] == 0
    code, _, why = command("registry", "alias", "champion", work[2], *TRUST)
    assert (code, "revoked" in why) == (1, True)
    assert json.loads(command("registry", "gc", "--json")[1]) == {"removed": []}  # the ledger names it now

    assert command("registry", "pull", "champion", "-o", "served", *TRUST)[0] == 0
    assert read_verified(Path("served")).digest == work[1]
    shown = command("registry", "list")[1]
    assert "champion" in shown
    assert whole(shown, work[1])


def test_key_ids_are_shown_whole_as_revoking_needs_them(work: list[str], command: Command) -> None:
    root = json.loads(command("keys", "list", "--json")[1])
    shown = command("keys", "list")[1]

    assert all(whole(shown, keyid) for keyid in root["keys"])


def test_an_alias_asks_for_a_trust_root_or_says_that_it_is_for_development(work: list[str], command: Command) -> None:
    code, _, why = command("registry", "alias", "shadow", work[2])
    assert (code, "--development" in why) == (2, True)
    assert command("registry", "alias", "shadow", work[2], "--development")[0] == 0
    assert command("registry", "alias", "champion", work[2], "--development")[0] == 1
    assert listed(command)["aliases"]["shadow"]["basis"] == "development"


@pytest.mark.parametrize(
    "asked",
    [
        ("list",),
        ("gc",),
        ("pull", "champion", "-o", "out"),
        ("alias", "champion", "sha256:" + "0" * 64, "--development"),
        ("revoke", "sha256:" + "0" * 64, "--reason", "astray"),
        ("publish", "champion", "--mlflow", "sqlite:///mlflow.db"),
    ],
    ids=lambda asked: asked[0],
)
def test_a_store_that_is_not_there_is_told_and_not_made(
    asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, why = command("registry", *asked, "--store", "mistyped.db")

    assert code == 2
    assert "there is no store at mistyped.db" in why
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [None, "manifest.json", "calibrator.json"])
def test_pushing_what_is_no_bundle_makes_neither_registry_nor_store(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_files: Callable[..., dict[str, bytes]],
    pack_files: Callable[..., Path],
    command: Command,
    damage: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    if damage is not None:
        pack_files(tmp_path / "bundle", make_files())
        (tmp_path / "bundle" / damage).write_bytes(b"{}")
    before = sorted(tmp_path.iterdir())

    assert command("registry", "push", "bundle")[0] in {1, 2}
    assert sorted(tmp_path.iterdir()) == before
