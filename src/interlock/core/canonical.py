"""Bytes that mean one thing: strict JSON in, canonical JSON out, and digests of both. Knows no file formats."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from typing import Any

import rfc8785

from interlock.core.errors import InputError, Problem

MAX_DEPTH = 64  # nesting of any JSON document we read
MAX_SAFE_INTEGER = 2**53 - 1  # RFC 8785: beyond this a JSON number is not the same for every reader


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 canonical JSON of ``value``.

    Raises:
        InputError: ``value`` holds NaN, an infinity, an integer beyond 2**53 - 1 or a lone surrogate.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, ValueError) as error:
        raise InputError(f"this value has no canonical JSON form: {error}") from error


def digest(data: bytes) -> str:
    """Return ``sha256:`` and the hexadecimal SHA-256 of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of(value: Any) -> str:
    """Return the digest of a JSON value's canonical bytes."""
    return digest(canonical(value))


def read_json(data: bytes, *, where: str) -> Any:
    """Parse strict JSON: UTF-8 without BOM, no duplicate keys, no NaN or infinity, no lone surrogates, bounded depth.

    The standard library alone accepts all of those; a document that two readers understand differently cannot be
    evidence. ``where`` names the document in the error.

    Raises:
        InputError: the bytes are not such a document.
    """
    try:
        return parse_json(data.decode("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(
            f"{where} is not strict JSON", [Problem(where, "", "strict UTF-8 JSON", str(error))]
        ) from error


def parse_json(text: str) -> Any:
    """Parse strict JSON text as ``read_json`` does.

    Raises:
        ValueError: saying what the document holds that strict JSON does not.
    """
    try:
        value = _STRICT.decode(text)
        _check(value, depth=0)
    except RecursionError:
        raise ValueError(f"nesting deeper than {MAX_DEPTH} levels") from None
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r} twice in one object")
    return out


def _no_constant(name: str) -> float:
    raise ValueError(f"the number {name}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]}, too large for a double")
    return value


def _integer(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > MAX_SAFE_INTEGER:  # noqa: PLR2004 - longer than any safe integer
        raise ValueError(f"the integer {text[:40]}, beyond 2**53 - 1")
    return int(text)


_STRICT = json.JSONDecoder(
    object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
)


def _check(value: Any, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"nesting deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        _no_surrogate(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _no_surrogate(key)
            _check(item, depth=depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth=depth + 1)


def _no_surrogate(text: str) -> None:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("a lone surrogate (half a character)")
