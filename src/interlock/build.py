"""The offline walk: a data file in, a gated bundle out. Reads top to bottom; every stage is a room."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from interlock import assemble, packing, strangers
from interlock.assemble import Exported
from interlock.bundle.keys import SigningKey
from interlock.bundle.layout import GRAPH, GRAPH_INT8, RECEIPT
from interlock.bundle.open import Bundle, open_bundle
from interlock.bundle.pack import pack
from interlock.bundle.run import FINISHED, start_run, write_json
from interlock.calibrate.fit import AUTO, Calibration, calibrate, check_kind
from interlock.core.canonical import digest_of
from interlock.core.clock import Clock, SystemClock
from interlock.core.contract import Contract
from interlock.core.contract_file import parse_contract
from interlock.core.dataset import Split
from interlock.core.errors import require
from interlock.core.measurement import Measurement
from interlock.core.progress import Watch, every, unwatched
from interlock.core.receipt import Receipt
from interlock.core.verdict import Judgement
from interlock.data.compose import to_learn
from interlock.data.prepare import file_bytes, prepare
from interlock.data.suspects import weigh_suspects
from interlock.data.unlabelled import unlabelled
from interlock.data.write import write_scores
from interlock.gate.derive import CHAMPION, FP32, Derived, baseline_accuracies
from interlock.gate.record import Record, judge_on_record
from interlock.gate.take import take
from interlock.predict.encoder import OnnxEncoder
from interlock.predict.predictor import Predictor
from interlock.report.folder import draw_run
from interlock.strangers import Strange
from interlock.train.recipe import Recipe

if TYPE_CHECKING:
    from interlock.train.training import Trained

TRAIN_MODULES = ("torch", "transformers", "sklearn", "onnx", "onnxscript", "polars")


@dataclass(frozen=True)
class Built:
    """What a build leaves behind."""

    run: Path
    bundle: Bundle
    receipt: Receipt
    judgement: Judgement
    baselines: dict[str, dict[str, Measurement]]
    unknown: dict[str, Measurement]  # of the gate, on the unknown messages it was not fitted on


def build(  # noqa: PLR0913 - the keyword options of the command
    *,
    contract: str | Path,
    data: str | Path,
    out: str | Path,
    test: str | Path | None = None,
    calibration: str | Path | None = None,
    unknown: str | Path | None = None,
    encoder: str = "minilm",
    champion: str | Path | None = None,
    recipe: Recipe | None = None,
    calibrator: str = AUTO,
    engine: str = GRAPH_INT8,
    keep_texts: bool = False,
    versions: Mapping[str, str] | None = None,
    key: SigningKey | None = None,
    record: Record | None = None,
    watch: Watch = unwatched,
    clock: Clock | None = None,
) -> Built:
    """Train, calibrate, measure, judge and pack a router.

    Args:
        contract: the contract file.
        data: labelled messages; all of them, or the training rows when ``test`` is given.
        out: the run folder to make.
        test: frozen test rows of an official split; without ``calibration``, a tenth of ``data`` calibrates then.
        calibration: calibration rows of an official split.
        unknown: messages the router should not know: half of them teach the unknown gate, it is reported on the others.
        encoder: ``minilm``, ``distilbert``, ``tiny``, a folder or a Hub id.
        champion: the bundle in service, run on the same test rows; without one, comparisons are with the best baseline.
        recipe: hyper-parameters; by default those that suit the encoder.
        calibrator: a kind of ``calibrate.kinds.LOGIT_FITS``, or ``auto``: the one that suits the calibration rows.
        engine: the graph that serves.
        keep_texts: keep the texts of the training rows that explanations compare with, and not only their ids.
        versions: ``dataset_version``, ``split_manifest_version`` or ``model_version``, for the receipt; what the
            contract's ``evaluation`` pins must be among them.
        key: signs the bundle.
        record: where the attempt, the verdict and the bundle are entered.
        watch: told how far it is.
        clock: the machine's, unless a test gives another.

    Raises:
        InputError: anything wrong with what was given; nothing half-made is left that could be taken for a bundle.
    """
    require("Building a router", extra="train", modules=TRAIN_MODULES)
    from interlock.train.training import RESUMED, forget

    clock, recipe = clock or SystemClock(), recipe or Recipe()
    source = file_bytes(contract)
    terms = parse_contract(source, where=str(contract))
    assemble.check_versions(versions or {}, terms)
    strange_texts = strangers.unknown_texts(unknown)
    split = prepare(data, calibration=calibration, test=test, contract=terms, seed=recipe.seed, watch=watch)
    strangers.check_strange(strange_texts, split, where=unknown)
    job = Job(Path(out), source, terms, split, encoder, recipe, engine, watch, clock, versions or {})
    texts = unlabelled(recipe.adapt, split, watch=watch)
    _check_choices(encoder, calibrator)
    config = assemble.config(terms, split, encoder=encoder, recipe=recipe, unlabelled=texts, unknown=strange_texts)
    with start_run(job.run, config, keep=RESUMED):
        write_json(job.run / "split.json", split.manifest.to_json())
        job = replace(job, split=weigh_suspects(split, terms, weight=recipe.suspects, watch=watch))
        trained = _train(job, texts, key=digest_of(config))
        exported = Exported.read(job.run)
        scorer = exported.scorer(terms, engine)
        strange = strangers.strange(scorer, strange_texts, terms)
        calibrated = _calibrate(job, scorer, strange, kind=calibrator)
        predictor = calibrated.predictor(terms, scorer, clock)
        derived = _measure(job, trained, exported, calibrated, predictor, champion=champion)
        receipt = derived.receipt
        watch({"event": "stage", "stage": "judge", "detail": f"{len(terms.limits)} limits"})
        judgement = judge_on_record(receipt, record, claimed_digest=receipt.digest).judgement
        watch({"event": "stage", "stage": "pack", "detail": "then open it again and replay its golden messages"})
        files = packing.bundle_files(source, job.split, exported, calibrated, receipt, judgement, predictor, engine)
        files |= packing.neighbour_files(scorer, job.split.train, terms, texts=keep_texts)
        pack(files, job.run / "bundle", name=terms.name, created=receipt.created or "", identity=receipt.identity)
        bundle = open_bundle(job.run / "bundle", clock=clock)
        packing.vouch(bundle, job.run / "bundle", receipt, key=key, record=record)
        draw_run(job.run, receipt, split.test, watched=len(split.calibration), watch=watch)
        forget(job.run)
        write_json(job.run / FINISHED, {**judgement.to_json(), "bundle_digest": bundle.digest})
        found = strangers.report(calibrated, receipt, strange)
        return Built(job.run, bundle, receipt, judgement, baseline_accuracies(derived), found)


@dataclass(frozen=True)
class Job:
    """What every stage of a build is told."""

    run: Path
    source: bytes  # of the contract file
    terms: Contract
    split: Split
    encoder: str
    recipe: Recipe
    engine: str
    watch: Watch
    clock: Clock
    versions: Mapping[str, str]


def _check_choices(encoder: str, calibrator: str) -> None:
    """Look at what would only fail hours later."""
    from interlock.train.encoders import check_available, resolve

    check_available(resolve(encoder))
    check_kind(calibrator)


def _train(job: Job, unlabelled_texts: Sequence[str], *, key: str) -> Trained:
    """Leave the model and both graphs in the run folder."""
    from interlock.train.encoders import resolve
    from interlock.train.training import Training, train_and_export

    training = Training(job.run, resolve(job.encoder), job.recipe, key, job.watch, job.clock, unlabelled_texts)
    learn = to_learn(job.split.train, job.terms, share=job.recipe.compose, seed=job.recipe.seed)
    return train_and_export(training, job.split, job.terms, learn=learn, graphs=(GRAPH, GRAPH_INT8))


def _calibrate(job: Job, scorer: OnnxEncoder, strange: Strange | None, *, kind: str) -> Calibration:
    """Fit calibrator and detectors on the calibration rows; keep what the model made of them."""
    rows, terms = job.split.calibration, job.terms
    job.watch({"event": "stage", "stage": "calibrate", "detail": f"{len(rows)} rows"})
    found = strangers.rows_seen(scorer, rows, terms)
    write_scores(rows, found.logits, job.run / "scores" / "calibration.parquet")
    calibrated = calibrate(
        rows,
        found.logits,
        terms,
        features=found.features,
        references=strangers.references(scorer, job.split.train, terms, job.watch),
        unknown=strange.fitted if strange else None,
        kind=kind,
    )
    for note in strangers.notes(calibrated, terms, given=strange is not None):
        job.watch({"event": "note", "note": note})
    calibrated = assemble.with_words(calibrated, job.split.train, scorer, terms)
    return assemble.with_several(calibrated, rows, scorer, terms, seed=job.recipe.seed, watch=job.watch)


def _measure(
    job: Job,
    trained: Trained,
    exported: Exported,
    calibrated: Calibration,
    predictor: Predictor,
    *,
    champion: str | Path | None,
) -> Derived:
    """Run the test rows, one at a time, on the path that serves; keep the evidence, and return what follows from it."""
    rows, terms = job.split.test, job.terms
    job.watch({"event": "stage", "stage": "measure", "detail": f"{len(rows)} test rows, one at a time, as served"})
    others = {**trained.baselines, FP32: assemble.top_labels(exported.scorer(terms, GRAPH), rows, terms)}
    if champion is not None:
        others[CHAMPION] = assemble.champion_labels(champion, rows, terms)
    subject = assemble.subject(terms, job.split, exported, calibrated, trained, predicted=others, versions=job.versions)
    receipt = take(predictor, rows, subject, clock=job.clock, progress=every(job.watch, "measure"))
    (job.run / RECEIPT).write_bytes(receipt.to_bytes())
    write_scores(rows, assemble.logits_of(receipt), job.run / "scores" / "test.parquet")
    derived = Derived(receipt)
    if (note := assemble.held_for_words(derived.decisions)) is not None:
        job.watch({"event": "note", "note": note})
    return derived


class _CallableModule(ModuleType):
    """Lets ``interlock.build(...)`` mean the walk although this module has the same name."""

    def __call__(self, **options: Any) -> Built:
        """Build a router; see the function."""
        return build(**options)


sys.modules[__name__].__class__ = _CallableModule
