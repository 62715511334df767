"""Many messages by several processes, as ``interlock route`` decides a file of them.

    python bench/bulk.py BUNDLE MESSAGES [--processes 2] [--count 6000]    # MESSAGES: JSON lines with "text"

Twice: messages as they come, and the short ones among them. Messages a second are counted from the first answers on, so
that starting processes is left out; ``processor_us`` is what this process alone takes for one. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from interlock.bulk import CHUNK, answers
from interlock.bundle.open import Bundle, open_bundle
from interlock.data.read import read_texts
from interlock.predict.normalise import NormalText

SHORT, ALONE = 7, 500  # tokens, special ones included; messages that this process decides alone


def measure(bundle: Bundle, folder: Path, texts: Sequence[str], *, processes: int, count: int) -> dict[str, float]:
    lines = [json.dumps({"text": text}).encode() for text in itertools.islice(itertools.cycle(texts), count)]
    tokens = [bundle.predictor.scorer.encode(NormalText(text)).tokens for text in texts]
    before = time.process_time()
    for _ in answers(bundle, folder, lines[:ALONE]):
        pass
    alone = (time.process_time() - before) / ALONE
    found = answers(bundle, folder, lines, processes=processes)
    for _ in range(CHUNK * processes):
        next(found)
    began = time.perf_counter()
    rest = sum(1 for _ in found)
    return {
        "tokens": round(sum(tokens) / len(tokens), 1),
        "per_second": round(rest / (time.perf_counter() - began)),
        "processor_us": round(1e6 * alone),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("messages", type=Path)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--count", type=int, default=6000)
    given = parser.parse_args()
    bundle = open_bundle(given.bundle)
    texts = [text for text in read_texts(given.messages) if text.strip()]
    short = [text for text in texts if bundle.predictor.scorer.encode(NormalText(text)).tokens <= SHORT]
    kinds = {"all": texts[:: max(1, len(texts) // given.count)], "short": short}
    found = {
        name: measure(bundle, given.bundle, some, processes=given.processes, count=given.count)
        for name, some in kinds.items()
    }
    print(json.dumps({"processes": given.processes, **found}))


if __name__ == "__main__":
    main()
