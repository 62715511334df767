"""A request that offers to go on by another protocol, as Java's client does, is answered as any other."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

HOST = b"host: localhost\r\n"
LAST = b"GET /livez HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n"
BODY = json.dumps({"text": "yes sure"}).encode()
OFFERS = [
    b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAA\r\n",
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n",
]


def exchanged(server: Any, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        found = b""
        while data := connection.recv(65536):
            found += data
        return found


def posted(offer: bytes, *, chunked: bool = False, more: bytes = b"") -> bytes:
    """Return a message's request that makes an offer."""
    length = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % len(BODY)
    head = b"POST /v1/route HTTP/1.1\r\n" + HOST + b"content-type: application/json\r\n" + offer + more + length
    return head + b"\r\n\r\n" + (b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) if chunked else BODY)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("chunked", [False, True])
def test_the_body_is_read_and_the_connection_goes_on(server: Any, offer: bytes, chunked: bool) -> None:
    found = exchanged(server, posted(offer, chunked=chunked) + LAST)

    assert found.count(b"HTTP/1.1 200 OK") == 2
    assert found.index(b'"label":"yes"') < found.index(b'{"live":true}')


@pytest.mark.parametrize("cut", [1, 30, 120, -len(BODY) - 2, -len(BODY), -3])
def test_it_may_come_in_pieces(server: Any, cut: int) -> None:
    sent = posted(OFFERS[0])
    found = exchanged(server, sent[:cut], sent[cut:], LAST)

    assert found.count(b"HTTP/1.1 200 OK") == 2
    assert b'"label":"yes"' in found


def test_a_connection_that_is_to_be_closed_is_closed(server: Any) -> None:
    offer = b"connection: upgrade, close\r\nupgrade: h2c\r\n"

    assert exchanged(server, posted(offer)).count(b"HTTP/1.1 200 OK") == 1


def test_a_thousand_offers_at_once_are_a_thousand_replies(server: Any) -> None:
    one = b"GET /livez HTTP/1.1\r\n" + HOST + OFFERS[1] + b"\r\n"

    assert exchanged(server, 1000 * one + LAST).count(b'{"live":true}') == 1001


@pytest.mark.parametrize(
    "more",
    [b"host: evil.example\r\n", b"content-length: 3\r\n", b"x: " + b"y" * 20_000 + b"\r\n"],
)
def test_what_is_refused_otherwise_is_refused_with_an_offer(server: Any, more: bytes) -> None:
    found = exchanged(server, posted(OFFERS[0], more=more))

    assert found.count(b"HTTP/1.1 ") == 1
    assert found.split()[1] in {b"400", b"431"}


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"chunked, gzip", b"identity", b"chunked, chunked"])
def test_a_coding_that_is_not_taken_off_is_refused(server: Any, coding: bytes) -> None:
    head = b"POST /v1/route HTTP/1.1\r\n" + HOST + b"content-type: application/json\r\ntransfer-encoding: %b\r\n\r\n"
    found = exchanged(server, head % coding + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))

    assert found.startswith(b"HTTP/1.1 400 ")
    assert b"invalid_http" in found
