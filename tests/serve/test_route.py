"""One message over HTTP: the decision, its id, its record, and what is not a message."""

from __future__ import annotations

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.open import open_bundle


def test_a_decision_over_http_is_the_bundles_own(server: Any, tiny: Any) -> None:
    bundle = open_bundle(tiny)
    for text in ("yes sure", "no never", "well", "  ", "x" * 61, "yes " * 9, "\0yes", "¿qué?"):
        found = server.route(text)
        said = found.json()
        expected = bundle.decide(text).to_json()

        assert found.status == 200
        assert {**said, "stage_ms": None, "request_id": None} == {**expected, "stage_ms": None, "request_id": None}


def test_the_same_request_id_and_text_give_the_same_decision(server: Any) -> None:
    first = server.route("yes sure", request_id="a-1")
    again = server.route("yes sure", request_id="a-1")

    assert first.json()["request_id"] == "a-1"
    assert first.body == again.body


def test_the_same_request_id_with_another_text_is_a_conflict(server: Any) -> None:
    server.route("yes sure", request_id="a-2")
    found = server.route("yes sure!", request_id="a-2")

    assert found.status == 409
    assert found.json()["error"]["code"] == "request_id_conflict"


def test_the_same_text_after_other_turns_is_another_request(server: Any) -> None:
    first = server.route("yes", request_id="turns-1", conversation=["hello", "well"])

    assert server.route("yes", request_id="turns-1", conversation=["hello", "well"]).body == first.body
    assert server.route("yes", request_id="turns-1", conversation=["hello"]).status == 409
    assert server.route("yes", request_id="turns-1").status == 409


def test_a_request_without_an_id_gets_one(server: Any) -> None:
    ids = {server.route("yes").json()["request_id"] for _ in range(3)}

    assert len(ids) == 3
    assert all(ids)


BLANKS = ["", " ", "\t\n", "\u200b", "\u3164", "\u2800", "\ufeff", "\u115f", "\u034f", "\U000e0041", "\u00ad", "\u2003"]


@pytest.mark.parametrize("text", [*BLANKS, "".join(BLANKS) * 3])
def test_what_shows_nothing_goes_to_a_person(server: Any, text: str) -> None:
    found = server.route(text)

    assert found.status == 200
    assert (found.json()["route"], found.json()["reason"]) == ("person", "empty_text")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"\xff\xfe{\x00}\x00", 400, "invalid_json"),
        (b'\xef\xbb\xbf{"text": "yes"}', 400, "invalid_json"),
        (b'{"text": "\xff"}', 400, "invalid_json"),
        (b'{"text": "\\ud800"}', 400, "invalid_json"),
        (b'{"text": "yes", "text": "no"}', 400, "invalid_json"),
        (b'{"text": "yes", "deadline_ms": NaN}', 400, "invalid_json"),
        (b'{"text": "yes", "deadline_ms": 1e999}', 400, "invalid_json"),
        (b'{"text": "yes", "deadline_ms": ' + b"9" * 5000 + b"}", 400, "invalid_json"),
        (b'{"metadata": ' + b"[" * 90 + b"]" * 90 + b"}", 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b"[]", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b'"yes"', 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b'{"text": 5}', 422, "invalid_request"),
        (b'{"text": null}', 422, "invalid_request"),
        (b'{"text": "yes", "txt": 1}', 422, "invalid_request"),
        (b'{"text": "yes", "request_id": "a b"}', 422, "invalid_request"),
        (b'{"text": "yes", "request_id": "a\\n"}', 422, "invalid_request"),
        (b'{"text": "yes", "request_id": ""}', 422, "invalid_request"),
        (b'{"text": "yes", "deadline_ms": 0}', 422, "invalid_request"),
        (b'{"text": "yes", "deadline_ms": true}', 422, "invalid_request"),
        (b'{"text": "yes", "deadline_ms": "5"}', 422, "invalid_request"),
        (b'{"text": "yes", "metadata": {"a": "Ada Lovelace"}}', 422, "invalid_request"),
        (b'{"text": "' + b"y" * 300_000 + b'"}', 413, "too_large"),
    ],
)
def test_what_is_no_message_is_refused_by_a_stable_code(server: Any, body: bytes, status: int, code: str) -> None:
    found = server.ask("POST", "/v1/route", body)

    assert found.status == status
    assert found.json()["error"]["code"] == code
    assert found.json()["error"]["request_id"] == found.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/route", {"text": "yes", "metadata": {"a": "b", "Ada Lovelace": "b"}}, "metadata.1.[key]"),
        ("/v1/route", {"text": "yes", "Ada Lovelace": 1}, ""),
        ("/v1/route/batch", {"messages": [], "Ada Lovelace": 1}, "messages"),
        ("/v1/systemone", {"state": "yes", "questions": {"Ada Lovelace": {"type": "noul", "x": 1}}}, "questions.0"),
        ("/v1/systemone", {"state": "yes", "questions": {"yes": {"type": "Ada Lovelace"}}}, "questions.0"),
        (
            "/v1/systemone",
            {"state": "yes", "questions": {"yes": {"type": "noul", "criteria": {"Ada Lovelace": ""}}}},
            "questions.0.criteria.0.[key]",
        ),
        ("/v1/decisions", {"model": "tiny", "input": "yes", "questions": [{"type": "Ada Lovelace"}]}, "questions.0"),
        ("/v1/decisions", {"model": "tiny", "input": [{"role": "Ada Lovelace"}], "questions": []}, "input.0.role"),
        (
            "/v2/models/tiny/infer",
            {"inputs": [{"name": "Ada Lovelace", "datatype": "Ada Lovelace", "shape": [1], "data": [1]}]},
            "inputs.0.name",
        ),
    ],
)
def test_a_refusal_says_where_and_never_repeats_what_was_sent(server: Any, path: str, body: Any, field: str) -> None:
    found = server.ask("POST", path, body)

    assert found.status == 422
    assert b"Lovelace" not in found.body
    error = found.json() if path.startswith("/v2") else found.json()["error"]
    assert field in [one["field"] for one in error["problems"]]


def test_a_syntax_error_is_told_by_its_place(server: Any) -> None:
    found = server.ask("POST", "/v1/route", b'{\n"text": Ada Lovelace}').json()["error"]

    assert "line 2, column 9" in found["message"]
    assert "Lovelace" not in found["message"]


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spread(form: str, count: int) -> bytes:
    return ",".join(form.format(n) for n in range(count)).encode()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/route", b'{"text": "yes", %b, "k0": 0}' % spread('"k{}": 0', 20_000)),  # the last key is the first again
        ("/v1/route", b'{"text": "yes", %b}' % spread('"k{}": 0', 20_000)),
        ("/v1/route", b'{"text": "yes", "metadata": {%b}}' % spread('"K{}": 0', 20_000)),
        ("/v1/route/batch", b'{"messages": [%b]}' % spread("{{}}", 300_000)),
        ("/v1/systemone", b'{"state": "yes", "questions": {%b}}' % spread('"k{}": 0', 20_000)),
        ("/v2/models/tiny/infer", b'{"inputs": [], "outputs": [%b]}' % spread("1", 500_000)),
    ],
)
def test_a_body_full_of_mistakes_is_refused_soon_and_in_few_words(server: Any, path: str, body: bytes) -> None:
    before = processor_seconds(server.front())
    found = server.ask("POST", path, body)
    took = processor_seconds(server.front()) - before

    assert found.status in {400, 422}
    assert len(found.body) < 20_000
    assert took < 1.0  # while it takes longer, nobody else is answered


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/v1/route", {}, 405, "method_not_allowed"),
        ("DELETE", "/livez", {}, 405, "method_not_allowed"),
        ("POST", "/v1/nothing", {}, 404, "not_found"),
        ("GET", "/v1/../livez", {}, 404, "not_found"),
        ("GET", "/livez/", {}, 404, "not_found"),
        ("GET", "//livez", {}, 404, "not_found"),
        ("POST", "/v1/route", {"content_type": "text/plain"}, 415, "unsupported_media_type"),
        ("POST", "/v1/route", {"content_encoding": "gzip"}, 415, "unsupported_media_type"),
        ("GET", "/livez", {"host": "evil.example"}, 421, "wrong_host"),
        ("GET", "/livez", {"host": "localhost.evil.example"}, 421, "wrong_host"),
        ("GET", "/livez", {"host": "localhost:80@evil.example"}, 421, "wrong_host"),
        ("GET", "/livez", {"host": "[::1].evil.example"}, 421, "wrong_host"),
        ("GET", "/livez", {"host": "127.0.0.1.evil.example"}, 421, "wrong_host"),
        ("OPTIONS", "/v1/route", {"origin": "http://evil.example"}, 405, "method_not_allowed"),
    ],
)
def test_what_is_not_an_operation_is_refused_by_a_stable_code(
    server: Any, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    found = server.ask(method, path, {"text": "yes"} if method == "POST" else None, **headers)

    assert (found.status, found.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("host", ["localhost", "LocalHost:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"])
def test_every_name_of_this_machine_is_answered(server: Any, host: str) -> None:
    assert server.ask("GET", "/livez", host=host).status == 200


def raw(server: Any, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(sent)
        found = b""
        while data := connection.recv(65536):
            found += data
        return found


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"hello\r\n\r\n", 400, "invalid_http"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "invalid_http"),
        (
            b"GET /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            400,
            "invalid_http",
        ),
        (
            b"POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "invalid_http",
        ),
        (b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 20_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 20_000, 431, "headers_too_large"),
        (b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 431, "headers_too_large"),
        (b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * 9000 + b"\r\n", 431, "headers_too_large"),
        (b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", 400, "invalid_http"),
        (b"GET /livez HTTP/1.1\r\nhost: localhost\r\nHOST: evil.example\r\n\r\n", 400, "invalid_http"),
        (b"GET /livez HTTP/1.1\nhost: localhost\n\n", 400, "invalid_http"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "invalid_http"),
        (b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n", 400, "invalid_http"),
    ],
)
def test_bytes_that_are_no_request_are_refused_in_the_same_shape(
    server: Any, sent: bytes, status: int, code: str
) -> None:
    head, _, body = raw(server, sent).partition(b"\r\n\r\n")

    assert head.split()[1] == str(status).encode()
    assert json.loads(body)["error"]["code"] == code


def test_two_requests_sent_at_once_get_two_replies_in_order(server: Any) -> None:
    body = json.dumps({"text": "yes", "request_id": "pipe-1"}).encode()
    one = (
        b"POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
    )
    found = raw(
        server, one % (len(body), body) + b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )

    assert found.count(b"HTTP/1.1 200 OK") == 2
    assert found.index(b"pipe-1") < found.index(b'{"live":true}')


def test_a_body_in_pieces_is_the_same_body(server: Any) -> None:
    body = json.dumps({"text": "yes sure"}).encode()
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    head = b"POST /v1/route HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n"
    found = raw(server, head + b"transfer-encoding: chunked\r\n\r\n" + pieces)

    assert b'"label":"yes"' in found


def test_a_client_may_shorten_its_deadline_and_is_then_answered_by_a_fallback(server: Any) -> None:
    assert server.route("yes", deadline_ms=60_000).json()["outcome"] == "routed"

    reasons = {server.route("yes", deadline_ms=1).json()["reason"] for _ in range(20)}
    assert reasons <= {"deadline_passed", "auto"}


def test_readiness_names_the_bundle_and_says_that_nobody_signed_it(server: Any, tiny: Any) -> None:
    found = server.ask("GET", "/readyz")

    assert found.status == 200
    assert found.json()["bundle_digest"] == open_bundle(tiny).digest
    assert (found.json()["signed"], found.json()["development"]) == ("none", True)


def test_every_request_is_one_line_of_the_log_without_its_text(server: Any) -> None:
    server.route("sure sure yes", request_id="log-1")
    line = server.wait_for("request", request_id="log-1")

    assert {"time", "request_id", "route", "status", "ms", "outcome", "reason", "bundle"} <= line.keys()
    assert not any("sure" in text for text in server.raw)


def test_metrics_count_outcomes_and_name_the_bundle(server: Any) -> None:
    before = server.metric("interlock_decisions_total")
    server.route("yes sure")

    assert server.metric("interlock_decisions_total") == before + 1
    assert server.metric("interlock_bundle_info") == 1


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        (b"POST /v1/route", b"{", 400),
        (b"POST /v1/nothing", b"{}", 404),
        (b"DELETE /v1/route", b"{}", 405),
        (b"POST /v1/route", b'{"text": "' + b"y" * 300_000 + b'"}', 413),
        (b"POST /v1/route", b"{}", 422),
        (b"HEAD /livez", b"", 200),
    ],
)
def test_a_connection_is_good_for_another_request_after_a_refusal(
    server: Any, head: bytes, body: bytes, status: int
) -> None:
    kind = b"host: localhost\r\ncontent-type: application/json\r\n"
    first = b"%b HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n%b" % (head, kind, len(body), body)
    found = raw(server, first + b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")

    assert found.startswith(b"HTTP/1.1 %d " % status)
    assert found.endswith(b'{"live":true}')


def test_a_request_of_http_1_0_gets_one_reply_and_the_connection_is_closed(server: Any) -> None:
    found = raw(server, 2 * b"GET /livez HTTP/1.0\r\nhost: localhost\r\n\r\n")

    assert found.count(b'{"live":true}') == 1
    assert b"connection: close" in found


def test_of_several_texts_at_once_under_one_id_one_is_decided_and_the_others_conflict(server: Any) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: server.route(f"yes {n % 4}", request_id="race-1"), range(32)))

    assert {one.status for one in found} == {200, 409}
    assert len({one.body for one in found if one.status == 200}) == 1
    assert {one.json()["error"]["code"] for one in found if one.status == 409} == {"request_id_conflict"}
    assert sum(one.status == 200 for one in found) == 8
