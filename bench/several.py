"""Several intents in one message, and conversations: how well a router finds what is asked, and what that saves.

    python bench/several.py mixsnips FOLDER RUN     # trained on the rows with several labels
    python bench/several.py composed FOLDER RUN     # trained on rows with one label, and on what is composed of them
    python bench/several.py single FOLDER RUN       # rows with one label alone (CLINC150): what the detector costs them
    python bench/several.py world ROWS RUN          # the embedded world: one label a row to learn from, then the truth
    python bench/several.py labelled ROWS RUN       # the same, every training row labelled with all it asks for
    python bench/several.py context ROWS RUN        # one label a row, and two turns of each conversation

FOLDER holds train.jsonl (or .gz), validation.jsonl and test.jsonl. RUN is a folder for the trained graphs, which are
used again when it has them; ``--rows N`` and ``--epochs N`` train less, ``--compose SHARE`` on other composed messages
than a build makes, ``--threshold P`` calls more messages several.
The last line is one JSON object: ``ratio`` is the share of messages with a mistake by the first label alone over the
same with the detector.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock import assemble, strangers
from interlock.assemble import Exported
from interlock.bundle.layout import GRAPH, GRAPH_INT8
from interlock.calibrate.fit import calibrate
from interlock.core.clock import SystemClock
from interlock.core.contract import Contract
from interlock.core.contract_file import parse_contract
from interlock.core.dataset import CalibrationSet, TestSet, TrainSet
from interlock.core.measurement import Measurement
from interlock.data.compose import to_learn
from interlock.data.read import read
from interlock.data.traffic import simulate
from interlock.gate.derive import Derived
from interlock.gate.take import Subject, take
from interlock.measure.bootstrap import bootstrap
from interlock.measure.compare import accuracy_difference, mcnemar
from interlock.predict.predictor import Predictor
from interlock.train.encoders import resolve
from interlock.train.recipe import Recipe

MANGA = Path(__file__).parents[1] / "src" / "interlock" / "cli" / "templates" / "manga.yaml"
SEEDS = (31, 32)  # of the world that trains, and of the one that is measured
WORLDS = ("world", "labelled", "context")
MEASURED = 4000  # rows of the measured world
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """What one arm trains on, is calibrated on and measured on."""

    contract: Contract
    train: TrainSet
    calibration: CalibrationSet
    test: TestSet
    truth: dict[str, tuple[str, ...]]  # test row -> every intent it really has
    hard: dict[str, set[str]]  # test row -> what makes it hard, where that is known
    compose: float | None = None


def files(folder: Path, *, arm: str, rows: int, compose: float | None) -> Material:
    """Return the rows of an official split."""
    found = [read(path) for name in ("train", "validation", "test") for path in [_file(folder, name)]]
    later = {row.text for part in found[1:] for row in part}
    train = [row for row in found[0] if row.text not in later and (arm != "composed" or len(row.labels) == 1)]
    train = train[:: max(1, len(train) // rows)] if rows else train
    held = [row for row in found[1] if arm != "composed" or len(row.labels) == 1]
    labels = sorted(found[0].counts())
    keep = "" if arm == "single" else ", threshold: 0.5"
    lines = [f"contract: 1\nname: {arm}\nlabel_version: v1\nlabels:", *(f"  {one}: {{route: {one}}}" for one in labels)]
    terms = parse_contract("\n".join([*lines, f"decide: {{several: {{enabled: true{keep}}}}}"]).encode())
    truth = {row.id: row.labels for row in found[2]}
    return Material(
        terms, TrainSet(tuple(train)), CalibrationSet(tuple(held)), TestSet(found[2].examples), truth, {}, compose
    )


def _file(folder: Path, name: str) -> Path:
    plain = folder / f"{name}.jsonl"
    return plain if plain.is_file() else folder / f"{name}.jsonl.gz"


def world(rows: int, run: Path, *, arm: str, threshold: float | None) -> Material:
    """Return two worlds: one to learn from, labelled as people labelled it, one to measure on, whose truth is known."""
    turns = 2 if arm == "context" else 0
    cut = f", threshold: {threshold}" if threshold is not None else ""
    text = MANGA.read_text(encoding="utf-8").split("\ngates:")[0]
    text = text.replace("several: {enabled: false}", f"several: {{enabled: true{cut}}}")
    if turns:
        text = text.replace("max_chars: 8000}", f"max_chars: 8000, context: {{turns: {turns}}}}}")
    terms, made = parse_contract(text.encode()), []
    for seed, count in zip(SEEDS, (rows, MEASURED), strict=True):
        raw: list[Any] = list(simulate(count, seed=seed))
        if arm == "labelled" and seed == SEEDS[0]:
            raw = [{**row, "labels": row["truth"]["labels"], "label": None} for row in raw if row["truth"]["labels"]]
            raw = [{key: value for key, value in row.items() if value is not None} for row in raw]
        path = run / f"world-{seed}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in raw), encoding="utf-8")
        made.append((raw, read(path, labels=terms.label_names, turns=turns)))
    learnt, measured = made[0][1].examples, made[1]
    known = [row for row in measured[0] if row["truth"]["labels"]]
    truth = {row["id"]: tuple(row["truth"]["labels"]) for row in known}
    hard = {row["id"]: set(row["truth"]["hard"]) for row in known}
    test = [replace(row, labels=truth[row.id]) for row in measured[1] if row.id in truth]
    ninth = [place % 9 == 0 for place in range(len(learnt))]
    train = TrainSet(tuple(row for row, held in zip(learnt, ninth, strict=True) if not held))
    calibration = CalibrationSet(tuple(row for row, held in zip(learnt, ninth, strict=True) if held))
    return Material(terms, train, calibration, TestSet(tuple(test)), truth, hard)


def trained(material: Material, run: Path, *, epochs: int) -> Exported:
    """Return the graphs in ``run``, trained first when there are none."""
    if not (run / GRAPH_INT8).is_file():
        from interlock.train.export import export, quantize
        from interlock.train.training import Training, fit_in

        recipe = Recipe(epochs=epochs, compose=material.compose)
        learn = to_learn(material.train, material.contract, share=recipe.compose, seed=1)
        training = Training(run, resolve("minilm"), recipe, "bench", print, SystemClock())
        fitted = fit_in(training, learn, CalibrationSet(material.calibration.examples[:100]), material.contract)
        fitted.save(run / "model")
        export(fitted, run / GRAPH)
        quantize(fitted, learn, material.contract.input, source=run / GRAPH, target=run / GRAPH_INT8)
        print(json.dumps({"trained": run.name, "facts": fitted.facts}))
    return Exported.read(run)


def router(material: Material, exported: Exported) -> Predictor:
    """Return the predictor a build would pack, without the unknown gate, which would keep messages from it."""
    scorer = exported.scorer(material.contract, GRAPH_INT8)
    seen = strangers.rows_seen(scorer, material.calibration, material.contract)
    policy = material.contract.decide
    bare = material.contract.model_copy(update={"decide": policy.model_copy(update={"unknown": None})})
    found = calibrate(material.calibration, seen.logits, bare)
    found = assemble.with_several(found, material.calibration, scorer, bare, seed=0, watch=print)
    return Predictor(contract=bare, scorer=scorer, calibrator=found.calibrator, several=found.several)


def measure(predictor: Predictor, material: Material) -> dict[str, Any]:
    """Return every figure of one arm."""
    subject = Subject(name="several", identity={})
    derived = Derived(take(predictor, material.test, subject, clock=SystemClock()))
    names = material.contract.label_names
    wanted = [set(material.truth[row.id]) for row in material.test]
    first = [{names[column]} for column in derived.top]
    found = [set(one.intents) or top for one, top in zip(derived.decisions, first, strict=True)]
    right, alone = _same(found, wanted), _same(first, wanted)
    several = np.array([len(labels) > 1 for labels in wanted])
    out: dict[str, Any] = {
        "exact_match": _share(right),
        "exact_match_first_label": _share(alone),
        "exact_match_gain": _json(accuracy_difference(right, alone)),
        "exact_match_gain_p": mcnemar(right, alone),
        "exact_match_one": _share(right[~several]),
        "first_label_one": _share(alone[~several]),
        "single_loss": _json(accuracy_difference(alone[~several], right[~several])),
        "exact_match_several": _share(right[several]),
        "ratio": round(float((~alone).mean() / max((~right).mean(), 1e-9)), 3),
        "detector_us": _microseconds(predictor, material),
    }
    for name in ("micro_f1", "several_auroc", "several_recall", "several_precision", "several_false"):
        if name in derived.receipt.measurements:
            out[name] = derived.receipt.measurements[name]
    out |= _costs(derived, found, first, wanted)
    if material.hard:
        follow = np.array(["follow_up" in material.hard[row.id] for row in material.test])
        top = np.array([next(iter(one)) in labels for one, labels in zip(first, wanted, strict=True)])
        out |= {"follow_up_accuracy": _share(top[follow]), "other_accuracy": _share(top[~follow])}
        out["follow_up_right"] = "".join(str(int(one)) for one in top[follow])  # to pair two arms by
        out["all_right"] = "".join(str(int(one)) for one in top)
    return out


def _costs(derived: Derived, found: list[set[str]], first: list[set[str]], wanted: list[set[str]]) -> dict[str, Any]:
    """Return the harm of what is left undone: for each intent that of sending it to the nearest route given."""
    matrix, index = derived.cost_matrix, derived.contract.index

    def undone(given: list[set[str]]) -> npt.NDArray[np.float64]:
        return np.array(
            [
                sum(min(matrix[index[one], index[other]] for other in routes) for one in labels)
                for routes, labels in zip(given, wanted, strict=True)
            ],
            dtype=np.float64,
        )

    rows = np.column_stack([undone(found), undone(first)])
    saved = bootstrap(
        "cost_saved", rows, lambda sums: 1 - sums[:, 0] / np.maximum(sums[:, 1], 1e-9), support=(-np.inf, 1.0)
    )
    return {"cost_with": rows[:, 0].mean(), "cost_first_label": rows[:, 1].mean(), "cost_saved": _json(saved)}


def _microseconds(predictor: Predictor, material: Material) -> float:
    """Return what looking for several intents adds to one decision, median over the first 500 test rows."""
    times = []
    for row in material.test.examples[:500]:
        trace = predictor.trace(row.text)
        if trace.logits is None or predictor.several is None:
            continue
        start = time.perf_counter()
        predictor.several.look(trace.logits, tokens=trace.decision.tokens or 0, text=trace.text or "")
        times.append(time.perf_counter() - start)
    return round(1e6 * float(np.median(times)), 1) if times else float("nan")


def _same(found: list[set[str]], wanted: list[set[str]]) -> Flags:
    return np.array([one == other for one, other in zip(found, wanted, strict=True)], dtype=np.bool_)


def _share(hits: Flags) -> dict[str, Any]:
    from interlock.measure.proportion import proportion

    return _json(proportion("share", int(hits.sum()), len(hits)))


def _json(found: Measurement) -> dict[str, Any]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in found.to_json().items()}


def main() -> None:
    """Train if need be, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("arm", choices=("mixsnips", "composed", "single", *WORLDS))
    parser.add_argument("data", help="the folder of the rows, or how many rows of the world")
    parser.add_argument("run", type=Path)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--compose", type=float, help="composed messages to learn from, as a share of the rows")
    parser.add_argument("--threshold", type=float, help="of the worlds' detector, in place of keep_single")
    given = parser.parse_args()
    given.run.mkdir(parents=True, exist_ok=True)
    if given.arm in WORLDS:
        material = world(int(given.data), given.run, arm=given.arm, threshold=given.threshold)
    else:
        material = files(Path(given.data), arm=given.arm, rows=given.rows, compose=given.compose)
    found = measure(router(material, trained(material, given.run, epochs=given.epochs)), material)
    print(json.dumps({"arm": given.arm, **found}))


if __name__ == "__main__":
    main()
