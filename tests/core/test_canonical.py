"""Strict JSON in, canonical JSON out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.canonical import canonical, digest_of, read_json
from interlock.core.errors import InputError

SAFE = 2**53 - 1  # beyond it JSON numbers mean different things to different readers, and ours refuses them
SCALARS = st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.floats(-SAFE, SAFE)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(SCALARS | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUES)
def test_canonical_bytes_read_back_to_the_same_canonical_bytes(value: object) -> None:
    data = canonical(value)

    assert canonical(read_json(data, where="x")) == data


@given(st.dictionaries(TEXT, SCALARS))
def test_the_digest_does_not_depend_on_key_order(value: dict[str, object]) -> None:
    assert digest_of(dict(reversed(value.items()))) == digest_of(value)


REFUSED = {
    "a key twice": b'{"a": 1, "a": 1}',
    "NaN": b'{"a": NaN}',
    "an infinity": b'{"a": -Infinity}',
    "a number too large": b'{"a": 1e309}',
    "an integer beyond doubles": b'{"a": 9007199254740993}',
    "an integer of 5,000 digits": b"1" * 5000,
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate as a key": b'{"\\udc00": 1}',
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "trailing text": b'{"a": 1} x',
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "nesting one level too deep": b"[" * 66 + b"]" * 66,
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "nothing": b"",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_strict_json_refuses(data: bytes) -> None:
    with pytest.raises(InputError):
        read_json(data, where="x")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800"])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        canonical({"a": value})
