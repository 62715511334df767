"""The typed decision dialects: requests as their clients send them, and how they say that nobody is sure."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.core.decision import Decision, Outcome, Reason
from interlock.serve.options import Judged, Options, confidence, level
from interlock.serve.refusal import Refusal
from interlock.serve.router import Router

# As openai 3.52.0 sends it from `client.decisions.create`, and what its types read
OPENAI = {
    "model": "tiny",
    "input": [
        {"role": "system", "content": "You route messages."},
        {"role": "user", "content": [{"type": "input_text", "text": "hello"}], "type": "message"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Anything else?"}]},
        {"role": "user", "content": "yes sure"},
    ],
    "questions": [
        {
            "type": "choice",
            "instructions": "Which?",
            "choices": [{"value": "no"}, {"value": "yes", "description": "y"}],
        },
        {"type": "predicate", "name": "no", "instructions": [{"type": "input_text", "text": "Do they decline?"}]},
        {"type": "score", "name": "how", "instructions": "How?", "levels": [{"label": "no"}, {"label": "yes"}]},
    ],
    "prompt_cache_key": "a",
    "safety_identifier": "user-5",
}
# As `transformers serve` 5.23 takes it
SYSTEMONE = {
    "model": "tiny",
    "state": "yes sure",
    "questions": {
        "which": {"type": "choice", "instructions": "Which?", "criteria": {"no": None, "yes": "They agree."}},
        "no": {"type": "noul", "instructions": "Do they decline?", "criteria": {"true": "No.", "false": "Yes."}},
        "how": {"type": "score", "instructions": {"ask": "How?"}, "criteria": ["no", "yes"]},
    },
}


def openai(server: Any, **changes: Any) -> Any:
    return server.ask("POST", "/v1/decisions", {**OPENAI, **changes})


def systemone(server: Any, **changes: Any) -> Any:
    return server.ask("POST", "/v1/systemone", {**SYSTEMONE, **changes})


def test_openais_clients_get_answers_of_their_shape_with_the_routers_probabilities(server: Any) -> None:
    found = openai(server)
    routed = server.route("yes sure", conversation=["hello", "Anything else?"]).json()
    choice, predicate, score = found.json()["answers"]
    yes, no = routed["confidence"], routed["second_confidence"]

    assert (found.status, found.json()["model"], routed["label"]) == (200, "tiny", "yes")
    assert (choice["type"], choice["name"], choice["choice"]) == ("choice", None, "yes")
    assert [one["value"] for one in choice["probabilities"]] == ["no", "yes"]
    assert [one["probability"] for one in choice["probabilities"]] == pytest.approx([no, yes])
    assert choice["confidence"] == pytest.approx(2 * yes - 1)
    assert predicate == {"type": "predicate", "name": "no", "probability": pytest.approx(no)}
    assert (score["score"], score["confidence"]) == (pytest.approx(yes), pytest.approx(2 * yes - 1))
    assert [(one["label"], one["value"]) for one in score["probabilities"]] == [("no", 0), ("yes", 1)]
    assert found.json()["usage"]["total_tokens"] == routed["tokens"]


def test_system_ones_clients_get_answers_of_their_shape(server: Any) -> None:
    found = systemone(server)
    routed = server.route("yes sure").json()
    answers = found.json()["answers"]
    yes, no = routed["confidence"], routed["second_confidence"]

    assert found.status == 200
    assert answers["which"] == {
        "type": "choice",
        "choice": "yes",
        "confidence": pytest.approx(2 * yes - 1),
        "probabilities": {"no": pytest.approx(no), "yes": pytest.approx(yes)},
    }
    assert answers["no"] == {"type": "noul", "noul": pytest.approx(no)}
    assert answers["how"]["legend"] == {"0": "no", "1": "yes"}
    assert answers["how"]["score"] == pytest.approx(yes)
    assert found.json()["usage"] == {"input_tokens": routed["tokens"], "output_tokens": 0}
    assert systemone(server, state=OPENAI["input"]).json()["answers"]["which"]["choice"] == "yes"


UNSURE = [("well", "abstained"), ("", "blocked"), ("\0yes", "blocked"), ("yes " * 30, "blocked")]


@pytest.mark.parametrize(("text", "outcome"), UNSURE)
def test_what_was_not_routed_is_refused_or_of_no_confidence(server: Any, text: str, outcome: str) -> None:
    refused = openai(server, input=text)
    unsure = systemone(server, state=text)
    answers = unsure.json()["answers"]

    assert refused.json()["answers"] == [{"type": "refusal", "name": name} for name in (None, "no", "how")]
    assert (answers["which"]["confidence"], answers["how"]["confidence"], answers["no"]["noul"]) == (0, 0, 0.5)
    assert answers["which"]["probabilities"] == {"no": 0.5, "yes": 0.5}
    for found in (refused, unsure):
        assert (found.status, found.headers["x-interlock-outcome"]) == (200, outcome)
        assert found.headers["x-interlock-route"] in {"person", "unsure"}


def test_a_fallback_that_was_offered_is_named_where_nobody_is_sure(server: Any) -> None:
    asked = {"which": {"type": "choice", "criteria": {"yes": None, "person": None}}}
    found = systemone(server, state="", questions=asked).json()["answers"]["which"]

    assert (found["choice"], found["confidence"]) == ("person", 0)


def test_a_message_that_went_where_nobody_asked_has_no_confident_answer(server: Any) -> None:
    choices = [{"value": "no"}, {"value": "person"}]
    found = openai(server, questions=[{"type": "choice", "instructions": "", "choices": choices}])
    unsure = systemone(server, questions={"a": {"type": "choice", "criteria": {"no": None}}})

    assert found.json()["answers"] == [{"type": "refusal", "name": None}]
    assert unsure.json()["answers"]["a"]["confidence"] == 0


def choice(*names: object) -> list[dict[str, Any]]:
    return [{"type": "choice", "instructions": "", "choices": [{"value": name} for name in names]}]


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"questions": choice("yes", "perhaps-XYZ")}, 422, "questions.0.choices.1.value"),
        ({"questions": choice("yes", "yes")}, 422, "questions.0.choices.1.value"),
        ({"questions": choice("yes", 1)}, 422, "questions.0.choices.1.value"),
        ({"questions": choice("yes")}, 422, "questions.0.choices"),
        ({"questions": []}, 422, "questions"),
        ({"questions": [{"type": "predicate", "instructions": "?"}]}, 422, "questions.0.name"),
        ({"questions": [{"type": "predicate", "instructions": "?", "name": "it"}]}, 422, "questions.0.name"),
        ({"questions": [{"type": "rank"}]}, 422, "questions.0"),
        ({"input": [{"role": "assistant", "content": "yes"}]}, 422, "input"),
        ({"input": []}, 422, None),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, 422, None),
        ({"input": [{"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}]}, 422, None),
        ({"model": "gpt-6-luna"}, 404, None),
        ({"stream": True}, 422, ""),
    ],
)
def test_what_a_router_cannot_answer_is_refused(server: Any, changes: Any, status: int, field: str | None) -> None:
    found = openai(server, **changes)

    assert found.status == status
    if field is not None:
        assert field in {one["field"] for one in found.json()["error"]["problems"]}
    assert "perhaps-XYZ" not in found.body.decode()


def test_system_one_refuses_the_same(server: Any) -> None:
    wrong: list[dict[str, Any]] = [
        {"questions": {"a": {"type": "choice", "criteria": {"perhaps": None}}}},
        {"questions": {"it": {"type": "noul"}}},
        {"questions": {"a": {"type": "score", "criteria": []}}},
        {"questions": {}},
        {"state": {"text": "yes"}},
        {"assets": {"img-1": {"data_base64": ""}}},
    ]
    for changes in wrong:
        assert systemone(server, **changes).status == 422, changes
    assert systemone(server, model="other").status == 404


def test_every_call_is_on_record_once_under_the_id_of_its_reply(server: Any) -> None:
    for found, other in ((openai(server), "yes sure!"), (systemone(server), "no")):
        kept = server.route(other, request_id=found.headers["x-request-id"])
        assert kept.json()["error"]["code"] == "request_id_conflict"
    assert "yes sure" not in "".join(server.raw)


ROUTER = Router("sha256:x", "x", "none", {"a": "left", "b": "left", "c": "right"}, "person", "person", 100)


def judged(outcome: Outcome = Outcome.ROUTED, routes: tuple[str, ...] = ()) -> Judged:
    made = Decision(outcome, "left", Reason.AUTO, label="a", routes=routes)
    return Judged(made, ROUTER, (0.6, 0.3, 0.1))


def test_a_route_has_the_probability_of_its_labels() -> None:
    routes = Options.of(["left", "right", "person"], ROUTER, fields=["", "", ""])
    labels = Options.of(["c", "a"], ROUTER, fields=["", ""])

    assert judged().shares(routes) == pytest.approx([0.9, 0.1, 0.0])
    assert judged().shares(labels) == [0.1, 0.6]  # not made to add up to 1: b was not asked for
    assert (judged().chosen(routes), judged().chosen(labels)) == (0, 1)
    with pytest.raises(Refusal):
        Options.of(["a", "right"], ROUTER, fields=["", ""])


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_was_sent_to_one_place_is_an_answer(outcome: Outcome) -> None:
    known = Options.of(["left", "right"], ROUTER, fields=["", ""])

    assert judged(outcome).sure == (outcome in {Outcome.ROUTED, Outcome.GUARDED})
    assert not judged(outcome, ("left", "right")).sure
    assert (judged(outcome).chosen(known) is None) == (not judged(outcome).sure)


def test_confidence_is_how_far_above_an_even_guess() -> None:
    assert [confidence(share, 2) for share in (0.2, 0.5, 0.75, 1.0)] == [0.0, 0.0, 0.5, 1.0]
    assert confidence(0.25, 4) == 0.0
    assert confidence(0.3, 1) == 0.3
    assert level([0.0, 0.25, 0.25]) == 1.5
