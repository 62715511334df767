"""Errors put into a router's messages, scores, files and training rows, and what came of each. Decides nothing."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from interlock.bundle.layout import CALIBRATOR, CONTRACT, GRAPH, GRAPH_INT8
from interlock.bundle.open import Bundle, open_bundle
from interlock.bundle.pack import pack
from interlock.core.canonical import canonical, read_json
from interlock.core.clock import Clock
from interlock.core.contract import Contract
from interlock.core.dataset import Dataset, TrainSet
from interlock.core.decision import Outcome
from interlock.core.errors import InputError, RefusedError
from interlock.core.measurement import Measurement
from interlock.core.progress import Watch, every
from interlock.data.audit.checks import label_noise
from interlock.data.audit.subject import Subject
from interlock.data.perturb.changes import typos
from interlock.data.perturb.spoil import drop_rows, flip_labels
from interlock.data.perturb.words import COMMANDS
from interlock.data.prepare import prepare
from interlock.data.read import read
from interlock.measure.classify import classification
from interlock.measure.compare import accuracy_difference
from interlock.measure.f1_difference import macro_f1_difference
from interlock.measure.proportion import proportion
from interlock.predict.calibrators import Temperature
from interlock.predict.predictor import Predictor
from interlock.predict.scorer import Encoded, FloatArray, Scores
from interlock.report.challenge import Injected
from interlock.report.view import Columns, Flags, Floats
from interlock.train.experiments.run import Failed, run_trials
from interlock.train.experiments.trial import Material, Trial
from interlock.train.experiments.trial import Outcome as Trained
from interlock.train.recipe import Recipe
from interlock.train.weights import rarest

SHARE, LETTERS = 0.02, 0.02  # of rows, of letters
NOISE, DROPPED = 0.05, 0.1  # of training labels, of the rarest label's rows
STALE = 3.0  # temperature
ECE = 0.04  # the documents' limit, where the contract has none
FLIPPED = 0x10
UNREADABLE = ("", "   ", "\u3164\u3164", "\u200b", "a\0b", "\ud800")


@dataclass(frozen=True)
class Said:
    """What a router says of n messages."""

    top: Columns  # (n,) columns of its labels, -1 where it gives none
    confidence: Floats  # (n,), NaN where it gives none
    routed: Flags  # (n,) whether it sends the message to a label's route itself
    failed: Flags  # (n,) whether the failure fallback gets it


def said_of(predictor: Predictor, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Said:
    """Decide every message as it is served."""
    index, found = predictor.contract.index, []
    for done, text in enumerate(texts, start=1):
        found.append(predictor.decide(text))
        if progress is not None:
            progress(done, len(texts))
    labels = [decision.label for decision in found]
    stated = [decision.confidence for decision in found]
    return Said(
        np.array([index[label] if label is not None else -1 for label in labels], dtype=np.int64),
        np.array([value if value is not None else np.nan for value in stated], dtype=np.float64),
        np.array([decision.outcome in {Outcome.ROUTED, Outcome.GUARDED} for decision in found], dtype=bool),
        np.array([decision.outcome in {Outcome.BLOCKED, Outcome.UNAVAILABLE} for decision in found], dtype=bool),
    )


def of_messages(bundle: Bundle, rows: Dataset, *, seed: int, watch: Watch) -> Iterator[Injected]:
    """Yield what happens to messages with slips, orders, missing halves, too many words or nothing to see."""
    predictor, contract, rng = bundle.predictor, bundle.contract, random.Random(seed)
    gold = np.array([contract.index[row.label] for row in rows], dtype=np.int64)
    clean = said_of(predictor, rows.texts, progress=every(watch, "messages as they are"))
    right = clean.top == gold

    some = [typos(text, LETTERS, rng) if rng.random() < SHARE else text for text in rows.texts]
    yield _fall("typos.rows", right, said_of(predictor, some).top == gold)
    slips = [typos(text, LETTERS, rng) for text in rows.texts]
    yield _fall("typos.letters", right, said_of(predictor, slips, progress=every(watch, "typos")).top == gold)

    texts = [row.text for row, is_right in zip(rows, right, strict=True) if is_right]
    others = [rng.choice([name for name in contract.label_names if name != row.label]) for row in rows]
    orders = [rng.choice(COMMANDS).format(label=label) for label in others]
    ordered = [
        order + text for order, text in zip([o for o, r in zip(orders, right, strict=True) if r], texts, strict=True)
    ]
    after = said_of(predictor, ordered, progress=every(watch, "prompt injection"))
    kept = after.top == gold[right]
    obeyed = after.routed & (after.top == np.array([contract.index[label] for label in others])[right])
    detail = f"{int(obeyed.sum())} routed as ordered"
    yield Injected("prompt_injection", proportion("kept", int(kept.sum()), kept.size), detail)

    half = said_of(predictor, [text[: max(1, len(text) // 2)] for text in rows.texts])
    yield _cut(clean, half, gold)
    yield _all_fail(
        "input.too_long", predictor, [f"{text} " + "word " * contract.input.max_tokens for text in texts[:100]]
    )
    yield _all_fail("input.blank", predictor, UNREADABLE)


def of_scores(bundle: Bundle, rows: Dataset) -> Iterator[Injected]:
    """Yield what happens when a model gives no numbers, and when the calibrator is another model's."""
    contract = bundle.contract
    broken = replace(bundle.predictor, scorer=_Broken(bundle.predictor))
    yield _all_fail("scores.nan", broken, rows.texts[:100])
    logits = [bundle.predictor.trace(row.text).logits for row in rows]
    known = [(row, found) for row, found in zip(rows, logits, strict=True) if found is not None]
    gold = np.array([contract.index[row.label] for row, _ in known], dtype=np.int64)
    p = Temperature(STALE).probabilities(np.stack([found for _, found in known]))
    limit = contract.limit("ece") or contract.limit("ece_debiased")
    bar = limit.at_most if limit is not None and limit.at_most is not None else ECE
    found = classification(p, gold, labels=contract.label_names)["ece_debiased"]
    caught = proportion("caught", int(not found.high <= bar), 1)
    yield Injected(
        "calibrator.stale", caught, f"ECE {found.value:.3f} ({found.low:.3f} to {found.high:.3f}), limit {bar:g}"
    )


def of_files(bundle: Bundle, folder: Path) -> Iterator[Injected]:
    """Yield whether spoilt copies of the bundle open, and whether a row with an unknown label is read."""
    files = bundle.verified.files
    engine = read_json(files["policy.json"], where="policy.json")["engine"]
    graph = GRAPH if engine == GRAPH else GRAPH_INT8
    at = len(files[graph]) // 2
    other = canonical(Temperature(STALE).to_json())
    terms = yaml.safe_load(files[CONTRACT])
    terms["labels"] = dict(reversed(terms["labels"].items()))
    reordered = yaml.safe_dump(terms, sort_keys=False, allow_unicode=True).encode()
    flipped = bytes([*files[graph][:at], files[graph][at] ^ FLIPPED, *files[graph][at + 1 :]])
    with tempfile.TemporaryDirectory(prefix="interlock-") as place:
        for name, path, data in (
            ("calibrator.swapped", CALIBRATOR, other),
            ("labels.reordered", CONTRACT, reordered),
            ("graph.flipped", graph, flipped),
        ):
            copy = Path(place) / name
            shutil.copytree(folder, copy)
            (copy / path).write_bytes(data)
            yield _refused(name, copy)
        packed = Path(place) / "packed"
        made = bundle.manifest
        pack({**files, CONTRACT: reordered}, packed, name=made.name, created=made.created, identity=made.identity)
        yield _refused("labels.reordered_packed", packed)
        unknown = Path(place) / "rows.jsonl"
        unknown.write_text('{"text": "hello", "label": "no such label of this contract"}\n', encoding="utf-8")
        yield _unread("data.unknown_label", unknown, bundle.contract)


def of_training(  # noqa: PLR0913 - the nouns of a training run, by keyword
    contract: Contract,
    *,
    train: str | Path,
    test: str | Path,
    encoder: str,
    recipe: Recipe,
    out: Path,
    parallel: int,
    watch: Watch,
    clock: Clock,
) -> Iterator[Injected]:
    """Yield what wrong labels and missing rare rows in training do on the test rows, and what the audit finds.

    Raises:
        InputError: rows that do not read, or a router that could not be trained.
    """
    split = prepare(train, calibration=None, test=test, contract=contract, seed=recipe.seed, watch=watch)
    noisy, flipped = flip_labels(split.train, labels=contract.label_names, share=NOISE, seed=recipe.seed)
    rare = contract.label_names[rarest(split.train.counts(), contract.label_names)[0]]
    fewer = drop_rows(split.train, label=rare, share=DROPPED, seed=recipe.seed)
    material = Material(split.train, split.calibration, split.test, contract)
    trials = [
        Trial("as it is", encoder, recipe),
        Trial("5 % wrong labels", encoder, recipe, train=noisy),
        Trial(f"10 % of {rare} left out", encoder, recipe, train=fewer),
    ]
    found = run_trials(trials, material, out=out, parallel=parallel, watch=watch, clock=clock)
    if failed := [
        f"{trial.name}: {one.why}" for trial, one in zip(trials, found, strict=True) if isinstance(one, Failed)
    ]:
        raise InputError("a router could not be trained", todo="\n".join(failed))
    single = np.array([len(row.labels) == 1 for row in split.test], dtype=bool)
    gold = np.array([contract.index[row.label] for row in split.test], dtype=np.int64)[single]
    clean, noise, less = (
        np.asarray(one.test[single].argmax(axis=1), dtype=np.int64) for one in found if isinstance(one, Trained)
    )
    yield _fall("label_noise", clean == gold, noise == gold)
    yield _audited(noisy, flipped, contract)
    fall, _ = macro_f1_difference(clean, less, gold, k=len(contract.labels))
    yield Injected("rare_rows_dropped", fall, f"{len(split.train) - len(fewer)} rows of {rare}")


class _Broken:
    """A scorer whose model gives no numbers."""

    def __init__(self, predictor: Predictor) -> None:
        self._scorer, self._labels = predictor.scorer, len(predictor.contract.labels)

    def encode(self, text: str, *, with_pieces: bool = False) -> Encoded:
        return self._scorer.encode(text, with_pieces=with_pieces)  # type: ignore[arg-type]

    def classify(self, encoded: Encoded) -> Scores:  # noqa: ARG002 - the model does not look
        nothing: FloatArray = np.full(self._labels, np.nan)
        return Scores(nothing)


def _fall(name: str, before: Flags, after: Flags) -> Injected:
    return Injected(name, accuracy_difference(before, after))


def _cut(clean: Said, half: Said, gold: Columns) -> Injected:
    """Compare accuracy on what the router routes itself; the two shares rest on different rows, so bounds are apart."""
    whole, part = (
        proportion("accepted_accuracy", int(((one.top == gold) & one.routed).sum()), int(one.routed.sum()))
        for one in (clean, half)
    )
    low = whole.value - part.value - np.hypot(whole.value - whole.low, part.high - part.value)
    high = whole.value - part.value + np.hypot(whole.high - whole.value, part.value - part.low)
    found = Measurement("fall", whole.value - part.value, part.n, float(low), float(high), method="newcombe")
    return Injected(
        "input.cut", found, f"{half.routed.mean():.0%} of the halves are routed, {clean.routed.mean():.0%} before"
    )


def _all_fail(name: str, predictor: Predictor, texts: Sequence[str]) -> Injected:
    failed = said_of(predictor, texts).failed
    return Injected(name, proportion("failed", int(failed.sum()), failed.size))


def _refused(name: str, folder: Path) -> Injected:
    try:
        open_bundle(folder)
    except RefusedError as error:
        return Injected(name, proportion("refused", 1, 1), error.summary.replace(str(folder), "the bundle"))
    return Injected(name, proportion("refused", 0, 1), "it opens")


def _unread(name: str, rows: Path, contract: Contract) -> Injected:
    try:
        read(rows, labels=contract.label_names)
    except InputError as error:
        return Injected(name, proportion("refused", 1, 1), f"exit code {error.exit_code}")
    return Injected(name, proportion("refused", 0, 1), "it was read")


def _audited(noisy: TrainSet, flipped: frozenset[str], contract: Contract) -> Injected:
    finding = next(label_noise.check(Subject.of({"train": noisy}, contract=contract)), None)
    flagged = set(finding.rows[: finding.count]) if finding is not None else set()
    hits = len(flagged & flipped)
    return Injected(
        "label_noise.audit",
        proportion("found", hits, len(flipped)),
        f"{len(flagged)} rows flagged, {hits} of them flipped",
    )


def _copy(folder: Path, target: Path) -> None:
    import shutil

    shutil.copytree(folder, target)
