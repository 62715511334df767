"""What the server says when it does not answer: one JSON shape, one code for each reason. Knows no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CODES: dict[str, tuple[int, str]] = {  # code -> status, what it means
    "invalid_http": (400, "the bytes are no HTTP request"),
    "invalid_json": (
        400,
        "not strict JSON: UTF-8, no key twice, no NaN, no huge number, no half characters, not too deep",
    ),
    "unauthenticated": (401, "no API key, or one that is not known"),
    "forbidden": (403, "the API key's role may not do this"),
    "not_found": (404, "there is nothing here"),
    "method_not_allowed": (405, "this is not done here; Allow says what is"),
    "too_slow": (408, "the request did not arrive in the time it has"),
    "request_id_conflict": (409, "the request_id was used for another text"),
    "bundle_refused": (409, "the bundle did not verify, or is not there; the one before goes on answering"),
    "too_large": (413, "the body is larger than max_body_bytes"),
    "unsupported_media_type": (415, "the body must be application/json"),
    "wrong_host": (421, "the Host header names another machine"),
    "invalid_request": (422, "the JSON is not what this operation takes; problems lists where"),
    "headers_too_large": (431, "the headers are larger than max_header_bytes"),
    "internal_error": (500, "a defect of the server; the message was not answered"),
    "overloaded": (503, "too many requests are waiting; come again after Retry-After seconds"),
    "starting": (503, "no worker has opened the bundle yet"),
    "not_ready": (503, "no worker can decide now, or the server is stopping"),
    "not_recorded": (503, "the decision could not be put on record; the same request_id may be sent again"),
}
RETRY_AFTER_S = 1
MOST_PROBLEMS = 50  # that one refusal lists


class Refusal(Exception):  # noqa: N818 - it is an answer to the caller, not an error of ours
    """A request that is not answered, and why."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        problems: Sequence[Mapping[str, str]] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """Refuse with one of ``CODES``; ``problems`` say which fields were not what was expected, the first 50."""
        self.code, self.message, self.problems = code, message or CODES[code][1], tuple(problems[:MOST_PROBLEMS])
        self.status = CODES[code][0]
        retry = [(b"retry-after", str(RETRY_AFTER_S).encode())] if self.status == 503 else []  # noqa: PLR2004 - HTTP's
        self.headers = (*headers, *retry)
        super().__init__(code)

    def to_json(self, request_id: str, *, most: int = MOST_PROBLEMS) -> dict[str, Any]:
        """Return the shape of errors, with at most so many problems."""
        body: dict[str, Any] = {"code": self.code, "message": self.message, "request_id": request_id}
        if self.problems[:most]:
            body["problems"] = list(self.problems[:most])
        return {"error": body}

    def to_words(self, request_id: str) -> dict[str, Any]:
        """Return the Open Inference Protocol's shape of errors: ``error`` is words, all else stands beside it."""
        places = [f"{one['field']}: expected {one['expected']}" for one in self.problems]
        words = "; ".join([f"{self.code}: {self.message}", *places])
        return {**self.to_json(request_id)["error"], "error": words}
