"""Messages between two processes over a stream socket: four bytes of length, then JSON. Knows no message's meaning."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

_LENGTH = struct.Struct(">I")
MAX_BYTES = 64_000_000  # of one message; more means that the stream is out of step


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as bytes on the wire."""
    body = orjson.dumps(message)
    return _LENGTH.pack(len(body)) + body


def read(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; ``None`` when the other side has gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _checked(_LENGTH.unpack(head)[0])
    body = stream.read(length)
    if len(body) < length:
        return None
    found: dict[str, Any] = orjson.loads(body)
    return found


class Unpacker:
    """Takes bytes as they come, gives whole messages."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._held = bytearray()

    def take(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Add bytes; yield every message that is now whole."""
        self._held += data
        while len(self._held) >= _LENGTH.size:
            end = _LENGTH.size + _checked(_LENGTH.unpack_from(self._held)[0])
            if len(self._held) < end:
                return
            message: dict[str, Any] = orjson.loads(memoryview(self._held)[_LENGTH.size : end])
            del self._held[:end]
            yield message


def _checked(length: int) -> int:
    if length > MAX_BYTES:
        raise ValueError(f"expected a message of at most {MAX_BYTES} bytes, got {length}")
    return length
