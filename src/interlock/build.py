"""The offline walk: a data file in, a gated bundle out. Reads top to bottom; every stage is a room."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from interlock import assemble, strangers
from interlock.assemble import Exported
from interlock.bundle.keys import SigningKey
from interlock.bundle.layout import GRAPH, GRAPH_INT8, RECEIPT
from interlock.bundle.open import Bundle, open_bundle
from interlock.bundle.pack import pack
from interlock.bundle.run import FINISHED, start_run, write_json
from interlock.calibrate.fit import AUTO, calibrate, check_kind
from interlock.core.canonical import digest_of
from interlock.core.clock import Clock, SystemClock
from interlock.core.contract_file import parse_contract
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
from interlock.predict.predictor import Predictor
from interlock.report.folder import draw_run
from interlock.train.recipe import Recipe

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
        key: signs the bundle.
        record: where the attempt, the verdict and the bundle are entered.
        watch: told how far it is.
        clock: the machine's, unless a test gives another.

    Raises:
        InputError: anything wrong with what was given; nothing half-made is left that could be taken for a bundle.
    """
    require("Building a router", extra="train", modules=TRAIN_MODULES)
    from interlock.train.encoders import check_available, resolve
    from interlock.train.steps import RESUMED, train_and_export

    clock, run, recipe = clock or SystemClock(), Path(out), recipe or Recipe()
    source = file_bytes(contract)
    terms = parse_contract(source, where=str(contract))
    strange_texts = strangers.unknown_texts(unknown)
    split = prepare(data, calibration=calibration, test=test, contract=terms, seed=recipe.seed, watch=watch)
    texts = unlabelled(recipe.adapt, split, watch=watch)
    check_available(resolve(encoder))
    check_kind(calibrator)
    config = assemble.config(terms, split, encoder=encoder, recipe=recipe, unlabelled=texts, unknown=strange_texts)
    with start_run(run, config, keep=RESUMED):
        write_json(run / "split.json", split.manifest.to_json())
        split = weigh_suspects(split, terms, weight=recipe.suspects, watch=watch)

        trained = train_and_export(
            split,
            terms,
            learn=to_learn(split.train, terms, share=recipe.compose, seed=recipe.seed),
            encoder=encoder,
            recipe=recipe,
            run=run,
            key=digest_of(config),
            graphs=(GRAPH, GRAPH_INT8),
            watch=watch,
            clock=clock,
            unlabelled=texts,
        )
        exported = Exported.read(run)
        scorer = exported.scorer(terms, engine)

        watch({"event": "stage", "stage": "calibrate", "detail": f"{len(split.calibration)} rows"})
        calibration_scores = strangers.rows_seen(scorer, split.calibration, terms)
        strange = strangers.strange(scorer, strange_texts, terms)
        calibrated = calibrate(
            split.calibration,
            calibration_scores.logits,
            terms,
            features=calibration_scores.features,
            references=strangers.references(scorer, split.train, terms, watch),
            unknown=strange.fitted if strange else None,
            kind=calibrator,
        )
        calibrated = assemble.with_several(calibrated, split.calibration, scorer, terms, seed=recipe.seed, watch=watch)
        predictor = Predictor(
            contract=terms,
            scorer=scorer,
            calibrator=calibrated.calibrator,
            unknown=calibrated.unknown,
            several=calibrated.several,
            clock=clock,
        )

        watch(
            {"event": "stage", "stage": "measure", "detail": f"{len(split.test)} test rows, one at a time, as served"}
        )
        others = {**trained.baselines, FP32: assemble.top_labels(exported.scorer(terms, GRAPH), split.test, terms)}
        if champion is not None:
            others[CHAMPION] = assemble.champion_labels(champion, split.test, terms)
        subject = assemble.subject(terms, split, exported, calibrated, trained, predicted=others)
        receipt = take(predictor, split.test, subject, clock=clock, progress=every(watch, "measure"))
        (run / RECEIPT).write_bytes(receipt.to_bytes())
        write_scores(split.calibration, calibration_scores.logits, run / "scores" / "calibration.parquet")
        write_scores(split.test, assemble.logits_of(receipt), run / "scores" / "test.parquet")

        watch({"event": "stage", "stage": "judge", "detail": f"{len(terms.limits)} limits"})
        judgement = judge_on_record(receipt, record, claimed_digest=receipt.digest).judgement

        watch({"event": "stage", "stage": "pack", "detail": "then open it again and replay its golden messages"})
        files = assemble.bundle_files(source, split, exported, calibrated, receipt, judgement, predictor, engine)
        files |= assemble.neighbour_files(scorer, split.train, terms, texts=keep_texts)
        pack(files, run / "bundle", name=terms.name, created=receipt.created or "", identity=receipt.identity)
        bundle = open_bundle(run / "bundle", clock=clock)
        assemble.vouch(bundle, run / "bundle", receipt, key=key, record=record)
        draw_run(run, receipt, split.test, watched=len(split.calibration), watch=watch)
        write_json(run / FINISHED, {**judgement.to_json(), "bundle_digest": bundle.digest})
        found = strangers.report(calibrated, receipt, strange)
        return Built(run, bundle, receipt, judgement, baseline_accuracies(Derived(receipt)), found)


class _CallableModule(ModuleType):
    """Lets ``interlock.build(...)`` mean the walk although this module has the same name."""

    def __call__(self, **options: Any) -> Built:
        """Build a router; see the function."""
        return build(**options)


sys.modules[__name__].__class__ = _CallableModule
