"""One message at a time on one core: ``transformers.pipeline``, fp32 and the router as served take turns.

    python bench/latency.py RUN MESSAGES    # a run folder of `interlock build`, and JSON lines with "text"

All three have the same weights and see the same messages, some at a time (``--block``) and in turning order, so that a
busy moment hurts all alike. A server's worker does nothing but decide, so its weights are in the cache; with ``--block
1`` the 90 MB of the pipeline's weights and those of fp32 have always just gone through it. The router is timed whole:
normalise, tokenise, classify, calibrate, detect, decide. Then it decides more messages ``alone``, as a worker does. The
last line is one JSON object; ``ratio`` is the median of the pipeline over the router's, ``around_the_model`` what the
router took beside all runs of its graph, ``processor_ms`` what each took of the processor, which holds on a busy
machine too.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from interlock.bundle.layout import GRAPH, TOKENIZER
from interlock.bundle.open import Bundle, open_bundle
from interlock.data.read import read_texts
from interlock.measure.latency import quantile
from interlock.predict.calibrators import softmax
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import NormalText
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import Encoded, Scorer, Scores

MESSAGES, ALONE, WARM_UP, BLOCK = 400, 4000, 30, 20
Runner = Callable[[str], object]


def main(run: Path, messages: Path, *, count: int, block: int) -> None:
    """Take turns, then print."""
    torch.set_num_threads(1)
    bundle = open_bundle(run / "bundle")
    found = [row for row in read_texts(messages) if row.strip()]
    texts, more = _spread(found, count), _spread(found, ALONE)
    stages: list[dict[str, float]] = []
    runners: dict[str, Runner] = {
        "pipeline": _pipeline(run),
        "fp32": _fp32(bundle),
        "served": _served(bundle.predictor, stages),
    }
    for text in texts[:WARM_UP]:
        for runner in runners.values():
            runner(text)
    stages.clear()
    spent, processor = _turns(runners, texts, block=block)
    tokens = float(np.mean([bundle.predictor.scorer.encode(NormalText(text)).tokens for text in texts]))
    said = {"messages": len(texts), "tokens": round(tokens, 1), "block": block, "processor_ms": processor}
    summary = _summary(spent, stages)
    stages.clear()
    for text in more:
        runners["served"](text)
    alone = {"messages": len(more), "around_the_model": _around(stages)}
    print(json.dumps({**summary, "alone": alone, **said}))


def _spread(texts: Sequence[str], count: int) -> Sequence[str]:
    return texts[:: max(1, len(texts) // count)][:count]


def _pipeline(run: Path) -> Runner:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    found: Runner = transformers.pipeline("text-classification", model=str(run / "model"), device="cpu", top_k=2)
    return found


def _fp32(bundle: Bundle) -> Runner:
    """Tokenise, classify and apply a softmax, nothing else."""
    files, contract = bundle.verified.files, bundle.contract
    encoder = OnnxEncoder(
        graph=files[GRAPH],
        tokenizer=files[TOKENIZER],
        labels=len(contract.labels),
        max_tokens=contract.input.max_tokens,
    )
    return lambda text: softmax(encoder.classify(encoder.encode(NormalText(text))).logits)


@dataclass
class Timed:
    """A scorer, and the milliseconds that all its runs took since they were last asked for."""

    inner: Scorer
    ms: float = 0.0

    def encode(self, text: NormalText, *, with_pieces: bool = False) -> Encoded:
        return self.inner.encode(text, with_pieces=with_pieces)

    def classify(self, encoded: Encoded) -> Scores:
        started = time.perf_counter()
        try:
            return self.inner.classify(encoded)
        finally:
            self.ms += 1000 * (time.perf_counter() - started)

    def taken(self) -> float:
        ms, self.ms = self.ms, 0.0
        return ms


def _served(predictor: Predictor, stages: list[dict[str, float]]) -> Runner:
    """Decide; note the stages, and ``model``: all runs of the graph, those of messages that are read again too."""
    scorer = Timed(predictor.scorer)
    timed = replace(predictor, scorer=scorer)

    def run(text: str) -> None:
        stages.append({**timed.decide(text).stage_ms, "model": scorer.taken()})

    return run


def _turns(
    runners: dict[str, Runner], texts: Sequence[str], *, block: int
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the milliseconds of every message with each runner, and the processor's for one; each begins in turn."""
    names, spent = list(runners), {name: [0.0] * len(texts) for name in runners}
    processor = dict.fromkeys(names, 0.0)
    for turn, begin in enumerate(range(0, len(texts), block)):
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            before = time.process_time()
            for at in range(begin, min(begin + block, len(texts))):
                started = time.perf_counter()
                runners[name](texts[at])
                spent[name][at] = 1000 * (time.perf_counter() - started)
            processor[name] += 1000 * (time.process_time() - before)
    return spent, {name: round(ms / len(texts), 3) for name, ms in processor.items()}


def _summary(spent: dict[str, list[float]], stages: list[dict[str, float]]) -> dict[str, Any]:
    median = {name: float(np.median(found)) for name, found in spent.items()}
    parts = {name: [one[name] for one in stages if name in one] for name in stages[0]}
    return {
        "ratio": round(median["pipeline"] / median["served"], 2),
        "ratios": {
            "pipeline": round(median["pipeline"] / median["served"], 2),
            "fp32": round(median["fp32"] / median["served"], 2),
            "pipeline_paired": round(float(np.median(np.divide(spent["pipeline"], spent["served"]))), 2),
        },
        **{name: _quantiles(found) for name, found in spent.items()},
        "around_the_model": _around(stages),
        "stages": {name: _quantiles(found) for name, found in parts.items()},
    }


def _around(stages: Sequence[dict[str, float]]) -> dict[str, Any]:
    return _quantiles([one["total"] - one["model"] for one in stages])


def _quantiles(ms: Sequence[float]) -> dict[str, Any]:
    return {name: quantile(ms, q, name=name).to_json() for name, q in (("p50_ms", 0.5), ("p95_ms", 0.95))}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("messages", type=Path)
    parser.add_argument("--count", type=int, default=MESSAGES)
    parser.add_argument("--block", type=int, default=BLOCK, help="messages that each takes before the next one's turn")
    given = parser.parse_args()
    main(given.run, given.messages, count=given.count, block=given.block)
