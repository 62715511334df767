"""A bundle challenged: messages changed in ways that should not matter, and errors that something should catch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from interlock import injections
from interlock.bundle.open import Bundle
from interlock.core.clock import Clock, SystemClock
from interlock.core.contract import Contract
from interlock.core.dataset import Dataset
from interlock.core.errors import InputError, Problem, require
from interlock.core.progress import Watch, every, unwatched
from interlock.data.audit.mask import masked
from interlock.data.perturb.suite import SUITES, Case, make_cases, read_cases, write_cases
from interlock.data.read import read
from interlock.injections import Said, said_of
from interlock.measure.proportion import proportion
from interlock.report.challenge import WORST, Counterfactuals, Injections, Suite
from interlock.report.error_finders import ErrorFinders, error_finders
from interlock.report.experiment_page import write_challenge
from interlock.report.view import Columns, Flags
from interlock.train.experiments.cache import open_folder
from interlock.train.recipe import Recipe

SEED = 42
MOST = 2000  # rows drawn
ASKED = "DATA or --suite, and --at-least above 0 up to 1"
UNTRAINED = "no router was trained with an error: give training rows with --train"
ONCE = "each router was trained once: another seed alone moves these figures, experiment seeds says how far"


def counterfactual(
    bundle: Bundle,
    data: str | Path | None = None,
    *,
    suite: str | Path | None = None,
    out: str | Path | None = None,
    least: float = 0.9,
    most: int = MOST,
    seed: int = SEED,
    watch: Watch = unwatched,
) -> Counterfactuals:
    """Change messages that the router gets right, and count how often it stays right.

    Args:
        bundle: an opened bundle.
        data: labelled messages to make the cases of.
        suite: cases that were kept, instead.
        out: folder for ``experiment.json``, ``experiment.md`` and the cases, as ``suite.jsonl``.
        least: share of a suite's cases that must be shown to hold.
        most: rows drawn of ``data``.
        seed: of the drawing and the changes.
        watch: told how far it is.

    Raises:
        InputError: rows or cases that do not read, both or neither given, or no row that the router gets right.
    """
    if (data is None) == (suite is None) or not 0 < least <= 1:
        raise InputError(
            "nothing to change, or no share to ask for",
            [Problem("command line", "", ASKED, f"{data}, {suite}, {least}")],
        )
    labels = bundle.contract.label_names
    if suite is not None:
        cases = read_cases(Path(suite), labels=labels)
    else:
        rows = drawn(read(str(data), labels=labels, turns=bundle.contract.input.turns), most=most, seed=seed)
        cases = list(make_cases((row for row in rows if len(row.labels) == 1), seed=seed))
    found = Counterfactuals(tuple(_suite(bundle, name, cases, least, watch) for name in _names(cases)))
    if out is not None:
        with open_folder(Path(out)):
            write_cases(cases, Path(out) / "suite.jsonl")
            write_challenge(found, Path(out), about={"bundle": bundle.digest, "contract": bundle.contract.name})
    return found


def inject(  # noqa: PLR0913 - the keyword options of the command
    bundle: Bundle,
    folder: str | Path,
    data: str | Path,
    *,
    train: str | Path | None = None,
    out: str | Path | None = None,
    encoder: str = "minilm",
    recipe: Recipe | None = None,
    parallel: int = 1,
    most: int = MOST,
    seed: int = SEED,
    watch: Watch = unwatched,
    clock: Clock | None = None,
) -> Injections:
    """Inject errors into messages, scores, files and, with ``train``, training rows; see what each does.

    Args:
        bundle: an opened bundle.
        folder: where it is.
        data: labelled messages that measure what an error does.
        train: training rows, to train routers without and with wrong labels and missing rows; needs ``out``.
        out: folder for ``experiment.json``, ``experiment.md`` and the trainings.
        encoder: what is trained.
        recipe: how.
        parallel: worker processes that train.
        most: rows drawn of ``data``.
        seed: of everything that is drawn.
        watch: told how far it is.
        clock: the machine's, unless a test gives another.

    Raises:
        InputError: rows that do not read, or ``train`` without ``out``.
    """
    if train is not None and out is None:
        raise InputError("training routers needs a folder to keep them", todo="Give one with -o.")
    contract = bundle.contract
    single = _single(data, contract, turns=contract.input.turns, most=most, seed=seed)
    found = [
        *injections.of_messages(bundle, single, seed=seed, watch=watch),
        *injections.of_scores(bundle, single),
        *injections.of_files(bundle, Path(folder)),
    ]
    if out is None:
        return Injections(len(single), tuple(found), (UNTRAINED,))
    with open_folder(Path(out)):
        if train is not None:
            found += injections.of_training(
                contract,
                train=train,
                test=data,
                encoder=encoder,
                recipe=recipe or Recipe(),
                out=Path(out),
                parallel=parallel,
                watch=watch,
                clock=clock or SystemClock(),
            )
        result = Injections(len(single), tuple(found), (UNTRAINED if train is None else ONCE,))
        write_challenge(result, Path(out), about={"bundle": bundle.digest, "contract": contract.name})
    return result


def drawn(rows: Dataset, *, most: int, seed: int) -> Dataset:
    """Return at most ``most`` rows, in their order."""
    if len(rows) <= most:
        return rows
    chosen = set(random.Random(seed).sample(range(len(rows)), max(most, 1)))
    return Dataset(tuple(row for at, row in enumerate(rows) if at in chosen))


def uncertainty(
    bundle: Bundle, data: str | Path, *, passes: int = 20, most: int = MOST, seed: int = SEED, watch: Watch = unwatched
) -> ErrorFinders:
    """See whether passes with dropout find the model's errors better than its plain confidence does.

    The model is the fp32 one in the bundle's ``model/``, before calibration.

    Args:
        bundle: an opened bundle.
        data: labelled messages it has not learnt from; rows with several labels are left out.
        passes: with dropout, of every message.
        most: rows drawn of ``data``.
        seed: of the drawing and the dropout.
        watch: told how far it is.

    Raises:
        InputError: rows that do not read, a model without dropout, or no row with exactly one label.
    """
    require("Passes with dropout", extra="train", modules=("torch", "transformers"))
    from interlock.train.rows import encode_rows
    from interlock.train.uncertainty import read_model
    from interlock.train.uncertainty import uncertainty as taken

    contract = bundle.contract
    single = _single(data, contract, turns=0, most=most, seed=seed)
    files = {name: body for name, body in bundle.verified.files.items() if name.startswith("model/")}
    model, tokenizer = read_model(files)
    watch({"event": "stage", "stage": "uncertainty", "detail": f"{len(single)} rows, {passes} passes"})
    rows = encode_rows(single, tokenizer, contract.label_names, contract.input)
    found = taken(model, rows, pad_id=tokenizer.pad_token_id, passes=passes, seed=seed)
    wrong = found.plain.argmax(axis=1) != rows.targets.numpy().argmax(axis=1)
    return error_finders(found.scores(), wrong, passes=passes)


def _single(data: str | Path, contract: Contract, *, turns: int, most: int, seed: int) -> Dataset:
    """Return those of at most ``most`` rows that have exactly one label, with ``turns`` turns before each message."""
    rows = drawn(read(data, labels=contract.label_names, turns=turns), most=most, seed=seed)
    single = Dataset(tuple(row for row in rows if len(row.labels) == 1))
    if not len(single):
        raise InputError(f"{data} has no row with exactly one label")
    return single


def _names(cases: Sequence[Case]) -> list[str]:
    named = dict.fromkeys(case.suite for case in cases)
    return sorted(named, key=lambda name: list(SUITES).index(name) if name in SUITES else len(SUITES))


def _suite(bundle: Bundle, name: str, cases: Sequence[Case], least: float, watch: Watch) -> Suite:
    own = [case for case in cases if case.suite == name]
    count = every(watch, f"suite {name}")
    columns = np.array([bundle.contract.index[case.label] for case in own], dtype=np.int64)
    before = said_of(bundle.predictor, [case.text for case in own])
    after = said_of(bundle.predictor, [case.changed for case in own], progress=count)
    right, n = before.top == columns, int((before.top == columns).sum())
    holds = after.top == columns if own[0].test == "invariance" else ~(after.confidence > before.confidence)
    astray = after.routed & _elsewhere(bundle, after, columns) & right
    return Suite(
        name=name,
        test=own[0].test,
        kept=proportion("kept", int((holds & right).sum()), n),
        misrouted=proportion("misrouted", int(astray.sum()), n),
        skipped=len(own) - n,
        least=least,
        worst=tuple(_worst(bundle, own, before, after, right & ~holds)),
    )


def _elsewhere(bundle: Bundle, said: Said, columns: Columns) -> Flags:
    routes = np.array([label.route for label in bundle.contract.labels.values()], dtype=object)
    return np.asarray(routes[said.top] != routes[columns], dtype=bool)


def _worst(bundle: Bundle, cases: Sequence[Case], before: Said, after: Said, failed: Flags) -> list[dict[str, Any]]:
    names = bundle.contract.label_names
    order = sorted(np.flatnonzero(failed).tolist(), key=lambda at: (-np.nan_to_num(after.confidence[at]), at))[:WORST]
    return [
        {
            "of": cases[at].of,
            "label": cases[at].label,
            "now": names[after.top[at]] if after.top[at] >= 0 else None,
            "confidence": [round(float(before.confidence[at]), 4), round(float(after.confidence[at]), 4)],
            "text": masked(cases[at].text),
            "changed": masked(cases[at].changed),
        }
        for at in order
    ]
