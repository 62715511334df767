"""What is sent: right requests, nearly right ones, and bytes that are none, as Hypothesis strategies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

METHODS = ("POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "post", "BREW", "P\0ST", "")
TENSOR = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["yes"]}
CHOICE = {"type": "choice", "instructions": "", "choices": [{"value": "yes"}, {"value": "no"}]}
BODIES: dict[str, Any] = {  # what each operation takes
    "/v1/route": {"text": "yes", "request_id": "a", "conversation": ["b"], "subject": "c", "metadata": {"d": "e"}},
    "/v1/route/batch": {"messages": [{"text": "yes", "deadline_ms": 900}, {"text": ""}]},
    "/v1/decisions": {"model": "tiny", "input": [{"role": "user", "content": "yes"}], "questions": [CHOICE]},
    "/v1/systemone": {"state": "yes", "questions": {"yes": {"type": "noul"}}},
    "/v1/admin/activate": {"bundle": "nowhere"},
    "/v2/models/tiny/infer": {"id": "f", "inputs": [TENSOR], "outputs": [{"name": "route"}]},
}
ELSEWHERE = (
    *("/livez", "/readyz", "/metrics", "/openapi.json", "/v2", "/v2/models/tiny", "/v2/models/tiny/versions/1/ready"),
    *(
        "",
        "*",
        "/",
        "//",
        "/v1/../livez",
        "/%00",
        "/%ff",
        "/v1/route?x=1#y",
        "/v2/models/%2e%2e/infer",
        "http://a/livez",
    ),
)
BLANKS = (
    "",
    " ",
    "\t\r\n",
    "\u200b",
    "\u3164",
    "\u2800",
    "\ufeff",
    "\u115f",
    "\u034f",
    "\U000e0041",
    "\u00ad",
    "\u2003",
)
NUMBERS = ("NaN", "-Infinity", "1e999", "-0", "1.0", "9007199254740993", "9" * 4400, "0x1", "01", "1e-400", "true")
DEEP = (
    "[" * 65 + "]" * 65,
    "[" * 50_000,
    '{"a":' * 70 + "1" + "}" * 70,
    '{"text": "yes", "text": "no"}',
    '{"text": "yes"}x',
)
HEADERS = (
    *(
        "content-type: text/plain",
        "content-type: APPLICATION/JSON; charset=utf-16",
        "content-type:",
        "range: bytes=0-1",
    ),
    *(
        "host: evil.example",
        "host:",
        "host: localhost, evil.example",
        "host: [::1",
        "expect: 100-continue",
        "expect: tea",
    ),
    *("connection: close", "connection: upgrade\r\nupgrade: websocket", "connection: keep-alive", "upgrade: h2c"),
    *("authorization: Bearer", "authorization: Basic \xff", "x-api-key: \0", "x-api-key: \xe9", "x-request-id: a\tb"),
    *(
        "traceparent: 00-zz",
        "cookie: " + "a=b;" * 3000,
        "x: " + "y" * 20_000,
        "x:y\r\n z",
        ": no name",
        "no colon",
        "x : y",
    ),
    *("transfer-encoding: gzip", "transfer-encoding: chunked, chunked", "content-length: -1", "content-length: 1e3"),
    *("content-length: 99999999999999999999", "content-length: +5", "content-length: 5, 5", "content-encoding: gzip"),
)


@dataclass(frozen=True)
class Sent:
    """Bytes for one connection. ``whole``: they are one whole HTTP request, so that a reply must come."""

    data: bytes
    method: str
    whole: bool


def sent() -> st.SearchStrategy[Sent]:
    """Return the strategy of everything that is sent."""
    broken, junk = _requests().flatmap(_broken), st.binary(max_size=200).map(_junk)
    return _mostly(_requests(), broken, junk)


def _mostly(usual: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return one that is the usual four times out of five."""
    return st.sampled_from([usual] * 4 * len(others) + [*others]).flatmap(lambda kind: kind)


@st.composite
def _requests(draw: st.DrawFn) -> Sent:
    """One request: a path, mostly POST, a body that is right or not, and how it is framed."""
    path = draw(st.sampled_from([*BODIES] * 8 + [*ELSEWHERE]))
    method = draw(st.sampled_from(["POST"] * 90 + list(METHODS)))
    version = draw(st.sampled_from(["HTTP/1.1"] * 90 + ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1", ""]))
    body = draw(_bodies(BODIES.get(path, {"text": "yes"})))
    given = draw(st.sampled_from([[]] * 120 + [[one] for one in HEADERS]))
    framed, whole = draw(_framed(body))
    lines = [f"{method} {path} {version}", "host: localhost", "content-type: application/json", *given]
    head = "\r\n".join(lines).encode("latin-1")
    plain = not given and version == "HTTP/1.1" and method in METHODS[:8] and path.startswith("/")
    return Sent(head + b"\r\n" + framed, method, whole and plain)


@st.composite
def _framed(draw: st.DrawFn, body: bytes) -> tuple[bytes, bool]:
    """Say how long the body is, or lie: the rest of the head, the body, and whether that is honest."""
    kind = draw(st.sampled_from(["length"] * 40 + ["chunked"] * 8 + ["short", "long", "none", "both", "bad chunks"]))
    length = b"content-length: %d\r\n\r\n"
    if kind in {"chunked", "both", "bad chunks"}:
        size = draw(st.integers(1, 400))
        pieces = [body[start : start + size] for start in range(0, len(body), size)][:2000]
        sizes = [b"%x" % len(one) if kind != "bad chunks" else b"-1" for one in pieces]
        chunks = b"".join(b"%b\r\n%b\r\n" % pair for pair in zip(sizes, pieces, strict=True)) + b"0\r\n\r\n"
        more = b"content-length: 3\r\n" if kind == "both" else b""
        return more + b"transfer-encoding: chunked\r\n\r\n" + chunks, kind == "chunked"
    if kind == "none":
        return b"\r\n" + body, False
    told = {"length": len(body), "short": len(body) + 7, "long": len(body) // 2}[kind]
    return length % told + body, kind == "length"


def _bodies(right: Any) -> st.SearchStrategy[bytes]:
    said = st.builds(_said, st.just(right) | _spoilt(right), st.booleans())
    number = st.sampled_from(NUMBERS).map(lambda number: f'{{"text": "yes", "deadline_ms": {number}}}'.encode())
    encodings = st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "cp037"]).map('{"text": "yes"}'.encode)
    odd = st.one_of(number, st.sampled_from(DEEP).map(str.encode), encodings, st.binary(max_size=60), _pieces())
    return _mostly(said, odd)


def _said(value: Any, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def _pieces() -> st.SearchStrategy[bytes]:
    pieces = [
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b'"',
        b"\\",
        b'"text"',
        b"null",
        b"\\ud800",
        b"\0",
        b"\xff",
        b"1",
        b"yes",
    ]
    return st.lists(st.sampled_from(pieces), max_size=12).map(b"".join)


def _values() -> st.SearchStrategy[Any]:
    texts = st.one_of(
        st.sampled_from([*BLANKS, "yes " * 70, "x" * 300]), st.text(st.characters(codec=None), max_size=20)
    )
    simple = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
    return st.one_of(simple, texts, st.lists(simple, max_size=3), st.dictionaries(texts, simple, max_size=2))


@st.composite
def _spoilt(draw: st.DrawFn, right: Any) -> Any:
    """Return a right body with another value, or one key more or less, somewhere in it."""
    if not isinstance(right, dict | list) or not right or draw(st.integers(0, 3)) == 0:
        return draw(_values())
    whole = right.copy()
    place = draw(st.sampled_from(list(right) if isinstance(right, dict) else list(range(len(right)))))
    kind = draw(st.sampled_from(["inside", "inside", "other", "gone", "more"]))
    if kind == "inside":
        whole[place] = draw(_spoilt(right[place]))
    elif kind == "other":
        whole[place] = draw(_values())
    elif kind == "gone":
        del whole[place]
    elif isinstance(whole, dict):
        whole[draw(st.sampled_from(["extra", "", "text", "\ud800"]))] = draw(_values())
    else:
        whole *= draw(st.sampled_from([2, 600]))
    return whole


@st.composite
def _broken(draw: st.DrawFn, right: Sent) -> Sent:
    """Return a request with a few bytes changed, or cut off."""
    data = bytearray(right.data)
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, min(len(data), 400) - 1))] = draw(st.integers(0, 255))
    return Sent(bytes(data[: draw(st.integers(1, len(data)))]), right.method, whole=False)


def _junk(data: bytes) -> Sent:
    return Sent(data, "", whole=False)
