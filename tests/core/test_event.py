"""Events: only well-formed ones exist, and none of them, nor a refusal, repeats what it must not keep."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import InputError
from interlock.core.event import DigestKey, Event

KEY = DigestKey(bytes(range(32)))
BUNDLE = "sha256:" + "a" * 64
DECISION = Decision(Outcome.ROUTED, "shop", Reason.AUTO, label="order", confidence=0.9, bundle_digest=BUNDLE)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(**changes: Any) -> Event:
    return replace(Event.of(DECISION, request_id="r1", text="where is it", subject="ada", key=KEY, at=NOW), **changes)


def test_an_event_holds_the_decision_as_it_is_sent() -> None:
    kept = event()

    assert json.loads(kept.decision) == DECISION.to_json()
    assert kept.bundle_digest == BUNDLE
    assert kept.at == "2026-03-01T12:00:00.000000+00:00"


def test_moments_of_any_zone_are_kept_in_utc_so_that_text_order_is_time_order() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=9))) + timedelta(microseconds=1)

    later = Event.of(DECISION, request_id="r2", text="", key=KEY, at=east)

    assert later.at == "2026-03-01T12:00:00.000001+00:00" > event().at


def test_digests_depend_on_the_key_the_kind_and_every_character() -> None:
    other = DigestKey(bytes(32))

    assert KEY.of_text("ada") != KEY.of_subject("ada") != KEY.of_subject("Ada")
    assert KEY.of_text("ada") != other.of_text("ada")


@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_string_has_a_digest_even_half_a_character(text: str) -> None:
    assert len(KEY.of_text(text)) == 64


def test_the_key_shows_itself_nowhere() -> None:
    secret = b"do not show this secret to anyone"

    assert "show" not in f"{DigestKey(secret)!r} {DigestKey(secret)}"
    with pytest.raises(InputError) as caught:
        DigestKey(secret[:20])
    assert "do not" not in str(caught.value)
    with pytest.raises(InputError, match="hexadecimal") as caught:
        DigestKey.from_hex("do not show this")
    assert "show" not in str(caught.value)
    assert DigestKey.from_hex("00" * 32).of_text("x") == DigestKey(bytes(32)).of_text("x")


SPOILT: dict[str, list[Any]] = {
    "request_id": ["", "a b", "ada@example.org", "x" * 129, "a\n", None, 1],
    "at": ["2026-03-01", "2026-03-01T12:00:00+00:00", "2026-02-30T12:00:00.000000+00:00", NOW, None],
    "text_digest": ["", "where is my order?", "A" * 64, "a" * 63, "a" * 64 + "\n", None],
    "subject_digest": ["", "ada@example.org", "a" * 65, 7],
    "bundle_digest": ["", "sha256:", "a" * 64],
    "decision": [
        "",
        "{}",
        "null",
        "[]",
        '{"outcome":"routed","route":"shop","reason":"auto","text":"hello"}',
        '{"outcome":"sent","route":"shop","reason":"auto","bundle_digest":"' + BUNDLE + '"}',
        '{"outcome":["routed"],"route":"shop","reason":"auto","bundle_digest":"' + BUNDLE + '"}',
        '{"outcome":"routed","route":"shop","reason":"auto","confidence":NaN,"bundle_digest":"' + BUNDLE + '"}',
        json.dumps({**DECISION.to_json(), "label": "x" * 20_000}),
        json.dumps({**DECISION.to_json(), "bundle_digest": "sha256:another"}),
    ],
    "metadata": [
        {"channel": "ada@example.org"},
        {"channel": "4111111111111111"},
        {"The Channel": "web"},
        {"channel": "two words"},
        {"channel": 1},
        {f"name{number}": "x" for number in range(9)},
        None,
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in SPOILT.items() for value in values])
def test_what_is_not_of_its_form_is_refused_by_name_and_not_repeated(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name) as caught:
        event(**{name: value})

    if isinstance(value, str) and len(value) > 3:
        assert value not in str(caught.value)
