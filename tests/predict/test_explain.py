"""Explanations: what decided, which training rows are near, what each word does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.core.decision import Decision, Outcome, Reason
from interlock.core.errors import RefusedError
from interlock.predict.decide import Evidence, Intents
from interlock.predict.decide import decide as decide_of
from interlock.predict.explain import MOST_WORDS, explain, why
from interlock.predict.neighbours import Neighbours, read_neighbours
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import Encoded, FloatArray, Scores
from interlock.testing import TableScorer, logits_for, tiny_contract, tiny_predictor


class WithFeatures(TableScorer):
    """Its features are the logits."""

    def classify(self, encoded: Encoded) -> Scores:
        logits = super().classify(encoded).logits
        return Scores(logits, logits)


def say(text: str) -> FloatArray:
    """The more often 'late' is said the surer it is a yes."""
    p = min(0.5 + 0.2 * text.count("late"), 0.9)
    return logits_for(p, 1 - p)


def router(**changes: str) -> Predictor:
    return tiny_predictor(say, contract=tiny_contract(**changes))


WHY = {
    "late late": ("confidence 0.9000 is at least 0.8 and the margin 0.8000 at least 0.2", {}),
    "late": ("confidence 0.7000 is at least 0.55 and below the automatic bound 0.8", {}),
    "hm": ("confidence 0.5000 is below the guarded bound 0.55", {}),
    " ": ("nothing in the text is visible", {}),
    "a\0": ("the text holds NUL or half a character", {}),
    "x " * 20: ("more than 16 tokens: 20", {}),
    "late, so": ("yes 0.7000 is at or above the threshold 0.6", {"decide": "{positive: yes, threshold: 0.6}"}),
    "late, no": ("yes 0.7000 is below the threshold 0.8", {"decide": "{positive: yes, threshold: 0.8}"}),
}


@pytest.mark.parametrize(("text", "expected"), WHY.items(), ids=list(WHY))
def test_the_comparison_that_decided_is_named(text: str, expected: tuple[str, dict[str, str]]) -> None:
    said, changes = expected

    assert explain(router(**changes), text).why == said


OF_TWO = {Reason.THRESHOLD, Reason.BELOW_THRESHOLD}
UNSCORED = {Reason.MODEL_UNAVAILABLE, Reason.INVALID_SCORE, Reason.DEADLINE_PASSED}


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    confidence = None if reason in UNSCORED else 0.5
    decision = Decision(Outcome.GUARDED, "yes", reason, label="yes", confidence=confidence, margin=0.05)
    policy = "{positive: yes, threshold: 0.6}" if reason in OF_TWO else "{ambiguous: {margin: 0.1}}"

    assert " " in why(decision, tiny_contract(decide=policy), unknown_threshold=None)


def test_a_low_confidence_by_several_intents_names_the_intents_confidence() -> None:
    contract = tiny_contract(decide="{several: {enabled: true}}")
    decision = decide_of(Evidence(np.array([0.9, 0.1]), several=Intents(0.9, 0.5, (0, 1), 0.5)), contract)

    assert "asks for several things" in why(decision, contract, unknown_threshold=None)


def test_an_unknown_message_shows_its_score_beside_the_threshold() -> None:
    found = explain(tiny_predictor(say, unknown_threshold=-1.0), "late late")

    assert found.unknown_threshold == -1.0
    assert "0.0000 is not below its threshold -1.0000" in found.why
    assert found.to_json()["unknown"] == {"score": pytest.approx(0.0), "threshold": -1.0}


def test_labels_are_shown_raw_and_calibrated() -> None:
    first, second = explain(router(), "late").leading

    assert (first.label, second.label) == ("yes", "no")
    assert first.raw == pytest.approx(0.7)
    assert first.probability == pytest.approx(0.7)  # the temperature is 1
    assert first.route == "yes"


def test_leaving_a_word_out_shows_what_it_does() -> None:
    words = explain(router(), "late and late", occlusion=True).words

    assert words is not None
    assert [word.word for word in words] == ["late", "and", "late"]
    assert [word.effect for word in words] == pytest.approx([0.2, 0.0, 0.2])


def test_the_only_word_takes_everything_with_it() -> None:
    words = explain(router(), "late", occlusion=True).words

    assert words is not None
    assert words[0].effect == pytest.approx(0.7)


def test_kana_and_kanji_are_left_out_one_at_a_time() -> None:
    words = explain(router(), "新刊 late", occlusion=True).words

    assert words is not None
    assert [word.word for word in words] == ["新", "刊", "late"]


def test_occlusion_runs_the_model_for_so_many_words_and_no_more() -> None:
    predictor = tiny_predictor(say, contract=tiny_contract(input="{max_tokens: 500, max_chars: 5000}"))
    scorer = predictor.scorer
    assert isinstance(scorer, TableScorer)
    explain(predictor, "late " * 300, occlusion=True)

    assert scorer.calls == 1 + MOST_WORDS


def test_without_asking_no_word_is_left_out() -> None:
    predictor = router()
    found = explain(predictor, "late and late")

    assert found.words is None
    assert "words" not in found.to_json()
    assert isinstance(predictor.scorer, TableScorer)
    assert predictor.scorer.calls == 1


def test_a_refused_message_has_a_why_and_nothing_else() -> None:
    found = explain(router(), " ", occlusion=True).to_json()

    assert (found["text"], found["leading"], found["neighbours"], found["words"]) == (None, [], [], [])


ROWS = Neighbours.of(np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), [0, 1, 0], ["a", "b", "c"])


def test_the_nearest_training_rows_come_first() -> None:
    near = ROWS.nearest(np.array([3.0, 0.0]), ["yes", "no"], count=2)

    assert [(row.id, row.label) for row in near] == [("a", "yes"), ("c", "yes")]
    assert [row.similarity for row in near] == pytest.approx([1.0, math.sqrt(0.5)], abs=0.01)


def test_neighbours_are_told_by_the_features_that_decided() -> None:
    predictor = replace(router(), scorer=WithFeatures(say))
    near = explain(predictor, "late late", neighbours=ROWS).neighbours

    # the features are (ln 0.9, ln 0.1): nearest is (1, 0) at a cosine just below 0, then (1, 1), then (0, 1)
    assert [row.id for row in near] == ["a", "c", "b"]


@pytest.mark.parametrize("features", [np.array([math.nan, 1.0]), np.array([1.0, 2.0, 3.0]), np.zeros((0,))])
def test_features_of_another_shape_have_no_neighbours(features: FloatArray) -> None:
    assert ROWS.nearest(features, ["yes", "no"]) == []


def test_texts_are_kept_only_when_they_are_given() -> None:
    kept = Neighbours.of(np.eye(2), [0, 1], ["a", "b"], ["first", "second"])

    assert "text" not in ROWS.nearest(np.ones(2), ["yes", "no"])[0].to_json()
    assert kept.nearest(np.array([1.0, 0.0]), ["yes", "no"])[0].to_json()["text"] == "first"
    assert b"first" not in b"".join(part.tobytes() for part in ROWS.tensors().values())


def test_neighbours_are_read_as_they_were_stored() -> None:
    again = read_neighbours(ROWS.tensors(), labels=2)

    assert again.ids == ROWS.ids
    np.testing.assert_array_equal(again.vectors, ROWS.vectors)
    np.testing.assert_array_equal(again.labels, ROWS.labels)


SPOILT: dict[str, dict[str, Any]] = {
    "another part": {"more": np.zeros(1)},
    "vectors of floats": {"vectors": np.zeros((3, 2))},
    "a row too few": {"vectors": np.zeros((2, 2), np.int8)},
    "labels beyond the contract's": {"labels": np.array([0, 1, 2], np.int16)},
    "labels below": {"labels": np.array([0, 1, -1], np.int16)},
    "ids that are no JSON": {"ids": np.array([1, 2, 3], np.uint8)},
    "ids that are no texts": {"ids": np.frombuffer(b"[1,2,3]", np.uint8)},
    "texts too few": {"texts": np.frombuffer(b'["a"]', np.uint8)},
}


@pytest.mark.parametrize("change", SPOILT.values(), ids=list(SPOILT))
def test_neighbours_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        read_neighbours({**ROWS.tensors(), **change}, labels=2)
