"""Signed decisions: what an agent admits, and everything else it refuses without raising."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

import interlock
from interlock.bundle.handoff import PAYLOAD_TYPE, Refusal, examine, make_token, text_digest
from interlock.bundle.keys import SigningKey
from interlock.bundle.replay import ReplayGuard
from interlock.bundle.sign import PAYLOAD_TYPE as MANIFEST_TYPE
from interlock.bundle.sign import pae, signers
from interlock.bundle.trust import NOBODY, PublicKey, Role, Trust
from interlock.core.canonical import canonical, digest
from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import InputError, RefusedError

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
V1, V2 = digest(b"intake_bundle_v1"), digest(b"intake_bundle_v2")
AGENT, PERSON = "guarded_agent", "human_review_now"
KEY, OTHER = SigningKey(Ed25519PrivateKey.generate()), SigningKey(Ed25519PrivateKey.generate())


def trusting(key: SigningKey = KEY, role: Role = "handoff", root: Trust = NOBODY) -> Trust:
    name = f"{role}{len(root.keys)}"
    return root.with_key(PublicKey(key=1, algorithm="ed25519", name=name, public=key.public), role)


TRUST = trusting()


def decision(bundle: str = V2, route: str = AGENT, outcome: Outcome = Outcome.ROUTED) -> Decision:
    return Decision(outcome=outcome, route=route, reason=Reason.BELOW_THRESHOLD, bundle_digest=bundle)


def token(request: str = "r-104", *, at: datetime = NOW, key: SigningKey = KEY, **of: Any) -> str:
    return make_token(decision(**of), key=key, request_id=request, text="where is it?", at=at)


def refused(given: Any, **options: Any) -> Refusal | None:
    pinned: dict[str, Any] = {"bundle": V2, "route": AGENT, "trust": TRUST, "seen": ReplayGuard(), "now": NOW}
    return examine(given, **{**pinned, **options}).refused


def made_of(body: dict[str, Any], *, key: SigningKey = KEY, kind: str = PAYLOAD_TYPE, data: bytes | None = None) -> str:
    """Return a token signed as asked, whatever it says."""
    payload = canonical(body) if data is None else data
    parts = (payload, key.sign(pae(kind, payload)))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def said(given: str) -> dict[str, Any]:
    part = given.split(".", maxsplit=1)[0]
    body: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return body


def test_the_agent_admits_r_104_and_neither_a_persons_ticket_nor_a_stale_bundles() -> None:
    table = {
        "r-104": token("r-104"),
        "r-105": token("r-105", route=PERSON),
        "r-106": token("r-106", bundle=V1),
    }
    guard = ReplayGuard()

    found = [
        name
        for name, each in table.items()
        if interlock.admit(each, bundle=V2, route=AGENT, trust=TRUST, now=NOW, seen=guard)
    ]

    assert found == ["r-104"]
    assert refused(table["r-105"]) == Refusal.OTHER_ROUTE
    assert refused(table["r-106"]) == Refusal.OTHER_BUNDLE


@pytest.mark.parametrize("outcome", [Outcome.ABSTAINED, Outcome.BLOCKED, Outcome.UNAVAILABLE])
def test_a_fallback_that_shares_the_agents_route_is_not_admitted(outcome: Outcome) -> None:
    assert refused(token(outcome=outcome)) == Refusal.OTHER_ROUTE


def test_every_flipped_bit_refuses_the_token() -> None:
    whole = token().encode()
    for place in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            assert refused(changed.decode("latin-1")) is not None, (place, bit)


def test_every_cut_and_every_lengthening_refuses_the_token() -> None:
    whole = token()

    assert all(refused(whole[:end]) == Refusal.MALFORMED for end in range(len(whole)))
    assert all(refused(whole + more) == Refusal.MALFORMED for more in ("=", "A", ".", "\n", " ", ".AAAA", "\0"))
    assert all(refused(more + whole) == Refusal.MALFORMED for more in ("=", "A", ".", "\n", " "))


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300), st.integers(), st.none(), st.lists(st.text())))
def test_nothing_a_caller_sends_raises_or_is_admitted(given_: object) -> None:
    assert not interlock.admit(given_, bundle=V2, route=AGENT, trust=TRUST, now=NOW, seen=ReplayGuard())


@given(
    st.dictionaries(
        st.sampled_from(["handoff", "bundle", "route", "outcome", "request", "time", "text", "key", "extra"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-1, 2**53 - 1),
            st.floats(allow_nan=False, allow_infinity=False),  # canonical JSON has neither
            st.text(max_size=9),
        ),
        min_size=1,
    )
)
def test_a_signed_payload_that_says_anything_else_is_malformed(changes: dict[str, Any]) -> None:
    body = said(token())
    kept = {name: value for name, value in changes.items() if body.get(name) != value or type(value) is bool}
    kept.pop("time", None)
    kept.pop("request", None)  # any text will do
    kept.pop("route", None)
    if kept:
        assert refused(made_of({**body, **kept})) == Refusal.MALFORMED


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"{" * 1000,
        b'{"handoff":1,"handoff":1}',
        b'{"time":NaN}',
        b'{"time":1e999}',
    ],
)
def test_a_well_signed_payload_that_is_no_handoff_is_malformed(data: bytes) -> None:
    assert refused(made_of({}, data=data)) == Refusal.MALFORMED


def test_another_spelling_of_a_signed_payload_is_malformed() -> None:
    body = said(token())

    assert refused(made_of({}, data=json.dumps(body, indent=1).encode())) == Refusal.MALFORMED
    assert refused(made_of({}, data=json.dumps(dict(reversed(body.items()))).encode())) == Refusal.MALFORMED
    assert refused("A" * 5000) == Refusal.MALFORMED


def test_a_token_by_a_key_nobody_trusts_is_refused() -> None:
    assert refused(token(key=OTHER)) == Refusal.UNKNOWN_KEY
    assert refused(made_of({**said(token()), "key": KEY.keyid}, key=OTHER)) == Refusal.BAD_SIGNATURE
    assert refused(token(), trust=NOBODY) == Refusal.UNKNOWN_KEY


@pytest.mark.parametrize("role", ["builder", "approver"])
def test_a_key_that_signs_bundles_signs_no_decisions(role: Role) -> None:
    assert refused(token(), trust=trusting(role=role)) == Refusal.UNKNOWN_KEY


def test_a_key_that_signs_decisions_signs_no_bundles() -> None:
    manifest = b"{}"
    payload = base64.b64encode(manifest).decode()
    signature = base64.b64encode(KEY.sign(pae(MANIFEST_TYPE, manifest))).decode()
    envelope = {
        "payloadType": MANIFEST_TYPE,
        "payload": payload,
        "signatures": [{"keyid": KEY.keyid, "sig": signature}],
    }

    with pytest.raises(RefusedError, match="signs decisions"):
        signers(canonical(envelope), manifest, TRUST, now=NOW)


def test_a_signature_made_for_a_bundle_does_not_sign_a_decision() -> None:
    assert refused(made_of(said(token()), kind=MANIFEST_TYPE)) == Refusal.BAD_SIGNATURE


def test_a_revoked_key_signs_nothing_however_early_the_token() -> None:
    ended = TRUST.without(KEY.keyid, reason="laptop lost", at=NOW + timedelta(days=1))

    assert refused(token(), trust=ended) == Refusal.REVOKED_KEY


def test_a_key_put_in_beside_the_old_one_takes_over() -> None:
    both = trusting(OTHER, root=TRUST)

    assert refused(token(), trust=both) is None
    assert refused(token(key=OTHER), trust=both) is None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, None),
        (59.999, None),
        (60, None),
        (60.001, Refusal.EXPIRED),
        (1e6, Refusal.EXPIRED),
        (-4.999, None),
        (-5, None),
        (-5.001, Refusal.FROM_THE_FUTURE),
        (-1e6, Refusal.FROM_THE_FUTURE),
    ],
)
def test_a_token_is_good_for_a_minute_and_for_clocks_five_seconds_apart(
    seconds: float, expected: Refusal | None
) -> None:
    assert refused(token(), now=NOW + timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    "options", [{name: value} for name in ("window", "skew") for value in (math.nan, math.inf, -math.inf, 1e306, -1.0)]
)
def test_a_window_that_is_no_length_of_time_admits_nothing(options: dict[str, float]) -> None:
    assert refused(token(), **options) is not None


def test_a_request_is_admitted_once() -> None:
    guard = ReplayGuard()

    assert refused(token(), seen=guard) is None
    assert refused(token(), seen=guard) == Refusal.REPLAYED
    assert refused(token(at=NOW + timedelta(seconds=1)), seen=guard) == Refusal.REPLAYED  # decided again
    assert refused(token("r-107"), seen=guard) is None


def test_a_replay_after_the_window_is_expired_and_forgotten() -> None:
    guard, later = ReplayGuard(), NOW + timedelta(seconds=61)
    refused(token(), seen=guard)

    assert refused(token(), seen=guard, now=later) == Refusal.EXPIRED
    assert refused(token("r-107", at=later), seen=guard, now=later) is None
    assert len(guard) == 1


def test_a_clock_that_goes_back_brings_nothing_back() -> None:
    guard, later = ReplayGuard(), NOW + timedelta(seconds=61)
    refused(token(), seen=guard)
    refused(token("r-107", at=later), seen=guard, now=later)

    assert refused(token(), seen=guard, now=NOW) == Refusal.REPLAYED


def test_a_guard_that_began_later_admits_nothing_that_may_have_been_admitted_before() -> None:
    start = NOW + timedelta(seconds=2)

    assert refused(token(), seen=ReplayGuard(since=start), now=start) == Refusal.REPLAYED
    assert refused(token(at=start), seen=ReplayGuard(since=start), now=start) == Refusal.REPLAYED  # clocks may differ
    latest = start + timedelta(seconds=5)  # the router's clock may have been five seconds ahead
    assert refused(token(at=latest), seen=ReplayGuard(since=start), now=latest) == Refusal.REPLAYED
    fresh = latest + timedelta(milliseconds=1)
    assert refused(token(at=fresh), seen=ReplayGuard(since=start), now=fresh) is None


def test_a_full_guard_refuses_until_something_may_be_forgotten() -> None:
    guard = ReplayGuard(most=2)
    for name in ("a", "b"):
        assert refused(token(name), seen=guard) is None

    assert refused(token("c"), seen=guard) == Refusal.REPLAYED
    later = NOW + timedelta(seconds=61)
    assert refused(token("c", at=later), seen=guard, now=later) is None


def test_a_refused_token_uses_nothing_up() -> None:
    guard = ReplayGuard()
    refused(token(route=PERSON), seen=guard)
    refused(token(at=NOW - timedelta(days=1)), seen=guard)

    assert refused(token(), seen=guard) is None


def test_the_message_can_be_checked_against_the_one_that_was_decided() -> None:
    assert refused(token(), text="where is it?") is None
    assert refused(token(), text="refund me") == Refusal.OTHER_TEXT
    assert refused(token(), text="\ud800") == Refusal.OTHER_TEXT


def test_equal_messages_do_not_show_in_their_tokens() -> None:
    assert text_digest("a", "yes") != text_digest("b", "yes")
    assert "where" not in json.dumps(said(token()))


@pytest.mark.parametrize("options", [{"trust": None}, {"seen": None}, {"bundle": ""}, {"route": ""}])
def test_an_agent_that_pins_too_little_admits_nothing(options: dict[str, Any]) -> None:
    assert refused(token(), **options) == Refusal.NOT_PINNED


def test_a_decision_over_a_trusted_channel_needs_no_token() -> None:
    assert interlock.admit(decision(), bundle=V2, route=AGENT)
    assert interlock.admit(decision().to_json(), bundle=V2, route=AGENT)
    assert not interlock.admit(decision(bundle=V1), bundle=V2, route=AGENT)
    assert not interlock.admit(token(), bundle=V2, route=AGENT)


@pytest.mark.parametrize("request_id", ["", "x" * 201, "\ud800"])
def test_a_request_id_no_token_can_carry_is_the_callers_mistake(request_id: str) -> None:
    with pytest.raises(InputError):
        token(request_id)


def test_a_time_without_its_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zone"):
        token(at=NOW.replace(tzinfo=None))


def test_an_agent_whose_time_has_no_zone_is_told_so() -> None:
    with pytest.raises(ValueError, match="zone"):
        refused("anything", now=NOW.replace(tzinfo=None))


def test_a_decision_of_no_bundle_is_not_handed_off() -> None:
    with pytest.raises(ValueError, match="bundle"):
        make_token(Decision(Outcome.ROUTED, AGENT, Reason.AUTO), key=KEY, request_id="r", text="hello there", at=NOW)
