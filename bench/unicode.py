"""Disguise a router's own messages in forty ways: accepted and different must be none.

    python bench/unicode.py BUNDLE ROWS [--rows 1000]

Each message is decided clean and as every family of ``data/perturb/disguise`` writes it. "Accepted and different" are
disguised messages that are routed without a second look to another route than the clean message. The last line is one
JSON object; ``ratio`` is accepted and different over all disguised messages.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from interlock.bundle.open import open_bundle
from interlock.core.decision import Outcome
from interlock.data.perturb.disguise import FAMILIES, disguised
from interlock.data.read import read
from interlock.measure.proportion import proportion


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--rows", dest="most", type=int, default=1000)
    parser.add_argument("--shown", type=int, default=0, help="messages shown of each family that fails")
    options = parser.parse_args()
    predictor, rows = open_bundle(options.bundle).predictor, list(read(options.rows))
    order = np.random.default_rng(0).permutation(len(rows))[: options.most]
    clean = {rows[i].text: predictor.decide(rows[i].text) for i in order}
    routed = sum(decision.outcome is Outcome.ROUTED for decision in clean.values())
    print(f"{len(clean)} messages, {routed} of them routed clean")
    table, bad = {}, 0
    for family in FAMILIES:
        start, same, kept, wrong = time.perf_counter(), 0, 0, []
        for text, before in clean.items():
            changed = disguised(text, family, seed=0)
            after = predictor.decide(changed)
            same += after.route == before.route
            kept += after.outcome is Outcome.ROUTED
            if after.outcome is Outcome.ROUTED and after.route != before.route:
                wrong.append((text, changed, before.label, after.label, after.confidence))
        found = proportion(family, len(wrong), len(clean))
        table[family] = {"accepted_and_different": len(wrong), "same_route": same, "routed": kept, "high": found.high}
        bad += len(wrong)
        seconds = time.perf_counter() - start
        print(
            f"{family:24s} different {len(wrong):4d}  same route {same:5d}  routed {kept:5d}  {seconds:5.1f} s",
            flush=True,
        )
        for one in wrong[: options.shown]:
            print("   ", one)
    n = len(clean) * len(FAMILIES)
    whole = proportion("accepted_and_different", bad, n)
    print(json.dumps({"ratio": bad / n, "high": whole.high, "n": n, "routed_clean": routed, "families": table}))


if __name__ == "__main__":
    main()
