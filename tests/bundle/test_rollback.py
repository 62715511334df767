"""Going back: only where two persons signed for this very move, now, and once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.keys import SigningKey, load_key, new_key, private_path
from interlock.bundle.pack import pack
from interlock.bundle.read import read_verified
from interlock.bundle.rollback import TOKEN_TYPE, Rollback, approve, check_token, propose, read_token
from interlock.bundle.shelf import open_shelf
from interlock.bundle.sign import PAYLOAD_TYPE, envelope_of, sign_bundle, signature_of
from interlock.bundle.trust import Trust, read_public
from interlock.core.canonical import canonical
from interlock.core.errors import InputError, RefusedError
from interlock.core.registry import ALIASES, Basis
from interlock.predict.calibrators import Temperature
from interlock.registry import Registry
from interlock.store.engine import open_store
from interlock.store.registry import StoredRecords
from interlock.testing import FrozenClock

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


@pytest.fixture
def approvers(keys: dict[str, SigningKey], trust: Trust, tmp_path: Path) -> Trust:
    """The trust root with dora as a second approver, and a second key of bob's."""
    root = trust
    for name, file in (("dora", "dora"), ("bob", "spare/bob")):
        folder = (tmp_path / "keys" / file).parent
        new_key(folder, name)
        root = root.with_key(read_public(folder / f"{name}.key.json"), "approver")
        keys[file] = load_key(private_path(folder, name), passphrase=str)
    return root


def token(*signers: SigningKey, hours: float = 24, now: datetime = NOW, bundle: str = ONE) -> bytes:
    made: bytes | Rollback = propose(alias="champion", bundle=bundle, replaces=TWO, reason="x", now=now, hours=hours)
    for key in signers:
        made = approve(made, key)
    assert isinstance(made, bytes)
    return made


def test_two_approvers_allow_one_move(keys: dict[str, SigningKey], approvers: Trust) -> None:
    found = check_token(token(keys["bob"], keys["dora"]), approvers, now=NOW)

    assert [signer.name for signer in found.approvers] == ["bob", "dora"]
    assert (found.rollback.bundle, found.rollback.replaces) == (ONE, TWO)


@pytest.mark.parametrize(
    ("signers", "said"),
    [
        (["bob"], "two persons"),
        (["bob", "bob"], "two persons"),  # signing twice
        (["bob", "spare/bob"], "two persons"),  # two keys of one person
        (["bob", "alice"], "a key to sign as builder"),
        (["bob", "mallory"], "an unknown key"),
        (["bob", "dora", "mallory"], "an unknown key"),  # two would do, and yet
    ],
)
def test_fewer_than_two_persons_allow_nothing(
    signers: list[str], said: str, keys: dict[str, SigningKey], approvers: Trust
) -> None:
    with pytest.raises(RefusedError, match=said):
        check_token(token(*(keys[name] for name in signers)), approvers, now=NOW)


def test_a_revoked_approver_s_signature_counts_no_more(keys: dict[str, SigningKey], approvers: Trust) -> None:
    left = approvers.without(keys["dora"].keyid, reason="left", at=NOW)

    with pytest.raises(RefusedError, match="revoked"):
        check_token(token(keys["bob"], keys["dora"]), left, now=NOW)


@pytest.mark.parametrize("hours", [0, -1, 168.1, float("nan"), float("inf")])
def test_a_token_lasts_at_most_a_week(hours: float) -> None:
    with pytest.raises(InputError, match="lasts"):
        token(hours=hours)


@pytest.mark.parametrize(
    ("later", "said"),
    [(timedelta(hours=24), "expires"), (timedelta(days=400), "expires"), (timedelta(minutes=-6), "created")],
)
def test_a_token_is_good_from_its_time_until_its_time(
    later: timedelta, said: str, keys: dict[str, SigningKey], approvers: Trust
) -> None:
    made = token(keys["bob"], keys["dora"])
    check_token(made, approvers, now=NOW + timedelta(hours=24, microseconds=-1))

    with pytest.raises(RefusedError, match=said):
        check_token(made, approvers, now=NOW + later)


def signed(body: dict[str, Any], keys: dict[str, SigningKey], *, kind: str = TOKEN_TYPE) -> bytes:
    payload = canonical(body)
    return envelope_of(
        payload, [signature_of(payload, keys[n], kind=kind) for n in ("bob", "dora")], kind=kind
    ).to_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"expires": "2027-01-01T00:00:00+00:00"},  # longer than a week
        {"expires": "2026-05-01T00:00:00+00:00"},  # before it was made
        {"expires": "2026-06-02T00:00:00"},  # no zone
        {"created": "soon"},
        {"created": 5},
        {"bundle": "sha256:1"},
        {"bundle": None},
        {"alias": "king"},
        {"nonce": "1"},
        {"reason": ""},
        {"rollback": 2},
        {"more": 1},
    ],
)
def test_two_signatures_under_nonsense_allow_nothing(
    change: dict[str, Any], keys: dict[str, SigningKey], approvers: Trust
) -> None:
    body = json.loads(propose(alias="champion", bundle=ONE, replaces=TWO, reason="x", now=NOW, hours=1).to_bytes())
    check_token(signed(body, keys), approvers, now=NOW)

    with pytest.raises(RefusedError):
        check_token(signed({**body, **change}, keys), approvers, now=NOW)


def test_a_bundle_s_signatures_are_no_token_and_the_other_way_round(
    keys: dict[str, SigningKey], approvers: Trust
) -> None:
    body = json.loads(propose(alias="champion", bundle=ONE, replaces=TWO, reason="x", now=NOW, hours=1).to_bytes())

    with pytest.raises(RefusedError, match="payloadType"):
        check_token(signed(body, keys, kind=PAYLOAD_TYPE), approvers, now=NOW)


def test_no_bit_of_a_token_can_change(keys: dict[str, SigningKey], approvers: Trust) -> None:
    made = token(keys["bob"], keys["dora"])
    for at in range(0, len(made), 7):
        for bit in (0, 5):
            spoilt = made[:at] + bytes([made[at] ^ 1 << bit]) + made[at + 1 :]
            with pytest.raises(RefusedError):
                check_token(spoilt, approvers, now=NOW)


def test_a_payload_that_is_not_canonical_or_no_base64_is_refused(keys: dict[str, SigningKey]) -> None:
    payload = json.dumps(json.loads(read_token(token(keys["bob"])).to_bytes()), indent=1).encode()
    odd = envelope_of(payload, [signature_of(payload, keys["bob"], kind=TOKEN_TYPE)], kind=TOKEN_TYPE)
    with pytest.raises(RefusedError, match="canonical"):
        read_token(odd.to_bytes())
    with pytest.raises(RefusedError, match="base64"):
        read_token(odd.model_copy(update={"payload": "%"}).to_bytes())


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    engine = open_store(tmp_path / "store.db")
    yield Registry(open_shelf(tmp_path / "registry"), StoredRecords(engine), "ann", FrozenClock(NOW))
    engine.dispose()


@pytest.fixture
def line(
    registry: Registry,
    make_files: Callable[..., dict[str, bytes]],
    pack_files: Callable[..., Path],
    keys: dict[str, SigningKey],
    approvers: Trust,
    tmp_path: Path,
) -> list[str]:
    """Three bundles made on three days; the first and then the second became champion."""
    digests = []
    for day in (1, 2, 3):
        files = make_files(calibrator_json=canonical(Temperature(1 + day / 10).to_json()))
        folder = pack_files(tmp_path / f"day{day}", files, created=f"2026-01-0{day}T00:00:00+00:00")
        for signer in ("alice", "bob"):
            sign_bundle(folder, read_verified(folder), keys[signer])
        digests.append(registry.push(folder).digest)
    for digest in digests[:2]:
        registry.point("champion", digest, trust=approvers)
    return digests


def agreed(registry: Registry, bundle: str, keys: dict[str, SigningKey], *, replaces: str, hours: float = 24) -> bytes:
    said = propose(
        alias="champion", bundle=bundle, replaces=replaces, reason="worse", now=registry.clock.now(), hours=hours
    )
    return approve(approve(said, keys["bob"]), keys["dora"])


def test_going_back_needs_a_token_and_is_entered(
    registry: Registry, line: list[str], keys: dict[str, SigningKey], approvers: Trust
) -> None:
    with pytest.raises(RefusedError, match="former champion"):
        registry.point("champion", line[0], trust=approvers)
    made = agreed(registry, line[0], keys, replaces=line[1])
    alias, entry = registry.point("champion", line[0], trust=approvers, token=made)

    assert entry is not None
    assert (alias.digest, alias.basis) == (line[0], Basis.TOKEN)
    assert entry.deed.note == "worse (bob, dora)"
    assert entry.deed.evidence["from"] == line[1]
    assert registry.active(trust=approvers).bundle.digest == line[0]


def test_a_token_is_used_once(
    registry: Registry, line: list[str], keys: dict[str, SigningKey], approvers: Trust
) -> None:
    back = agreed(registry, line[0], keys, replaces=line[1])
    registry.point("champion", line[0], trust=approvers, token=back)
    with pytest.raises(RefusedError, match="former champion"):  # forward again is a step back too
        registry.point("champion", line[1], trust=approvers)
    registry.point("champion", line[1], trust=approvers, token=agreed(registry, line[1], keys, replaces=line[0]))

    with pytest.raises(RefusedError, match="a used one"):
        registry.point("champion", line[0], trust=approvers, token=back)


def test_a_token_is_for_one_bundle_in_place_of_one(
    registry: Registry, line: list[str], keys: dict[str, SigningKey], approvers: Trust
) -> None:
    with pytest.raises(RefusedError, match="bundle"):
        registry.point("champion", line[0], trust=approvers, token=agreed(registry, line[2], keys, replaces=line[1]))
    with pytest.raises(RefusedError, match="replaces"):
        registry.point("champion", line[0], trust=approvers, token=agreed(registry, line[0], keys, replaces=line[2]))
    with pytest.raises(RefusedError, match="alias"):
        registry.point("shadow", line[0], trust=approvers, token=agreed(registry, line[0], keys, replaces=line[1]))
    with pytest.raises(InputError, match="trust root"):
        registry.point("champion", line[0], trust=None, token=agreed(registry, line[0], keys, replaces=line[1]))


def test_a_clock_set_back_makes_no_token_good_again(
    registry: Registry, line: list[str], keys: dict[str, SigningKey], approvers: Trust
) -> None:
    made = agreed(registry, line[0], keys, replaces=line[1], hours=1)
    registry.clock.move(7200)  # type: ignore[attr-defined]
    with pytest.raises(RefusedError, match="expires"):
        registry.point("champion", line[0], trust=approvers, token=made)
    registry.revoke(line[2], reason="something entered at this later time")
    registry.clock.move(-7200)  # type: ignore[attr-defined]

    with pytest.raises(RefusedError, match="clock"):
        registry.point("champion", line[0], trust=approvers, token=made)


def test_the_clocks_of_two_machines_may_differ_by_five_minutes_and_no_more(
    registry: Registry, line: list[str], keys: dict[str, SigningKey], approvers: Trust
) -> None:
    made = agreed(registry, line[0], keys, replaces=line[1])
    registry.clock.move(301)  # type: ignore[attr-defined]
    registry.revoke(line[2], reason="entered by a machine whose clock is ahead")
    registry.clock.move(-301)  # type: ignore[attr-defined]
    with pytest.raises(RefusedError, match="clock"):
        registry.point("champion", line[0], trust=approvers, token=made)

    registry.clock.move(1)  # type: ignore[attr-defined]
    assert registry.point("champion", line[0], trust=approvers, token=made)[0].basis is Basis.TOKEN


def test_a_revoked_bundle_becomes_champion_only_by_token(
    registry: Registry, line: list[str], keys: dict[str, SigningKey], approvers: Trust
) -> None:
    registry.revoke(line[2], reason="consent withdrawn")
    for name in ALIASES[::2]:
        with pytest.raises(RefusedError, match="a revoked one"):
            registry.point(name, line[2], trust=approvers)

    made = agreed(registry, line[2], keys, replaces=line[1])
    assert registry.point("champion", line[2], trust=approvers, token=made)[0].basis is Basis.TOKEN


def test_what_was_made_before_the_champion_or_for_another_product_or_meaning_needs_a_token(
    registry: Registry,
    line: list[str],
    make_files: Callable[..., dict[str, bytes]],
    keys: dict[str, SigningKey],
    approvers: Trust,
    tmp_path: Path,
) -> None:
    cases = (
        ("tiny", "2026-01-01T12:00:00", "after the champion"),
        ("tiny", "2026-01-02T00:00:00", "after the champion"),  # the very moment of the champion
        ("other", "2026-01-09T12:00:00", "name"),
        ("tiny", "2026-01-09T12:00:00", "label_version: expected tiny-v1, got tiny-v2"),
    )
    for name, created, said in cases:
        files = make_files(calibrator_json=canonical(Temperature(3.0).to_json()))
        folder = tmp_path / f"{name}{created}"
        identity = {"label_version": "tiny-v2" if "label_version" in said else "tiny-v1"}
        pack(files, folder, name=name, created=f"{created}+00:00", identity=identity)
        for signer in ("alice", "bob"):
            sign_bundle(folder, read_verified(folder), keys[signer])
        with pytest.raises(RefusedError, match=said):
            registry.point("champion", registry.push(folder).digest, trust=approvers)


def test_a_token_s_payload_is_bound_to_its_kind(keys: dict[str, SigningKey]) -> None:
    body = json.loads(token(keys["bob"]))

    assert body["payloadType"] == TOKEN_TYPE
    assert json.loads(base64.b64decode(body["payload"]))["bundle"] == ONE
