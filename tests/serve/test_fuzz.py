"""Whatever is sent, the server answers with a decision or a stable refusal, never with a defect, and goes on.

A hundred thousand requests, some of them schemathesis's: ``python -m bench.fuzz BUNDLE --schemathesis COMMAND``.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=pytest.mark.slow)])
def test_whatever_is_sent_gets_a_decision_or_a_stable_refusal(
    server: Any, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT)
    found = importlib.import_module("bench.fuzz.__main__").hostile(server.port, count)

    assert found.sent >= count
    assert {200, 400, 404, 405, 422} <= found.statuses.keys()
    assert not [line for line in server.logged("request") if line["status"] >= 500]
    assert server.route("yes").json()["outcome"] == "routed"


def test_the_head_of_an_operation_is_its_reply_without_a_body(server: Any) -> None:
    whole, head = server.ask("GET", "/livez"), server.ask("HEAD", "/livez")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))
