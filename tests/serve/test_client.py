"""The client: typed decisions, retries that never make a second decision, and an end to trying."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.open import open_bundle
from interlock.core.errors import InputError, UnavailableError
from interlock.serve.caller import Budget
from interlock.serve.client import Client, RequestRefusedError


class Script(BaseHTTPRequestHandler):
    """Answers with the next of the server's replies, and keeps what was asked."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        server.asked.append(json.loads(body))
        status, reply = server.replies.pop(0) if server.replies else (503, {})
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        if status == 503:
            self.send_header("retry-after", str(getattr(server, "pause", 0)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""


@pytest.fixture
def scripted() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Script)
    server.asked, server.replies = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client_of() -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(server: Any, **options: Any) -> Client:
        port = server.port if hasattr(server, "port") else server.server_address[1]
        made.append(Client(f"http://127.0.0.1:{port}", **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


Make = Callable[..., Client]
DECIDED = {"request_id": "a", "outcome": "routed", "route": "yes", "reason": "auto", "intents": []}


def test_the_client_gives_the_bundles_decisions(client_of: Make, server: Any, tiny: Path) -> None:
    client, bundle = client_of(server), open_bundle(tiny)
    texts = ["yes sure", "", "no never"]
    for text, found in zip(texts, client.route_all(texts), strict=True):
        one = client.route(text, subject="c-1", conversation=["hello"], metadata={"channel": "chat"})
        expected = bundle.decide(text)

        assert (one.outcome, one.route, one.reason, one.label) == (
            found.outcome,
            found.route,
            found.reason,
            found.label,
        )
        assert (one.route, one.confidence, one.bundle_digest) == (expected.route, expected.confidence, bundle.digest)
    assert client.ready()


def test_a_retry_carries_the_same_request_id(client_of: Make, scripted: Any) -> None:
    scripted.replies += [(503, {}), (503, {"error": {"code": "overloaded"}}), (200, DECIDED)]
    found = client_of(scripted).route("yes")

    assert found.route == "yes"
    assert len({asked["request_id"] for asked in scripted.asked}) == 1
    assert len(scripted.asked) == 3


def test_what_was_refused_for_what_it_is_is_not_tried_again(client_of: Make, scripted: Any) -> None:
    scripted.replies += [(422, {"error": {"code": "invalid_request", "message": "no"}})]
    with pytest.raises(RequestRefusedError, match="invalid_request"):
        client_of(scripted).route("yes")

    assert len(scripted.asked) == 1


@pytest.mark.parametrize("reply", [(200, b"no json"), (200, b""), (503, {}), (200, b"[1]")])
def test_a_server_that_never_answers_well_is_given_up(client_of: Make, scripted: Any, reply: Any) -> None:
    scripted.replies += [reply] * 9
    with pytest.raises(UnavailableError):
        client_of(scripted, retries=1).route("yes")

    assert len(scripted.asked) == 2


def test_retries_are_at_most_a_tenth_of_requests_once_the_savings_are_spent(client_of: Make, scripted: Any) -> None:
    client = client_of(scripted, retries=5)
    for _ in range(20):
        with pytest.raises(UnavailableError):
            client.route("yes")

    assert len(scripted.asked) <= 20 + 10 + 2
    assert not Budget(most=0.5).spend()


def test_nobody_listening_is_unavailable_within_the_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        Client("http://127.0.0.1:1", deadline_s=0.5).route("yes")

    assert time.monotonic() - began < 5


def test_a_wedged_server_costs_no_more_than_the_deadline(client_of: Make, start: Any) -> None:
    server = start()
    os.kill(server.front(), signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        client_of(server, deadline_s=0.5).route("yes")
    took = time.monotonic() - began
    os.kill(server.front(), signal.SIGCONT)

    assert took < 5


@pytest.mark.parametrize(
    "reply",
    [
        (200, {}),
        (200, []),
        (200, 5),
        (200, {"outcome": "zz", "route": "a", "reason": "b"}),
        (200, {"decisions": 5}),
        (204, b""),
        (500, b"<html>"),
        (502, b"<html>"),
        (503, {"error": ["overloaded"]}),
    ],
)
def test_what_is_no_reply_of_ours_is_no_answer(client_of: Make, scripted: Any, reply: Any) -> None:
    scripted.replies += [reply] * 6
    with pytest.raises(UnavailableError):
        client_of(scripted, retries=1).route("yes")
    with pytest.raises(UnavailableError):
        client_of(scripted, retries=1).route_all(["yes"])

    assert len(scripted.asked) == 4


@pytest.mark.parametrize(("status", "body"), [(302, b""), (400, {"error": "words"}), (404, b"<html>"), (403, {})])
def test_a_refusal_in_no_shape_of_ours_is_told_by_its_status(
    client_of: Make, scripted: Any, status: int, body: Any
) -> None:
    scripted.replies += [(status, body)]
    with pytest.raises(RequestRefusedError, match=f"HTTP status {status}") as refused:
        client_of(scripted).route("yes")

    assert refused.value.status == status


def test_a_message_of_a_batch_that_may_be_tried_again_is_no_refusal(client_of: Make, scripted: Any) -> None:
    scripted.replies += [(200, {"decisions": [DECIDED, {"error": {"code": "not_recorded", "message": ""}}]})]
    with pytest.raises(UnavailableError, match="not_recorded"):
        client_of(scripted).route_all(["yes", "no"])


def test_a_refusal_says_what_kind_of_thing_was_sent_and_not_the_thing(client_of: Make, server: Any) -> None:
    client = client_of(server)
    for options, field, got in (
        ({"request_id": "Ada Lovelace"}, "request_id", "12 characters"),
        ({"metadata": {"a": "b", "c": "Ada Lovelace"}}, "metadata.1", "12 characters"),
        ({"metadata": {"a": "b", "Ada Lovelace": "c"}}, "metadata.1.[key]", "12 characters"),
        ({"conversation": "Ada Lovelace"}, "conversation", "12 characters"),
        ({"conversation": ["no", 5]}, "conversation.1", "int"),
    ):
        with pytest.raises(RequestRefusedError) as refused:
            client.route("yes", **options)
        assert [(one.field, one.got) for one in refused.value.problems] == [(field, got)]
        assert "Lovelace" not in str(refused.value)


def test_a_reply_in_drops_costs_no_more_than_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                for drop in [b"HTTP/1.1 200 OK\r\n"] + 40 * [b"x: y\r\n"]:
                    connection.sendall(drop)
                    time.sleep(0.1)

        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="TimeoutError"):
            Client(f"http://127.0.0.1:{listening.getsockname()[1]}", deadline_s=0.5).route("yes")
        took = time.monotonic() - began
        dripping.join()

    assert took < 2


def test_a_pause_beyond_the_deadline_is_not_waited_for(client_of: Make, scripted: Any) -> None:
    scripted.pause = 60
    scripted.replies += [(503, {"error": {"code": "overloaded"}})]
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="503 overloaded"):
        client_of(scripted).route("yes")

    assert time.monotonic() - began < 2
    assert len(scripted.asked) == 1


@pytest.mark.parametrize(
    "options",
    [
        *({"deadline_s": seconds} for seconds in (0, -1, float("nan"), float("inf"))),
        *({"key": key} for key in ("", "a\nb", "\xe9")),
        {"retries": -1},
    ],
)
def test_a_way_to_ask_that_is_none_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        Client("http://127.0.0.1:1", **options)


@pytest.mark.parametrize(
    "url",
    [
        "http://a:port",
        "http://a:99999",
        "http://[::1",
        "http://u:p@a",
        "http://a#b",
        "http://a b",
        5,
        None,
        b"http://a",
    ],
)
def test_an_address_that_is_none_is_refused(url: Any) -> None:
    with pytest.raises(InputError, match="url"):
        Client(url)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "ftp://a", "http://", "http://a/b", "http://a?b=c", "file:///etc/passwd"]
)
def test_only_servers_are_asked(url: str) -> None:
    with pytest.raises(InputError):
        Client(url)
