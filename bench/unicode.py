"""Disguise a router's own messages in forty ways: accepted and different must be none.

    python bench/unicode.py BUNDLE ROWS [--rows 1000] [--seed 0] [--train FILE]

Each message is decided clean and as every family of ``data/perturb/disguise`` writes it. "Accepted and different" are
disguised messages that are routed without a second look though the clean message is not, or to another route.
``clean_lost`` is the share of all ROWS that would be routed without a second look if texts were not checked for
disguises and unknown words. With ``--train`` the words the router knows are those of that file, for bundles that were
packed without any. ``--plain`` leaves unknown words unchecked, to compare. The last line is one JSON object; ``ratio``
is accepted and different over all disguised messages; ``other_label`` counts those of them that go to another label
than the clean message leans to, and not only to where it was held back from.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from interlock.bundle.open import open_bundle
from interlock.core.decision import Decision, Outcome, Reason
from interlock.data.perturb.disguise import FAMILIES, disguised
from interlock.data.read import read
from interlock.measure.proportion import proportion
from interlock.predict.disguise import is_disguised
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.normalise import allowed_start, normalise
from interlock.predict.predictor import Predictor
from interlock.predict.words import Words

CHECKS = {Reason.DISGUISED, Reason.UNKNOWN_WORDS}


def opened(options: argparse.Namespace) -> Predictor:
    """Return the bundle's predictor, with the words it is to know."""
    predictor = open_bundle(options.bundle).predictor
    if options.plain:
        return replace(predictor, words=None)
    if options.train is None:
        return predictor
    assert isinstance(predictor.scorer, OnnxEncoder)
    texts = (allowed_start(row.text, predictor.contract.input) for row in read(options.train))
    return replace(predictor, words=Words.of(predictor.scorer.whole_words(), texts))


def remembering(predictor: Predictor) -> Callable[[str], Decision]:
    """Return ``decide`` that runs the model once for texts that come to the same."""
    known: dict[tuple[str, bool], Decision] = {}

    def decide(text: str) -> Decision:
        normal = normalise(text, predictor.contract.input)
        key = (str(normal), not isinstance(normal, Reason) and is_disguised(text, normal))
        if key not in known:
            known[key] = predictor.decide(text)
        return known[key]

    return decide


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--rows", dest="most", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="which messages, and how each is changed")
    parser.add_argument("--train", type=Path)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--shown", type=int, default=0, help="messages shown of each family that fails")
    options = parser.parse_args()
    decide, rows = remembering(opened(options)), list(read(options.rows))
    order = np.random.default_rng(options.seed).permutation(len(rows))[: options.most]
    clean = {rows[i].text: decide(rows[i].text) for i in order}
    routed = sum(decision.outcome is Outcome.ROUTED for decision in clean.values())
    print(f"{len(clean)} messages, {routed} of them routed clean")
    table, bad, other = {}, 0, 0
    for family in FAMILIES:
        same, kept, wrong = 0, 0, []
        for text, before in clean.items():
            changed = disguised(text, family, seed=options.seed)
            after = decide(changed)
            same += after.route == before.route
            kept += after.outcome is Outcome.ROUTED
            if after.outcome is Outcome.ROUTED and after.route != before.route:
                wrong.append((text, changed, before.label, after.label, after.confidence))
        found = proportion(family, len(wrong), len(clean))
        table[family] = {"accepted_and_different": len(wrong), "same_route": same, "routed": kept, "high": found.high}
        bad += len(wrong)
        other += sum(was != now for _, _, was, now, _ in wrong)
        print(f"{family:24s} different {len(wrong):4d}  same route {same:5d}  routed {kept:5d}", flush=True)
        for one in wrong[: options.shown]:
            print("   ", one)
    n = len(clean) * len(FAMILIES)
    whole = proportion("accepted_and_different", bad, n)
    every = [decide(row.text) for row in rows]
    lost = proportion("clean_lost", sum(decision.reason in CHECKS for decision in every), len(every)).to_json()
    say = {
        "ratio": bad / n,
        "low": whole.low,
        "high": whole.high,
        "n": n,
        "bad": bad,
        "other_label": other,
        "routed_clean": routed,
    }
    print(json.dumps({**say, "clean_lost": lost, "families": table}))


if __name__ == "__main__":
    main()
