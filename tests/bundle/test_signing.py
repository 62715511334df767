"""Keys, signatures and the ledger from the command line: two persons, a chain, and exit codes that say so."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.gate.record import ATTEMPT, PACKED, VERDICT
from interlock.store.ledger import open_ledger

Command = Callable[..., tuple[int, str, str]]
IDENTITY = {  # what every receipt of a build says of itself
    *("label_version", "label_digest", "contract_digest", "dataset_digest", "train_digest", "calibration_digest"),
    *("split_manifest_digest", "encoder", "seed", "model_digest", "tokenizer_digest", "graph_digest"),
    *("graph_int8_digest", "calibrator_digest", "detectors_digest", "policy_digest", "input_policy_digest"),
    *("input_policy_version", "code_version", "environment_digest"),
}
RECEIPTS = Path(__file__).parents[2] / "examples" / "intake" / "receipts"
GOOD, BAD = RECEIPTS / "intake_bundle_v2.json", RECEIPTS / "intake_bundle_v1.json"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_two_persons_sign_and_the_bundle_verifies(workspace: Path, tiny: Path, command: Command) -> None:
    assert command("keys", "new", "alice", "--role", "builder")[0] == 0
    assert command("keys", "new", "bob", "--folder", "elsewhere")[0] == 0
    assert command("keys", "trust", "elsewhere/bob.key.json", "--role", "approver")[0] == 0
    verified = ("verify", tiny, "--trust", "keys/trust.json", "--json")

    code, _, said = command(*verified)
    assert code == 1
    assert "not signed" in said
    assert command("sign", tiny, "--key", "alice", "--role", "builder")[0] == 0
    code, _, said = command(*verified)
    assert code == 1
    assert "approver" in said
    assert command("sign", tiny, "--key", "elsewhere/private/bob.pem", "--role", "approver")[0] == 0
    code, out, _ = command(*verified)
    assert code == 0
    assert json.loads(out)["signed"] == "approver bob, builder alice"
    assert [one["role"] for one in json.loads(out)["signers"]] == ["approver", "builder"]


def test_verify_says_plainly_what_was_not_checked(workspace: Path, tiny: Path, command: Command) -> None:
    assert "not signed: nobody vouches" in command("verify", tiny)[1]
    command("keys", "new", "alice", "--role", "builder")
    command("sign", tiny, "--key", "alice")

    code, said, _ = command("verify", tiny)
    assert code == 0
    assert "signatures not checked" in said
    assert json.loads(command("verify", tiny, "--json")[1])["signed"] == "none"
    command("keys", "require", "builder")
    assert "signed as builder by alice" in command("verify", tiny, "--trust", "keys/trust.json")[1]


def test_a_revoked_key_is_listed_and_its_bundles_are_refused(workspace: Path, tiny: Path, command: Command) -> None:
    command("keys", "new", "alice", "--role", "builder")
    command("keys", "require", "builder")
    command("sign", tiny, "--key", "alice")
    (keyid,) = json.loads(command("keys", "list", "--json")[1])["keys"]
    assert command("keys", "revoke", keyid, "--reason", "laptop lost")[0] == 0

    assert "laptop lost" in " ".join(command("keys", "list")[1].split())
    code, _, said = command("verify", tiny, "--trust", "keys/trust.json")
    assert code == 1
    assert "laptop lost" in said
    assert command("sign", tiny, "--key", "alice", "--role", "builder")[0] == 2


def test_signing_in_another_role_than_the_key_s_is_refused(workspace: Path, tiny: Path, command: Command) -> None:
    command("keys", "new", "alice", "--role", "builder")
    command("keys", "new", "eve")

    for key, said in (("alice", "sign as builder"), ("eve", "an unknown key")):
        code, _, error = command("sign", tiny, "--key", key, "--role", "approver")
        assert code == 2
        assert said in error
    assert command("keys", "trust", "keys/alice.key.json", "--role", "approver")[0] == 2
    assert not (tiny / "signature.json").exists()


def test_a_damaged_bundle_is_not_signed(workspace: Path, tiny: Path, command: Command) -> None:
    command("keys", "new", "alice")
    (tiny / "card.md").write_text("better than it is")

    assert command("sign", tiny, "--key", "alice")[0] == 1
    assert not (tiny / "signature.json").exists()


def test_a_passphrase_comes_from_the_environment_or_is_asked_for(
    workspace: Path, tiny: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_KEY_PASSPHRASE", "open sesame")
    assert command("keys", "new", "alice", "--passphrase")[0] == 0
    assert b"ENCRYPTED" in Path("keys/private/alice.pem").read_bytes()
    assert command("sign", tiny, "--key", "alice")[0] == 0
    monkeypatch.delenv("INTERLOCK_KEY_PASSPHRASE")
    monkeypatch.setattr("getpass.getpass", lambda _: "open barley")

    assert command("sign", tiny, "--key", "alice")[0] == 2


def test_verdicts_are_entered_with_their_attempt(workspace: Path, command: Command) -> None:
    code, _, _ = command("gate", BAD, "--store", "l.db", "--actor", "eve")
    assert code == 1
    code, out, _ = command("gate", GOOD, "--store", "l.db", "--actor", "eve", "--json")
    found = json.loads(out)

    assert code == 0
    assert found["attempt"] == 2  # the second candidate on the same six rows
    assert found["entry"]["action"] == VERDICT
    assert found["entry"]["note"] == "eligible_for_shadow: exact_receipt_pass"
    assert json.loads(command("gate", GOOD, "--store", "l.db", "--actor", "eve", "--json")[1]) == found  # entered once
    assert json.loads(command("gate", BAD, "--store", "l.db", "--actor", "ann", "--json")[1])["attempt"] == 1
    lines = [json.loads(line) for line in command("ledger", "show", "--store", "l.db", "--json")[1].splitlines()]
    assert [line["action"] for line in lines] == [ATTEMPT, VERDICT] * 3
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4, 5, 6]


def test_rows_that_differ_are_counted_apart(workspace: Path, command: Command) -> None:
    command("gate", BAD, "--store", "l.db", "--json")
    padded = RECEIPTS / "intake_bundle_padded.json"

    assert json.loads(command("gate", padded, "--store", "l.db", "--json")[1])["attempt"] == 1


def test_an_attestation_names_a_person_and_what_it_is_about(workspace: Path, tiny: Path, command: Command) -> None:
    digest = json.loads(command("gate", GOOD, "--json")[1])["digest"]
    for subject in (GOOD, digest):
        code, said, _ = command("attest", "confusion review", "--subject", subject, "--by", "Ada", "--store", "l.db")
        assert code == 0
        assert "entry 1\n" in said  # the same deed, entered once
    assert command("attest", "looked at it", "--subject", tiny, "--by", "Ada", "--store", "l.db")[0] == 0
    (shown,) = command("ledger", "show", "--store", "l.db", "--json", "--subject", digest)[1].splitlines()

    assert json.loads(shown)["actor"] == "Ada"
    assert json.loads(shown)["action"] == "attested: confusion review"
    assert "looked at it" in " ".join(command("ledger", "show", "--store", "l.db")[1].split())


def test_a_ledger_verifies_until_it_is_tampered_with(workspace: Path, command: Command) -> None:
    command("gate", BAD, "--store", "l.db", "--actor", "eve")
    command("gate", GOOD, "--store", "l.db", "--actor", "eve")
    code, out, _ = command("ledger", "verify", "--store", "l.db", "--json")
    head = json.loads(out)["head"]
    assert (code, json.loads(out)["entries"], json.loads(out)["whole"]) == (0, 4, True)
    assert head in command("ledger", "verify", "--store", "l.db", "--head", head)[1].replace("\n", " ")
    shutil.copy("l.db", "cut.db")

    for name, statement in (
        ("l.db", "UPDATE ledger SET note = 'fine' WHERE sequence = 2"),
        ("cut.db", "DELETE FROM ledger WHERE sequence = 4"),
    ):
        with sqlite3.connect(name) as connection:
            for trigger in ("ledger_no_update", "ledger_no_delete"):
                connection.execute(f"DROP TRIGGER {trigger}")
            connection.execute(statement)
        connection.close()
    code, _, said = command("ledger", "verify", "--store", "l.db")
    assert code == 1
    assert "entry 2" in said
    assert command("ledger", "verify", "--store", "cut.db")[0] == 0  # what is gone shows only to who kept the head
    assert command("ledger", "verify", "--store", "cut.db", "--head", head, "--json")[0] == 1


def test_a_store_that_is_not_there_is_bad_input(workspace: Path, command: Command) -> None:
    for what in ("verify", "show"):
        code, _, said = command("ledger", what, "--store", "nothing.db")
        assert code == 2
        assert "nothing.db" in said
    assert list(workspace.iterdir()) == []


def test_an_empty_ledger_is_whole(workspace: Path, command: Command) -> None:
    with open_ledger("l.db"):
        pass

    assert json.loads(command("ledger", "verify", "--store", "l.db", "--json")[1])["entries"] == 0


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ((), "dataset_version: expected the contract's tickets-2, got nothing"),
        (("--identity", "dataset_version=tickets-1"), "expected the contract's tickets-2, got tickets-1"),
        (("--identity", "dataset_versoin=tickets-2"), "did you mean 'dataset_version'?"),
        (("--identity", "seed=7"), "another name"),
        (("--identity", "dataset_version"), "NAME=VALUE"),
    ],
)
def test_a_build_that_could_be_no_evidence_for_its_contract_does_not_start(
    stated: tuple[str, ...], why: str, workspace: Path, shop: Path, command: Command
) -> None:
    contract = (shop / "contract.yaml").read_text() + "evaluation: {dataset_version: tickets-2}\n"
    (workspace / "contract.yaml").write_text(contract)
    where = ("--contract", "contract.yaml", "--data", shop / "rows.jsonl", "--encoder", "tiny", "-o", "run")
    code, _, said = command("build", *where, *stated)

    assert (code, why in " ".join(said.split())) == (2, True), said
    assert not (workspace / "run").exists()


def test_a_build_signs_its_bundle_and_enters_it(workspace: Path, shop: Path, command: Command) -> None:
    command("keys", "new", "alice", "--role", "builder")
    command("keys", "require", "builder")
    rows = (shop / "rows.jsonl").read_text().splitlines(keepends=True)
    (workspace / "rows.jsonl").write_text("".join(rows[::4]))  # enough to train on
    where = ("--contract", shop / "contract.yaml", "--data", "rows.jsonl", "--encoder", "tiny", "--epochs", "1")
    stated = ("--identity", "dataset_version=d-1", "--identity", "model_version=m=2")
    _, out, _ = command(
        "build", *where, *stated, "-o", "run", "--key", "alice", "--store", "l.db", "--actor", "ci", "--json"
    )
    found = json.loads(out)
    code, said, _ = command("verify", "run/bundle", "--trust", "keys/trust.json", "--json")
    lines = [json.loads(line) for line in command("ledger", "show", "--store", "l.db", "--json")[1].splitlines()]

    assert code == 0
    assert json.loads(said)["signed"] == "builder alice"
    assert [line["action"] for line in lines] == [ATTEMPT, VERDICT, PACKED]
    assert lines[2]["subject"] == found["bundle_digest"]
    assert lines[2]["evidence"]["receipt"] == lines[1]["subject"]
    identity = json.loads((workspace / "run" / "receipt.json").read_bytes())["identity"]
    assert (identity["dataset_version"], identity["model_version"]) == ("d-1", "m=2")
    assert identity.keys() >= IDENTITY
    assert command("ledger", "verify", "--store", "l.db")[0] == 0
