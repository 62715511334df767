"""Every operation: who may, what it takes and gives, and that the description says so."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.open import open_bundle
from interlock.core.decision import Decision
from interlock.serve.access import ADMINS, ANYONE, CLIENTS, WATCHERS, Role
from interlock.serve.replies import DecisionReply

POLICIES = {  # whoever adds an operation decides here who may use it
    ("POST", "/v1/route"): CLIENTS,
    ("POST", "/v1/route/batch"): CLIENTS,
    ("POST", "/v1/decisions"): CLIENTS,
    ("POST", "/v1/systemone"): CLIENTS,
    ("POST", "/v1/admin/activate"): ADMINS,
    ("GET", "/livez"): ANYONE,
    ("GET", "/readyz"): ANYONE,
    ("GET", "/metrics"): WATCHERS,
    ("GET", "/openapi.json"): ANYONE,
    ("GET", "/v2"): CLIENTS,
    ("GET", "/v2/health/live"): ANYONE,
    ("GET", "/v2/health/ready"): ANYONE,
    ("GET", "/v2/models/{model}"): CLIENTS,
    ("GET", "/v2/models/{model}/ready"): CLIENTS,
    ("POST", "/v2/models/{model}/infer"): CLIENTS,
    ("GET", "/v2/models/{model}/versions/{version}"): CLIENTS,
    ("GET", "/v2/models/{model}/versions/{version}/ready"): CLIENTS,
    ("POST", "/v2/models/{model}/versions/{version}/infer"): CLIENTS,
}
KEYS = {role: f"{role.value}-key-0123456789" for role in Role}


@pytest.fixture(scope="module")
def described(server: Any) -> Any:
    return server.ask("GET", "/openapi.json").json()


def test_every_operation_has_a_policy_and_the_description_names_it(described: Any) -> None:
    found = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}

    assert found == set(POLICIES)
    for (method, path), allowed in POLICIES.items():
        assert bool(described["paths"][path][method.lower()]["security"]) == (allowed is not ANYONE)


def test_the_description_is_whole(described: Any) -> None:
    text = json.dumps(described)
    names = described["components"]["schemas"]

    assert described["openapi"] == "3.1.0"
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in names
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert ("requestBody" in operation) == (method == "post"), path
            assert {"200", "400", "408", "421", "431", "500", "503"} <= operation["responses"].keys(), path


def test_the_description_of_a_decision_has_all_its_fields() -> None:
    assert set(DecisionReply.model_fields) == {"request_id", *Decision.__dataclass_fields__}


def test_a_reply_is_what_the_description_says(server: Any, described: Any) -> None:
    for path, body in (
        ("/v1/route", {"text": "yes"}),
        ("/v1/route", {"text": ""}),
        ("/v1/route/batch", {"messages": [{"text": "yes"}]}),
    ):
        found = server.ask("POST", path, body).json()
        for one in found.get("decisions", [found]):
            assert set(one) == set(described["components"]["schemas"]["DecisionReply"]["properties"])
    refused = server.ask("POST", "/v1/route", {"text": "yes", "more": 1}).json()["error"]
    assert set(refused) == set(described["components"]["schemas"]["ErrorDetail"]["properties"])
    assert set(server.ask("GET", "/readyz").json()) == set(
        described["components"]["schemas"]["ReadyReply"]["properties"]
    )


def test_every_role_may_do_what_its_policy_says_and_nothing_else(start: Any, tiny: Path, tmp_path: Path) -> None:
    config = tmp_path / "keys.toml"
    hashes = {role: hashlib.sha256(key.encode()).hexdigest() for role, key in KEYS.items()}
    config.write_text("".join(f'[[keys]]\nname = "{r}"\nrole = "{r}"\nsha256 = "{h}"\n' for r, h in hashes.items()))
    server = start("--config", config)
    for (method, path), allowed in POLICIES.items():
        place = path.replace("{model}", "tiny").replace("{version}", open_bundle(tiny).digest)
        body: Any = {} if method == "POST" else None
        for role in (None, *Role):
            headers = {} if role is None else {"authorization": f"Bearer {KEYS[role]}"}
            found = server.ask(method, place, body, **headers).status
            if allowed is ANYONE or role in allowed:
                assert found in {200, 422}, (method, path, role, found)
            else:
                assert found == (401 if role is None else 403), (method, path, role, found)
    for wrong in ("", "client", "client-key-012345678", "client-key-01234567890", hashes[Role.CLIENT]):
        assert server.ask("GET", "/v2", authorization=f"Bearer {wrong}").status == 401
        assert server.ask("GET", "/v2", x_api_key=wrong).status == 401
    assert server.ask("GET", "/v2", x_api_key=KEYS[Role.CLIENT]).status == 200
    assert not any(key in line for key in KEYS.values() for line in server.raw)


def test_sighup_adds_and_revokes_keys_and_keeps_those_before_when_it_cannot(start: Any, tmp_path: Path) -> None:
    config = tmp_path / "keys.toml"

    def write(*names: str) -> None:
        keys = [(name, hashlib.sha256(f"{name}-key".encode()).hexdigest()) for name in names]
        config.write_text("".join(f'[[keys]]\nname = "{n}"\nrole = "client"\nsha256 = "{h}"\n' for n, h in keys))

    def may() -> dict[str, bool]:
        return {name: server.ask("GET", "/v2", x_api_key=f"{name}-key").status == 200 for name in ("ada", "bob", "eve")}

    write("ada", "eve")
    server = start("--config", config)
    assert may() == {"ada": True, "bob": False, "eve": True}
    write("ada", "bob")
    server.process.send_signal(signal.SIGHUP)
    assert server.wait_for("keys", result="renewed")["count"] == 2
    assert may() == {"ada": True, "bob": True, "eve": False}
    config.write_text("[[keys]]\nname = 'ada'\nrole = 'client'\nsha256 = 'ada-key'\n")
    server.process.send_signal(signal.SIGHUP)
    assert "keys.0.sha256" in server.wait_for("keys", result="refused")["why"]
    assert may() == {"ada": True, "bob": True, "eve": False}
    os.kill(server.front(), signal.SIGKILL)
    server.wait_for("ready", 2)
    assert may() == {"ada": True, "bob": True, "eve": False}
    assert not any("-key" in line for line in server.raw)


def test_a_batch_decides_every_message_in_order_and_by_itself(server: Any) -> None:
    server.route("yes", request_id="batch-taken")
    texts = ["yes sure", "no never", "", "well", "no"]
    messages = [{"text": text, "request_id": f"batch-{n}"} for n, text in enumerate(texts)]
    messages.append({"text": "never", "request_id": "batch-taken"})
    found = server.ask("POST", "/v1/route/batch", {"messages": messages}).json()["decisions"]

    assert [one["label"] for one in found[:5]] == ["yes", "no", None, "yes", "no"]
    assert [one["request_id"] for one in found[:5]] == [f"batch-{n}" for n in range(5)]
    assert found[5]["error"]["code"] == "request_id_conflict"
    for text, one in zip(texts, found, strict=False):
        assert server.route(text, request_id=one["request_id"]).json() == one


def test_a_batch_of_none_or_too_many_is_refused(server: Any) -> None:
    for messages in ([], [{"text": "yes"}] * 1025, "yes", None, {"text": "yes"}):
        assert server.ask("POST", "/v1/route/batch", {"messages": messages}).status == 422


def test_what_is_no_message_has_an_error_in_its_place_and_the_others_are_decided(server: Any) -> None:
    bad = [{"txt": "no"}, {"text": 5, "request_id": "batch-bad"}, {"text": "no", "request_id": "a b"}, "yes", None, [5]]
    messages = [{"text": "yes"}, *bad, {"text": "no"}]
    reply = server.ask("POST", "/v1/route/batch", {"messages": messages})
    first, *refused, last = reply.json()["decisions"]

    assert reply.status == 200
    assert (first["label"], last["label"]) == ("yes", "no")
    assert [one["error"]["code"] for one in refused] == ["invalid_request"] * len(bad)
    assert refused[1]["error"]["request_id"] == "batch-bad"
    assert refused[1]["error"]["problems"] == [{"field": "text", "expected": "a valid string"}]
    assert len({one["error"]["request_id"] for one in refused} - {"", "a b"}) == len(bad)
    noted = server.wait_for("request", request_id=reply.headers["x-request-id"])
    assert (noted["messages"], noted["refused"]) == (8, 6)


def test_an_unnamed_message_of_a_batch_is_refused_under_an_id_of_its_own(server: Any) -> None:
    found = server.ask("POST", "/v1/route/batch", {"messages": [{}, {}]}).json()["decisions"]

    ids = [one["error"]["request_id"] for one in found]
    assert all(ids)
    assert ids[0] != ids[1]


def test_of_several_messages_with_one_request_id_the_first_in_a_batch_counts(start: Any) -> None:
    running = start("--workers", "2")
    running.wait_for("worker", 2, result="ready")
    messages = [
        {"text": text, "request_id": f"same-{n}"} for n in range(300) for text in ("yes sure", "no", "yes sure")
    ]
    found = running.ask("POST", "/v1/route/batch", {"messages": messages}).json()["decisions"]

    assert {one["label"] for one in found[::3]} == {"yes"}
    assert {one["error"]["code"] for one in found[1::3]} == {"request_id_conflict"}
    assert found[2::3] == found[::3]


def test_a_batch_of_nothing_but_mistakes_is_answered_in_few_words(server: Any) -> None:
    wrong = {"text": 5, "conversation": [1] * 64, "metadata": {f"K{n}": 1 for n in range(16)}}
    reply = server.ask("POST", "/v1/route/batch", {"messages": [wrong] * 1024})
    found = [one["error"] for one in reply.json()["decisions"]]

    assert {one["code"] for one in found} == {"invalid_request"}
    assert sum(len(one.get("problems", ())) for one in found) == 50
    assert len(reply.body) < 250_000


def test_the_open_inference_protocol_gives_the_same_decisions(server: Any, tiny: Path) -> None:
    about = server.ask("GET", "/v2/models/tiny").json()
    texts = ["yes sure", "no never", ""]
    body = {"id": "oip-1", "inputs": [{"name": "text", "shape": [3], "datatype": "BYTES", "data": texts}]}
    found = server.ask("POST", "/v2/models/tiny/infer", body).json()
    by_name = {one["name"]: one for one in found["outputs"]}

    assert about["versions"] == [open_bundle(tiny).digest] == [found["model_version"]]
    assert found["id"] == "oip-1"
    assert by_name["route"]["data"] == ["yes", "no", "person"]
    assert by_name["reason"]["data"] == ["auto", "auto", "empty_text"]
    assert [one["shape"] for one in found["outputs"]] == [[3]] * len(about["outputs"])
    assert server.ask("POST", "/v2/models/tiny/infer", body).json() == found
    narrow = server.ask("POST", "/v2/models/tiny/infer", {**body, "outputs": [{"name": "route"}]}).json()
    assert [one["name"] for one in narrow["outputs"]] == ["route"]


@pytest.mark.parametrize(
    ("shape", "data", "status"),
    [
        ([2], ["yes", "no"], 200),
        ([2, 1], ["yes", "no"], 200),
        ([1, 2], ["yes", "no"], 200),
        ([2, 1], [["yes"], ["no"]], 200),
        ([1, 2], [["yes", "no"]], 200),
        ([2], [["yes"], ["no"]], 422),
        ([2, 1], [["yes", "no"]], 422),
        ([1, 2], [["yes"], ["no"]], 422),
        ([1, 3], [["yes", "no"], ["no"]], 422),
        ([2, 1], ["yes", ["no"]], 422),
        ([1, 1], [[["yes"]]], 422),
        ([1, 0], [[]], 422),
        ([1025, 1], [["yes"]] * 1025, 422),
        ([1, 1025], [["yes"] * 1025], 422),
        ([2, 1024], [["yes"] * 1024] * 2, 422),
    ],
)
def test_open_inference_data_is_flat_or_nested_as_its_shape_says(
    server: Any, shape: list[int], data: list[Any], status: int
) -> None:
    body = {"inputs": [{"name": "text", "shape": shape, "datatype": "BYTES", "data": data}]}
    found = server.ask("POST", "/v2/models/tiny/infer", body)

    assert found.status == status
    if status == 200:
        assert found.json()["outputs"][0] == {
            "name": "route",
            "shape": shape,
            "datatype": "BYTES",
            "data": ["yes", "no"],
        }


def test_open_inference_errors_are_words_and_keep_their_code(server: Any) -> None:
    body = {"inputs": [{"name": "text", "shape": [2], "datatype": "FP32", "data": ["yes"]}]}
    refused = server.ask("POST", "/v2/models/tiny/infer", body)
    found = refused.json()

    assert isinstance(found["error"], str)
    assert "inputs.0.datatype: expected 'BYTES'" in found["error"]
    assert (found["code"], found["request_id"]) == ("invalid_request", refused.headers["x-request-id"])
    for path in ("/v2/models/other", "/v2/nothing", "/v2/"):
        assert server.ask("GET", path).json()["error"].startswith("not_found: ")
    assert server.ask("GET", "/v2x").json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("/v2/models/other/infer", {}, 404),
        ("/v2/models/tiny/versions/1/infer", {}, 404),
        ("/v2/models/tiny/infer", {"shape": [2]}, 422),
        ("/v2/models/tiny/infer", {"shape": [-1]}, 422),
        ("/v2/models/tiny/infer", {"datatype": "FP32"}, 422),
        ("/v2/models/tiny/infer", {"name": "image"}, 422),
        ("/v2/models/tiny/infer", {"data": [["yes"]]}, 422),
    ],
)
def test_what_the_protocol_does_not_allow_is_refused(
    server: Any, path: str, change: dict[str, Any], status: int
) -> None:
    given = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["yes"], **change}

    assert server.ask("POST", path, {"inputs": [given]}).status == status
