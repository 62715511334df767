"""What each check adds to a message, in microseconds of processor time.

    python bench/checks.py BUNDLE MESSAGES [--train FILE]

Messages are decided by the bundle's model; every check then sees each of them, in turns, so that a busy moment hurts
all alike. Detectors of unknown messages compare with random references in the shapes of the bundle's own model (100 a
label): their time does not depend on what these hold. ``reread`` is the search for unknown words; what the second run
of the model costs those messages that have any stands beside it, as the mean over all of them. ``ambiguous`` is what
``decide`` takes with that bound less what it takes without. The last line is one JSON object; ``ratios`` are each
check's mean over that of one run of the model.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from interlock.bundle.open import open_bundle
from interlock.calibrate.unknown import Scored, fit_detectors
from interlock.core.contract import Bands, Contract
from interlock.data.read import read, read_texts
from interlock.predict.decide import Evidence, decide
from interlock.predict.detectors import METHODS, Combined, Detector
from interlock.predict.disguise import is_disguised
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import NormalText, allowed_start, normalise
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import Encoded, FloatArray, Scores
from interlock.predict.several import SIGNS, SeveralDetector
from interlock.predict.words import Words

REFERENCES, ROUNDS = 100, 20


@dataclass(frozen=True)
class Message:
    """One message, and what the model made of it."""

    text: str
    normal: NormalText
    encoded: Encoded
    scores: Scores
    probabilities: FloatArray


Check = Callable[[Message], object]


def detectors(labels: int, width: int) -> dict[str, Detector]:
    """Return every detector of unknown messages, on random references."""
    chance = np.random.default_rng(0)
    gold = np.repeat(np.arange(labels), REFERENCES)
    features = chance.normal(size=(gold.size, width)).astype(np.float32)
    shown = Scored(np.zeros((gold.size, labels), dtype=np.float32), features, gold)
    single = [method for method in METHODS if method != "combined"]
    found = dict(zip(single, fit_detectors(shown, single), strict=True))
    parts = tuple(found[name] for name in ("energy", "relative_mahalanobis", "knn"))
    return {**found, "combined": Combined(parts, np.tile([0.0, 1.0, 1.0], (len(parts), 1)))}


def several() -> SeveralDetector:
    """Return a detector of several intents that knows nothing."""
    return SeveralDetector(np.arange(1.0, 4.0), np.zeros((3, SIGNS)), np.zeros(3), np.zeros(SIGNS), np.ones(SIGNS), 0.5)


def scoring(detector: Detector) -> Check:
    """Return what scores a message."""
    return lambda message: detector.score(message.scores)


def deciding(contract: Contract, *, margin: float | None) -> Check:
    """Return ``decide`` under the contract's bands, with or without a bound for ambiguous messages."""
    bands = contract.decide if isinstance(contract.decide, Bands) else Bands()
    body = bands.model_dump() | {"ambiguous": None if margin is None else {"margin": margin}}
    policy = Contract.from_json({**contract.to_json(), "decide": body})
    return lambda message: decide(Evidence(message.probabilities, 0.0, 1.0), policy)


def timed(checks: dict[str, Check], messages: list[Message]) -> dict[str, np.ndarray]:
    """Return microseconds of processor time for each check and message, the least of ``ROUNDS`` goes in any order."""
    out, order, names = {name: np.full(len(messages), np.inf) for name in checks}, np.random.default_rng(0), [*checks]
    for _ in range(ROUNDS):
        for place, message in enumerate(messages):
            for name in order.permutation(names).tolist():
                check = checks[name]
                start = time.thread_time_ns()
                check(message)
                out[name][place] = min(out[name][place], (time.thread_time_ns() - start) / 1000)
    return out


def seen(predictor: Predictor, text: str) -> Message:
    """Return a message with what the model makes of it."""
    normal = allowed_start(text, predictor.contract.input)
    encoded = predictor.scorer.encode(normal)
    scores = predictor.scorer.classify(encoded)
    return Message(text, normal, encoded, scores, predictor.calibrator.probabilities(scores.logits))


def every_check(predictor: Predictor, words: Words | None, *, width: int) -> dict[str, Check]:
    """Return what is timed, by name, for a model with ``width`` features; ``nothing`` is what timing itself takes."""
    scorer, policy, contract, finder = predictor.scorer, predictor.contract.input, predictor.contract, several()
    checks: dict[str, Check] = {
        "nothing": lambda _: None,
        "model": lambda message: scorer.classify(message.encoded),
        "tokenize": lambda message: scorer.encode(message.normal),
        "normalise": lambda message: normalise(message.text, policy),
        "calibrate": lambda message: predictor.calibrator.probabilities(message.scores.logits),
        "disguise": lambda message: is_disguised(message.text, message.normal),
        "several": lambda m: finder.look(m.scores.logits, tokens=m.encoded.tokens, text=m.normal),
        "decide": deciding(contract, margin=None),
        "decide, ambiguous": deciding(contract, margin=0.1),
    }
    if words is not None:
        checks["reread"] = lambda message: words.readings(message.normal)
    for name, detector in detectors(len(contract.labels), width).items():
        checks[f"unknown: {name}"] = scoring(detector)
    return checks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("messages", type=Path)
    parser.add_argument("--train", type=Path, help="learn the words of these rows, for a bundle that holds none")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    predictor = open_bundle(options.bundle).predictor
    assert isinstance(predictor.scorer, OnnxEncoder)
    found = [row for row in read_texts(options.messages) if row.strip()]
    messages = [seen(predictor, text) for text in found[:: max(1, len(found) // options.count)][: options.count]]
    words = predictor.words
    if options.train is not None:
        texts = (allowed_start(row.text, predictor.contract.input) for row in read(options.train))
        words = Words.of(predictor.scorer.whole_words(), texts)
    features = messages[0].scores.features
    spent = timed(every_check(predictor, words, width=0 if features is None else len(features)), messages)
    empty = float(np.median(spent.pop("nothing")))
    table = {name: summary(one - empty) for name, one in spent.items()}
    table["ambiguous"] = {"mean": table.pop("decide, ambiguous")["mean"] - table["decide"]["mean"]}
    if words is not None:
        again = [len(words.readings(message.normal)) for message in messages]
        table["reread"]["runs_of_the_model"] = float(np.mean(again))
        table["reread"]["second_run"] = float(np.mean(again)) * table["model"]["mean"]
    for name, line in table.items():
        print(f"{name:30s}", *(f"{what} {value:8.2f}" for what, value in line.items()))
    ratios = {name: line["mean"] / table["model"]["mean"] for name, line in table.items()}
    print(json.dumps({"ratios": ratios, "microseconds": table, "messages": len(messages)}))


def summary(spent: np.ndarray) -> dict[str, float]:
    """Return the mean, the median and the 95th percentile."""
    return {"mean": float(spent.mean()), "p50": float(np.median(spent)), "p95": float(np.quantile(spent, 0.95))}


if __name__ == "__main__":
    main()
