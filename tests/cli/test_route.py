"""``interlock route``: explanations, conversations and tokens on the command line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import interlock
from interlock.build import Built
from interlock.bundle.trust import read_trust
from interlock.predict.predictor import Predictor, Trace

Command = Callable[..., tuple[int, str, str]]


def lines(monkeypatch: pytest.MonkeyPatch, *bodies: object) -> None:
    data = "".join(json.dumps(body) + "\n" for body in bodies).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_an_explanation_names_similar_training_rows_but_not_their_texts(built: Built, command: Command) -> None:
    _, said, _ = command("route", built.run / "bundle", "where is my parcel", "--explain", "--json")
    near = json.loads(said)["explain"]["neighbours"]

    assert len(near) == 5
    assert {row["label"] for row in near} == {"order"}
    assert all(set(row) == {"id", "label", "similarity"} for row in near)
    train = set(json.loads((built.run / "split.json").read_text())["parts"]["train"])
    assert {row["id"] for row in near} <= train


def test_words_are_weighed_on_request(built: Built, command: Command) -> None:
    _, said, _ = command("route", built.run / "bundle", "hello parcel", "--explain", "--occlusion", "--json")
    found = json.loads(said)["explain"]

    assert [word["word"] for word in found["words"]] == ["hello", "parcel"]
    code, said, _ = command("route", built.run / "bundle", "hello parcel", "--explain", "--occlusion")
    assert code == 0
    assert "parcel +" in said or "parcel -" in said


def test_what_a_terminal_would_obey_is_not_printed(built: Built, command: Command) -> None:
    _, said, _ = command("route", built.run / "bundle", "parcel \x1b[2J late", "--explain", "--occlusion")

    assert "\x1b[2J" not in said


def test_lines_take_conversations_and_refuse_what_is_none(
    built: Built, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = [{"text": "hello", "conversation": turns} for turns in ([], None, ["my parcel is late"])]
    bad = [{"text": "hello", "conversation": turns} for turns in ("late", [1], {"a": 1}, 0)]
    lines(monkeypatch, *good, *bad)
    code, said, error = command("route", built.run / "bundle")
    found = [json.loads(line)["reason"] for line in said.splitlines()]

    assert code == 2
    assert error.count("standard input:") == len(bad)
    assert "undecodable" not in found[:3]
    assert found[3:] == ["undecodable"] * len(bad)


@pytest.mark.parametrize("explain", [(), ("--explain",)])
def test_the_turns_before_a_message_come_before_it_in_their_order(
    built: Built, command: Command, monkeypatch: pytest.MonkeyPatch, explain: tuple[str, ...]
) -> None:
    seen: list[Sequence[str]] = []
    decide = Predictor.trace

    def looks_at(self: Predictor, text: str, conversation: Sequence[str] = (), *, with_pieces: bool = False) -> Trace:
        if text == "and when?":
            seen.append(conversation)
        return decide(self, text, conversation, with_pieces=with_pieces)

    monkeypatch.setattr(Predictor, "trace", looks_at)
    turns = ("--conversation", "my parcel is late", "--conversation", "sorry")
    assert command("route", built.run / "bundle", "and when?", *turns, *explain)[0] == 0
    assert seen == [("my parcel is late", "sorry")]


@pytest.fixture
def folder(tmp_path: Path, command: Command) -> Path:
    command("keys", "new", "router", "--role", "handoff", "--folder", tmp_path / "keys")
    return tmp_path / "keys"


def test_a_token_made_on_the_command_line_is_admitted_once(built: Built, command: Command, folder: Path) -> None:
    text = "where is my parcel, courier delivery late"
    asked = (
        "route",
        built.run / "bundle",
        text,
        "--token",
        "router",
        "--folder",
        folder,
        "--request-id",
        "r-1",
        "--json",
    )
    _, said, _ = command(*asked)
    found, guard = json.loads(said), interlock.ReplayGuard()
    pinned = {"bundle": built.bundle.digest, "route": found["route"], "trust": read_trust(folder / "trust.json")}

    assert found["outcome"] in {"routed", "guarded"}
    assert interlock.admit(found["token"], seen=guard, text=text, **pinned)
    assert not interlock.admit(found["token"], seen=guard, text=text, **pinned)
    assert not interlock.admit(found["token"], seen=interlock.ReplayGuard(), **{**pinned, "route": "person"})


def test_every_line_gets_a_token_of_its_own(
    built: Built, command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(monkeypatch, {"text": "hello", "request_id": "a"}, {"text": "hello"}, {"text": "hello"})
    _, said, _ = command("route", built.run / "bundle", "--token", "router", "--folder", folder)
    found = [json.loads(line) for line in said.splitlines()]

    assert found[0]["request_id"] == "a"
    assert len({line["request_id"] for line in found}) == 3
    assert len({line["token"] for line in found}) == 3


@pytest.mark.parametrize(
    "options",
    [
        ("hello", "--occlusion"),
        ("--explain",),
        ("--request-id", "a"),
        ("--conversation", "a"),
        ("hello", "--token", "nobody"),
        ("hello", "--token", "router", "--request-id", "x" * 201),
    ],
)
def test_options_that_mean_nothing_are_refused(
    built: Built, command: Command, folder: Path, options: tuple[str, ...]
) -> None:
    assert command("route", built.run / "bundle", *options, "--folder", folder)[0] == 2


def test_a_builders_key_signs_no_token(built: Built, command: Command, folder: Path) -> None:
    command("keys", "new", "alice", "--role", "builder", "--folder", folder)
    asked = ("route", built.run / "bundle", "parcel", "--token", "alice", "--json", "--folder")
    code, said, error = command(*asked, folder)

    assert code == 2
    assert not said
    assert "handoff" in error

    elsewhere = folder.parent / "elsewhere"  # whose trust root does not know it: no agent admits what it signs
    (elsewhere / "private").mkdir(parents=True)
    (folder / "private" / "alice.pem").rename(elsewhere / "private" / "alice.pem")
    _, said, _ = command(*asked, elsewhere)
    found = json.loads(said)
    pinned = {"bundle": built.bundle.digest, "route": found["route"], "trust": read_trust(folder / "trust.json")}
    assert not interlock.admit(found["token"], seen=interlock.ReplayGuard(), **pinned)


def test_a_revoked_key_signs_no_token(built: Built, command: Command, folder: Path) -> None:
    keyid = next(iter(read_trust(folder / "trust.json").keys))
    command("keys", "revoke", keyid, "--reason", "lost", "--folder", folder)

    assert command("route", built.run / "bundle", "parcel", "--token", "router", "--folder", folder)[0] == 2


@pytest.mark.parametrize("key", ["", "nobody", ".", "/dev/null"])
def test_a_key_that_is_not_there_is_named_with_what_could_stand_there(
    built: Built, command: Command, folder: Path, key: str
) -> None:
    code, _, error = command("route", built.run / "bundle", "parcel", "--token", key, "--folder", folder)

    assert code == 2
    assert "private key" in error
    assert repr(key) in error


def test_a_handoff_key_signs_no_bundle(bundle: Path, command: Command, folder: Path) -> None:
    code, _, said = command("sign", bundle, "--key", "router", "--folder", folder)

    assert code == 2
    assert "handoff" in said
    assert not (bundle / "signature.json").exists()
