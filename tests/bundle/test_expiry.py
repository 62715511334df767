"""Keys and trust roots that end: what counts by which clock, and what a time must look like."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.handoff import Refusal, examine, make_token
from interlock.bundle.keys import SigningKey
from interlock.bundle.open import Bundle, open_bundle
from interlock.bundle.read import read_verified
from interlock.bundle.replay import ReplayGuard
from interlock.bundle.rollback import approve, check_token, propose
from interlock.bundle.sign import sign_bundle
from interlock.bundle.trust import NOBODY, PublicKey, Role, Trust, read_trust
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import InputError, RefusedError
from interlock.testing import FrozenClock

Keys = dict[str, SigningKey]
START, END = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ONE = "sha256:" + "1" * 64


def public(keys: Keys, name: str) -> PublicKey:
    return PublicKey(key=1, algorithm="ed25519", name=name, public=keys[name].public)


@pytest.fixture
def ending(keys: Keys) -> Trust:
    """As ``trust``, but alice's key counts in May alone."""
    root = NOBODY.with_key(public(keys, "alice"), "builder", at=START, expires=END.isoformat())
    return root.with_key(public(keys, "bob"), "approver").with_key(public(keys, "carol"), "builder")


def opened(bundle: Path, trust: Trust, now: datetime) -> Bundle:
    return open_bundle(bundle, trust, clock=FrozenClock(now))


def test_a_key_counts_from_when_it_was_listed_until_it_expires(signed: Path, ending: Trust) -> None:
    before = START - timedelta(minutes=5)  # clocks differ

    assert opened(signed, ending, before).signed == opened(signed, ending, END - TICK).signed
    with pytest.raises(RefusedError, match="alice's, expired at 2026-06-01T00:00:00"):
        opened(signed, ending, END)
    with pytest.raises(RefusedError, match="alice's, trusted since 2026-05-01T00:00:00"):
        opened(signed, ending, before - TICK)


def test_an_expired_signature_is_made_good_by_another_of_its_role(signed: Path, ending: Trust, keys: Keys) -> None:
    sign_bundle(signed, read_verified(signed), keys["carol"])

    assert opened(signed, ending, END).signed == "approver bob, builder carol"


def test_a_revoked_key_is_no_better_for_having_expired(signed: Path, ending: Trust, keys: Keys) -> None:
    sign_bundle(signed, read_verified(signed), keys["carol"])
    revoked = ending.without(keys["alice"].keyid, reason="lost", at=END)

    with pytest.raises(RefusedError, match="revoked at"):
        opened(signed, revoked, END)


def test_by_an_expired_trust_root_nothing_opens(signed: Path, trust: Trust) -> None:
    root = trust.until(END.isoformat())

    assert opened(signed, root, END - TICK).signed == "approver bob, builder alice"
    with pytest.raises(RefusedError, match="the trust root expired"):
        opened(signed, root, END)


def test_a_later_time_renews_a_key_and_a_root(signed: Path, ending: Trust, keys: Keys) -> None:
    later = (END + timedelta(days=1)).isoformat()
    renewed = ending.until(later, keyid=keys["alice"].keyid).until(END.isoformat()).until(later)

    assert opened(signed, renewed, END).signed == "approver bob, builder alice"
    assert renewed.version == ending.version + 3


def test_only_a_key_in_force_is_given_a_time(ending: Trust, keys: Keys) -> None:
    revoked = ending.without(keys["alice"].keyid, reason="lost", at=START)

    for keyid in (keys["alice"].keyid, keys["mallory"].keyid):
        with pytest.raises(InputError, match="cannot be given a time"):
            revoked.until(END.isoformat(), keyid=keyid)


BAD = (
    "",
    "soon",
    "2027-01-01",
    "2027-01-01T00:00:00",
    "2027-01-01T00:00:00+01:00",
    "2027-13-01T00:00:00+00:00",
    0,
    True,
)


@pytest.mark.parametrize("time", BAD)
@pytest.mark.parametrize("field", ["expires", "keys expires", "keys since"])
def test_a_root_with_another_kind_of_time_does_not_read(
    field: str, time: object, ending: Trust, tmp_path: Path
) -> None:
    body: dict[str, Any] = json.loads(ending.to_bytes())
    whose = next(iter(body["keys"].values())) if " " in field else body
    whose[field.rpartition(" ")[2]] = time
    (tmp_path / "trust.json").write_text(json.dumps(body))

    with pytest.raises(InputError, match="does not hold"):
        read_trust(tmp_path / "trust.json")


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=-1)])
def test_no_key_expires_before_it_is_listed(late: timedelta, keys: Keys) -> None:
    with pytest.raises(InputError, match="expires before it is trusted"):
        NOBODY.with_key(public(keys, "alice"), "builder", at=START, expires=(START + late).isoformat())


def test_the_first_and_the_last_moment_there_are_can_be_compared_with(signed: Path, keys: Keys) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    root = NOBODY.with_key(public(keys, "alice"), "builder", at=first, expires=last.isoformat())
    root = root.with_key(public(keys, "bob"), "approver")

    assert opened(signed, root, first).signed == opened(signed, root, last - TICK).signed
    with pytest.raises(RefusedError, match="expired"):
        opened(signed, root, last)


def test_a_root_without_times_is_written_as_ever(trust: Trust) -> None:
    assert b"expires" not in trust.to_bytes()
    assert b"since" not in trust.to_bytes()


@pytest.mark.parametrize("what", ["key", "root"])
def test_a_token_needs_approvers_in_force(what: str, trust: Trust, keys: Keys) -> None:
    carol = PublicKey(key=1, algorithm="ed25519", name="mallory", public=keys["mallory"].public)
    root = trust.with_key(carol, "approver")
    root = root.until(END.isoformat(), keyid=keys["mallory"].keyid if what == "key" else None)
    asked = propose(alias="champion", bundle=ONE, replaces=None, reason="why", now=END - timedelta(hours=1), hours=24)
    token = approve(approve(asked, keys["bob"]), keys["mallory"])

    assert len(check_token(token, root, now=END - TICK).approvers) == 2
    with pytest.raises(RefusedError, match="expired at"):
        check_token(token, root, now=END)


@pytest.mark.parametrize("what", ["key", "root", "clock"])
def test_an_agent_admits_no_decision_by_a_key_out_of_its_time(what: str, keys: Keys) -> None:
    role: Role = "handoff"
    now = {"key": END, "root": END, "clock": START - timedelta(minutes=5) - TICK}[what]
    root = NOBODY.with_key(public(keys, "alice"), role, at=START)
    times = {"key": {"keyid": keys["alice"].keyid}, "root": {}}
    root = root.until(END.isoformat(), **times[what]) if what in times else root
    decided = Decision(outcome=Outcome.ROUTED, route="r", reason=Reason.BELOW_THRESHOLD, bundle_digest=ONE)

    def refused(at: datetime) -> Refusal | None:
        token = make_token(decided, key=keys["alice"], request_id="1", text="hi", at=at)
        return examine(token, bundle=ONE, route="r", trust=root, seen=ReplayGuard(), now=at).refused

    assert refused(now) == Refusal.KEY_NOT_IN_FORCE
    assert refused(END - timedelta(days=1)) is None


def test_keys_are_listed_with_the_times_they_count(
    tmp_path: Path, keys: Keys, command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    trusts, expires = (("keys", word, "--folder", tmp_path / "keys") for word in ("trust", "expire"))
    past, alice = "2000-01-01T00:00:00+00:00", tmp_path / "keys" / "alice.key.json"

    assert command(*trusts, alice, "--role", "builder", "--expires", "2999-01-01T00:00:00+00:00")[0] == 0
    assert command(*expires, past)[0] == 0
    assert command(*expires, past, "--key", keys["alice"].keyid)[0] == 2  # before it was listed
    assert command(*expires, "tomorrow")[0] == 2
    _, shown, _ = command("keys", "list", "--folder", tmp_path / "keys")
    assert f"expired at {past}" in shown
    assert "trusted until 2999-01-01T00:00:00+00:00" in shown


def test_a_key_out_of_its_time_signs_nothing(
    tiny: Path, tmp_path: Path, ending: Trust, command: Callable[..., tuple[int, str, str]]
) -> None:
    over = ending.until((START + timedelta(seconds=1)).isoformat(), keyid=next(iter(ending.keys)))
    (tmp_path / "keys" / "trust.json").write_bytes(over.to_bytes())

    code, _, said = command("sign", tiny, "--key", "alice", "--role", "builder", "--folder", tmp_path / "keys")

    assert code == 2
    assert "alice's, expired at 2026-05-01T00:00:01" in " ".join(said.split())
    assert not (tiny / "signature.json").exists()
