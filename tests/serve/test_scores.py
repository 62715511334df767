"""Models that give nonsense: whatever the scores are, the message goes to a person and never anywhere else."""

from __future__ import annotations

import math
import socket
from typing import Any

import numpy as np
import pytest

from interlock.core.decision import Decision, Outcome, Reason
from interlock.predict.calibrators import Calibrator
from interlock.serve.worker import Worker
from interlock.testing import TableScorer, logits_for, tiny_contract, tiny_predictor


class Opened:
    """Stands for an opened bundle."""

    def __init__(self, predictor: Any) -> None:
        self.predictor = predictor


def decided(predictor: Any, text: str = "yes", deadline: float = math.inf) -> Decision | None:
    """Have a worker decide one message."""
    here, there = socket.socketpair()
    with here, there:
        worker = Worker(here, predictor.clock)
        worker._bundles["d"] = Opened(predictor)  # type: ignore[assignment]
        asked = {"id": 1, "digest": "d", "text": text, "conversation": [], "deadline": deadline, "shares": True}
        said = worker._decided(asked)["decision"]
    return None if said is None else Decision.from_json(said)


BAD = {
    "nan": [math.nan, 0.0],
    "infinite": [math.inf, 0.0],
    "minus infinite": [-math.inf, -math.inf],
    "short": [1.0],
    "long": [1.0, 2.0, 3.0],
    "empty": [],
    "square": [[1.0, 2.0]],
}


@pytest.mark.parametrize("logits", BAD.values(), ids=BAD.keys())
def test_scores_that_are_none_go_to_a_person(logits: Any) -> None:
    found = decided(tiny_predictor(lambda _: np.array(logits)))

    assert found is not None
    assert (found.outcome, found.route, found.reason) == (Outcome.UNAVAILABLE, "person", Reason.INVALID_SCORE)


@pytest.mark.parametrize("given", [[0.9, 0.9], [-0.1, 1.1], [0.5, 0.4], [math.nan, 1.0], [1.0], [2.0, -1.0]])
def test_probabilities_that_are_none_go_to_a_person(given: list[float]) -> None:
    class Liar(Calibrator):
        def probabilities(self, logits: Any) -> Any:
            return np.array(given)

        def to_json(self) -> dict[str, Any]:
            return {}

    honest = tiny_predictor(lambda _: logits_for(0.9, 0.1))
    predictor = type(honest)(
        contract=tiny_contract(), scorer=TableScorer(lambda _: logits_for(0.9, 0.1)), calibrator=Liar()
    )
    found = decided(predictor)

    assert found is not None
    assert (found.route, found.reason) == ("person", Reason.INVALID_SCORE)


def test_a_model_that_raises_goes_to_a_person() -> None:
    found = decided(tiny_predictor(lambda _: None))

    assert found is not None
    assert (found.route, found.reason) == ("person", Reason.MODEL_UNAVAILABLE)


def test_a_message_whose_time_is_over_is_not_scored() -> None:
    scored: list[str] = []

    def score(text: str) -> Any:
        scored.append(text)
        return logits_for(0.9, 0.1)

    predictor = tiny_predictor(score)

    assert decided(predictor, deadline=-1.0) is None
    assert decided(predictor, deadline=math.nan) is None
    assert not scored


def test_scores_beyond_what_a_float_holds_are_refused_over_http(start: Any, makers: Any, tmp_path: Any) -> None:
    table = np.array(makers.TABLE)
    table[1] = [3e38, 3e38]  # finite as weights, infinite as a sum
    files = makers.small_files(model_int8_onnx=makers.graph(table))
    server = start(bundle=makers.packed(tmp_path / "huge", files))
    found = server.route("yes yes yes yes")

    assert (found.status, found.json()["route"], found.json()["reason"]) == (200, "person", "invalid_score")
