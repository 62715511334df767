"""Signatures: only the exact bytes, only trusted keys in force, every required role by another person."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.bundle.keys import SigningKey
from interlock.bundle.layout import CARD, MANIFEST, POLICY, SIGNATURE
from interlock.bundle.open import open_bundle
from interlock.bundle.read import read_verified
from interlock.bundle.sign import PAYLOAD_TYPE, pae, sign_bundle
from interlock.bundle.trust import Trust
from interlock.core.canonical import canonical
from interlock.core.errors import RefusedError

Keys = dict[str, SigningKey]
WHEN = datetime(2026, 5, 1, tzinfo=UTC)
ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519's group (RFC 8032, 5.1)


def body(bundle: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bundle / SIGNATURE).read_bytes())
    return found


def test_a_bundle_signed_in_both_roles_opens_and_says_by_whom(signed: Path, trust: Trust) -> None:
    opened = open_bundle(signed, trust)

    assert opened.signed == "approver bob, builder alice"
    assert {(signer.role, signer.name) for signer in opened.signers} == {("builder", "alice"), ("approver", "bob")}


def test_a_signature_changes_neither_the_digest_nor_the_manifest(tiny: Path, keys: Keys) -> None:
    before = open_bundle(tiny).digest
    sign_bundle(tiny, read_verified(tiny), keys["alice"])

    assert open_bundle(tiny).digest == before
    assert SIGNATURE not in json.loads((tiny / MANIFEST).read_bytes())["files"]


def test_without_a_trust_root_a_bundle_opens_and_says_signed_by_none(tiny: Path, signed: Path) -> None:
    assert open_bundle(tiny).signed == "none"
    assert open_bundle(signed).signed == "none"


def test_an_unsigned_bundle_is_refused_by_a_trust_root(tiny: Path, trust: Trust) -> None:
    with pytest.raises(RefusedError, match="is not signed"):
        open_bundle(tiny, trust)


def test_the_trust_root_may_be_given_as_its_file(signed: Path, trust: Trust, tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(trust.to_bytes())

    assert open_bundle(signed, tmp_path / "trust.json").signers == open_bundle(signed, trust).signers


def test_signing_twice_with_one_key_is_signing_once(signed: Path, keys: Keys) -> None:
    before = (signed / SIGNATURE).read_bytes()
    sign_bundle(signed, read_verified(signed), keys["alice"])

    assert (signed / SIGNATURE).read_bytes() == before


def test_a_signature_of_what_was_verified_is_not_put_on_something_else(
    tiny: Path, keys: Keys, make_files: Callable[..., dict[str, bytes]], pack_files: Callable[..., Path], tmp_path: Path
) -> None:
    verified = read_verified(tiny)
    shutil.rmtree(tiny)
    pack_files(tiny, make_files(card_md=b"another"))

    with pytest.raises(RefusedError, match="changed"):
        sign_bundle(tiny, verified, keys["alice"])
    assert not (tiny / SIGNATURE).exists()
    assert {path.name for path in tmp_path.iterdir()} == {"tiny", "keys"}


def test_the_encoding_that_is_signed_is_dsse_s() -> None:
    # the example of envelope.md, github.com/secure-systems-lab/dsse
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("ü", b"a") == b"DSSEv1 2 \xc3\xbc 1 a"


@given(st.text(max_size=20), st.binary(max_size=20), st.text(max_size=20), st.binary(max_size=20))
def test_no_two_payloads_are_signed_as_the_same_bytes(type_a: str, a: bytes, type_b: str, b: bytes) -> None:
    assert (pae(type_a, a) == pae(type_b, b)) == ((type_a, a) == (type_b, b))


def with_signatures(found: dict[str, Any], *signatures: dict[str, str]) -> bytes:
    return canonical({**found, "signatures": list(signatures)})


def spare(letter: str) -> str:
    """Return another letter of base64 that decodes to the same two upper bits, the only ones that count at the end."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return letters[letters.index(letter) ^ 1]


def forged(bundle: Path, keys: Keys) -> dict[str, bytes]:
    """Return envelopes that must not count, by what is wrong with them."""
    found = body(bundle)
    mine, other = found["signatures"]
    manifest = (bundle / MANIFEST).read_bytes()
    wrong = base64.b64encode(keys["mallory"].sign(pae(PAYLOAD_TYPE, manifest))).decode()
    raw = base64.b64decode(mine["sig"])
    grown = int.from_bytes(raw[32:], "little") + ORDER  # the same equation holds: RFC 8032 asks to refuse it
    malleable = base64.b64encode(raw[:32] + grown.to_bytes(32, "little")).decode()
    bare = base64.b64encode(keys["alice"].sign(manifest)).decode()
    retyped = base64.b64encode(keys["alice"].sign(pae("text/plain", manifest))).decode()
    by_alice = next(one for one in found["signatures"] if one["keyid"] == keys["alice"].keyid)
    by_bob = next(one for one in found["signatures"] if one["keyid"] == keys["bob"].keyid)

    def alice(sig: str) -> bytes:
        both = sorted(({**by_alice, "sig": sig}, by_bob), key=lambda one: one["keyid"])
        return with_signatures(found, *both)

    return {
        "no signatures": with_signatures(found),
        "only the builder's": with_signatures(found, by_alice),
        "only the approver's": with_signatures(found, by_bob),
        "one of two is another key's": with_signatures(found, mine, {**other, "sig": wrong}),
        "an unknown key beside the known": with_signatures(
            found, *sorted((mine, other, {"keyid": keys["mallory"].keyid, "sig": wrong}), key=lambda one: one["keyid"])
        ),
        "a known key's id over an unknown key's signature": alice(wrong),
        "the same key twice": with_signatures(found, by_alice, by_alice, by_bob),
        "the ids exchanged": with_signatures(
            found, {"keyid": mine["keyid"], "sig": other["sig"]}, {"keyid": other["keyid"], "sig": mine["sig"]}
        ),
        "another order": with_signatures(found, other, mine),
        "another payload type": canonical({**found, "payloadType": "application/json"}),
        "the payload type of another case": canonical({**found, "payloadType": PAYLOAD_TYPE.upper()}),
        "another payload": canonical({**found, "payload": base64.b64encode(b"{}").decode()}),
        "the manifest written again": canonical(
            {**found, "payload": base64.b64encode(json.dumps(json.loads(manifest)).encode()).decode()}
        ),
        "payload without padding": canonical({**found, "payload": found["payload"].rstrip("=") + " "}),
        "an algorithm named": with_signatures(found, {**mine, "alg": "none"}, other),
        "a role claimed": with_signatures(found, {**mine, "role": "approver"}, other),
        "a key brought along": with_signatures(found, {**mine, "public": keys["mallory"].public}, other),
        "an empty signature": alice(""),
        "a signature of zeros": alice(base64.b64encode(bytes(64)).decode()),
        "a short signature": alice(base64.b64encode(raw[:63]).decode()),
        "a long signature": alice(base64.b64encode(raw + b"\0").decode()),
        "a signature with its scalar grown by the group's order": alice(malleable),
        "a signature that is no base64": alice("@" * 88),
        "a signature in URL base64": alice(by_alice["sig"].replace("+", "-").replace("/", "_").rstrip("=") + "=*"),
        "a signature whose spare bits are set": alice(by_alice["sig"][:-3] + spare(by_alice["sig"][-3]) + "=="),
        "a signature over the bare manifest": alice(bare),
        "a signature over another type": alice(retyped),
        "a key id in capitals": with_signatures(found, {**mine, "keyid": mine["keyid"].upper()}, other),
        "a key given twice in JSON": canonical(found)[:-1] + b',"payloadType":"' + PAYLOAD_TYPE.encode() + b'"}',
        "spaces": json.dumps(found).encode(),
        "a byte order mark": b"\xef\xbb\xbf" + canonical(found),
        "more after the end": canonical(found) + b"\n",
        "nothing": b"",
        "a list": b"[]",
        "null": b"null",
        "nested too deep": b"[" * 10**5,
        "not UTF-8": b"\xff\xfe",
        "signatures that are numbers": canonical({**found, "signatures": [1, 2]}),
        "signatures that are an object": canonical({**found, "signatures": {"0": mine}}),
        "a hundred and one signatures": with_signatures(found, *[mine] * 101),
        "more bytes than an envelope has": b" " * 2_000_001,
    }


def test_no_forged_envelope_counts(signed: Path, keys: Keys, trust: Trust) -> None:
    cases = forged(signed, keys)
    for what, data in cases.items():
        (signed / SIGNATURE).write_bytes(data)
        try:
            open_bundle(signed, trust)
        except RefusedError:
            continue
        pytest.fail(f"opened with {what}")
    assert len(cases) == 41


def test_an_envelope_of_another_bundle_does_not_count(
    signed: Path,
    trust: Trust,
    make_files: Callable[..., dict[str, bytes]],
    pack_files: Callable[..., Path],
    tmp_path: Path,
) -> None:
    other = pack_files(tmp_path / "other", make_files(card_md=b"another"))
    shutil.copy(signed / SIGNATURE, other / SIGNATURE)

    for root in (trust, None):  # even without a trust root it is not passed over
        with pytest.raises(RefusedError, match="exact bytes"):
            open_bundle(other, root)


def test_signed_bytes_that_change_are_refused_whoever_lists_them_again(
    signed: Path,
    trust: Trust,
    make_files: Callable[..., dict[str, bytes]],
    pack_files: Callable[..., Path],
    tmp_path: Path,
) -> None:
    envelope = (signed / SIGNATURE).read_bytes()
    shutil.rmtree(signed)
    pack_files(signed, make_files(card_md=b"better than it is"))
    (signed / SIGNATURE).write_bytes(envelope)

    with pytest.raises(RefusedError, match="exact bytes"):
        open_bundle(signed, trust)


def test_a_revoked_key_s_signature_no_longer_counts(signed: Path, keys: Keys, trust: Trust) -> None:
    after = trust.without(keys["bob"].keyid, reason="laptop lost", at=WHEN)

    with pytest.raises(RefusedError, match=r"revoked at 2026-05-01.*laptop lost"):
        open_bundle(signed, after)
    assert after.version == trust.version + 1


def test_a_revoked_key_is_refused_even_when_others_suffice(signed: Path, keys: Keys, trust: Trust) -> None:
    sign_bundle(signed, read_verified(signed), keys["carol"])
    assert len(open_bundle(signed, trust).signers) == 3

    with pytest.raises(RefusedError, match="carol's, revoked"):
        open_bundle(signed, trust.without(keys["carol"].keyid, reason="left", at=WHEN))


def test_two_builders_are_no_approval(tiny: Path, keys: Keys, trust: Trust) -> None:
    for name in ("alice", "carol"):
        sign_bundle(tiny, read_verified(tiny), keys[name])

    with pytest.raises(RefusedError, match="approver"):
        open_bundle(tiny, trust)
    assert open_bundle(tiny, trust.requiring(("builder",))).signed.count("builder") == 2


def test_a_damaged_envelope_is_not_signed_over(signed: Path, keys: Keys) -> None:
    verified = read_verified(signed)
    (signed / SIGNATURE).write_bytes(b"{}")

    with pytest.raises(RefusedError):
        sign_bundle(signed, verified, keys["carol"])
    assert (signed / SIGNATURE).read_bytes() == b"{}"


def test_the_files_of_a_signed_bundle_are_verified_too(signed: Path, trust: Trust) -> None:
    for name in (CARD, POLICY):
        whole = (signed / name).read_bytes()
        (signed / name).write_bytes(whole[::-1])
        with pytest.raises(RefusedError, match=name):
            open_bundle(signed, trust)
        (signed / name).write_bytes(whole)
