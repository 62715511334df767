"""Accuracy by language and manner of writing, of routers and their baselines, on messages as they came and rewritten.

    python bench/languages.py RUN [RUN ...] --test FILE [--rows 1000]

Runs are folders of ``interlock build`` with the same test rows, those of FILE: messages of ``interlock traffic``, whose
``truth`` says what is hard about them. The first run is compared with its baselines (``keywords``; ``tfidf_logistic``,
words and characters) and with the other runs, on the same rows. Then ``--rows`` messages are rewritten and scored
again, with the text made readable first (``input.form: readable``, as served) and with NFC alone. The last line is one
JSON object; ``ratios`` are the first run's errors over each other's.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.bundle.open import open_bundle
from interlock.core.receipt import Receipt
from interlock.data.perturb.changes import code_switch, typos
from interlock.data.perturb.disguise import disguised
from interlock.measure.proportion import proportion
from interlock.predict.normalise import allowed_start
from interlock.predict.predictor import Predictor

Flags = npt.NDArray[np.bool_]
KANA = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
RESAMPLES, LEAST = 2000, 30
HALF = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF66, 0xFF9E)}
REWRITTEN: dict[str, Callable[[str, random.Random], str]] = {
    "as it came": lambda text, _: text,
    "full-width letters": lambda text, _: disguised(text, "full_width", seed=0),
    "half-width kana": lambda text, _: "".join(HALF.get(char, char) for char in text),
    "zero-width spaces": lambda text, _: disguised(text, "zero_width_space", seed=0),
    "one Cyrillic letter": lambda text, _: disguised(text, "cyrillic_one", seed=0),
    "3 % of letters mistyped": lambda text, rng: typos(text, 0.03, rng),
    "10 % of letters mistyped": lambda text, rng: typos(text, 0.10, rng),
    "a word in Japanese": lambda text, rng: code_switch(text, rng) or text,
}


def slices(rows: Sequence[Mapping[str, Any]]) -> dict[str, Flags]:
    """Return which rows are of each language, script and difficulty, those with rows enough."""
    found: dict[str, list[bool]] = {}
    langs = {row.get("lang", "unknown") for row in rows}
    hard = {one for row in rows for one in row.get("truth", {}).get("hard", ())}
    found["all"] = [True] * len(rows)
    found |= {f"lang {lang}": [row.get("lang", "unknown") == lang for row in rows] for lang in sorted(langs)}
    found["kana or kanji"] = [KANA.search(row["text"]) is not None for row in rows]
    found |= {one: [one in row.get("truth", {}).get("hard", ()) for row in rows] for one in sorted(hard)}
    return {name: np.array(flags) for name, flags in found.items() if sum(flags) >= LEAST}


def paired(ours: Flags, other: Flags) -> list[float]:
    """Return the points of accuracy between two on the same rows, and a 95 % bootstrap interval."""
    less = 100 * (ours.astype(float) - other)
    rows = np.random.default_rng(0).integers(0, less.size, (RESAMPLES, less.size))
    return [float(less.mean()), *np.quantile(less[rows].mean(axis=1), [0.025, 0.975]).tolist()]


def right(receipt: Receipt, ids: Sequence[str]) -> dict[str, Flags]:
    """Return whether each row's label was found: by the router and by its baselines."""
    assert receipt.logits is not None
    names = receipt.parsed_contract.label_names
    says = {"router": [names[column] for column in receipt.logits.array.argmax(axis=1)], **receipt.predicted}
    place = {row.id: number for number, row in enumerate(receipt.rows)}
    return {
        who: np.array([labels[place[name]] in receipt.rows[place[name]].labels for name in ids])
        for who, labels in says.items()
    }


def rewritten(predictor: Predictor, rows: Sequence[Mapping[str, Any]], *, form: str) -> dict[str, Flags]:
    """Return whether each row's label is found once it is rewritten."""
    policy = predictor.contract.input.model_copy(update={"form": form})
    names, out = predictor.contract.label_names, {}
    for way, change in REWRITTEN.items():
        texts = [change(row["text"], random.Random(f"{way}\0{row['id']}")) for row in rows]
        scores = [predictor.scorer.classify(predictor.scorer.encode(allowed_start(text, policy))) for text in texts]
        tops = [names[int(one.logits.argmax())] for one in scores]
        out[way] = np.array([top == row["label"] for top, row in zip(tops, rows, strict=True)])
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="+")
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1000)
    options = parser.parse_args()
    opened = [open_bundle(run / "bundle") for run in options.run]
    receipts = [bundle.receipt() for bundle in opened]
    lines = [json.loads(line) for line in options.test.read_text(encoding="utf-8").splitlines()]
    shared = set.intersection(*({row.id for row in receipt.rows} for receipt in receipts))
    rows = [row for row in lines if row["id"] in shared]
    found = [right(receipt, [row["id"] for row in rows]) for receipt in receipts]
    ours = found[0]["router"]
    others = {name: flags for name, flags in found[0].items() if name in {"keywords", "tfidf_logistic"}}
    others |= {run.name: one["router"] for run, one in zip(options.run[1:], found[1:], strict=True)}
    result: dict[str, Any] = {"slices": {}, "rewritten": {}}
    for name, among in slices(rows).items():
        line: dict[str, Any] = {"router": proportion("accuracy", int(ours[among].sum()), int(among.sum())).to_json()}
        line |= {f"over {other}": paired(ours[among], flags[among]) for other, flags in others.items()}
        result["slices"][name] = line
        print(f"{name:20s}", *(f"{what} {said(one)}" for what, one in line.items()))
    some = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[: options.rows]]
    for run, bundle in zip(options.run, opened, strict=True):
        shown, plain = (rewritten(bundle.predictor, some, form=form) for form in ("readable", "plain"))
        for way, flags in shown.items():
            line = {"readable": proportion("accuracy", int(flags.sum()), flags.size).to_json()}
            line["over NFC alone"] = paired(flags, plain[way])
            result["rewritten"][f"{run.name}: {way}"] = line
            print(f"{run.name}: {way:28s}", *(f"{what} {said(one)}" for what, one in line.items()))
    ratios = {name: float((~ours).sum() / max((~flags).sum(), 1)) for name, flags in others.items()}
    print(json.dumps({"ratios": ratios, **result}))


def said(found: Any) -> str:
    """Return a share or a difference with its interval."""
    if isinstance(found, dict):
        return f"{100 * found['value']:.1f} ({100 * found['low']:.1f}-{100 * found['high']:.1f}, n {found['n']})"
    return f"{found[0]:+.1f} ({found[1]:+.1f}..{found[2]:+.1f})"


if __name__ == "__main__":
    main()
