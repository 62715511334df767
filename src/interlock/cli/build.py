"""``interlock build``: the offline walk from the command line."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import cyclopts
from cyclopts import Parameter

from interlock.cli.gate import UNCOUNTED
from interlock.cli.screen import Watching, console, measurement_table, print_judgement, say_json
from interlock.core.measurement import Measurement
from interlock.train.recipe import Recipe
from interlock.train.tracking import Tracker, Tracking, tracking

if TYPE_CHECKING:
    from interlock.build import Built

RECIPE = Recipe()
SHOWN = (
    "accuracy",
    "macro_f1",
    "ece_10",
    "ece_20",
    "ece_debiased",
    "nll",
    "brier",
    "cost_per_message",
    "coverage",
    "accepted_accuracy",
    "quantization_accuracy_loss",
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
)


def register(app: cyclopts.App) -> None:
    """Add this file's commands."""
    app.command(build)


def build(  # noqa: PLR0913 - one option per choice
    *,
    contract: Path,
    data: Path,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    test: Path | None = None,
    calibration: Path | None = None,
    unknown: Path | None = None,
    encoder: str = "minilm",
    champion: Path | None = None,
    recipe: Annotated[Recipe, Parameter(name="*")] = RECIPE,
    calibrator: str = "auto",
    engine: Literal["int8", "fp32"] = "int8",
    keep_texts: bool = False,
    identity: Annotated[tuple[str, ...], Parameter(negative_iterable=())] = (),
    key: str | None = None,
    store: str | None = None,
    actor: str | None = None,
    log_to: Tracker | None = None,
    json: bool = False,
) -> int:
    """Train, calibrate, measure, judge and pack a router. Exit 0 when it may go to shadow traffic, 1 when it must wait.

    Example: interlock build --contract contract.yaml --data rows.jsonl -o runs/1

    Args:
        contract: The contract file: labels, routes, policy, limits.
        data: Labelled messages (JSON lines, CSV, Parquet, dataset folder). The training rows when --test is given.
        out: The run folder to make. The bundle is its folder "bundle".
        test: Frozen test rows of an official split; otherwise 10 % of --data, whole groups, stratified by label.
        calibration: Calibration rows of an official split; otherwise 10 % of --data.
        unknown: Messages the router should not know, which need only a text: half of them teach the unknown gate, which
            is reported on the other half.
        encoder: minilm, distilbert, tiny (random, to try things out), a folder, or a Hub id.
        champion: The bundle in service; it is run on the same test rows and comparisons are paired with it.
        recipe: Every hyper-parameter.
        calibrator: auto (chosen by cross-fitted likelihood on the calibration rows), raw, temperature, platt, beta,
            vector, histogram or isotonic.
        engine: The graph that serves.
        keep_texts: Keep in the bundle the texts of the training rows that explanations compare with, and not only
            their ids. They are customers' messages.
        identity: What the receipt shall say of itself, as NAME=VALUE: dataset_version, split_manifest_version or
            model_version. Needed where the contract pins it. May be given again.
        key: Sign the bundle with this key: a name in the folder keys, or a private key file.
        store: Enter the attempt, the verdict and the bundle in the ledger of this store (a file, or a database URL).
        actor: Who builds; the name of the account by default.
        log_to: Write every step, epoch and result to tensorboard (OUT/tensorboard) or mlflow too.
        json: Print one machine-readable object at the end instead of tables.
    """
    from interlock.build import build as walk
    from interlock.bundle.layout import GRAPH, GRAPH_INT8
    from interlock.cli.keys import find_key
    from interlock.cli.ledger import recording

    signing = find_key(key) if key is not None else None
    with recording(store, actor) as record, Watching() as screen, tracked(log_to, out, recipe, screen) as watch:
        built = walk(
            contract=contract,
            data=data,
            out=out,
            test=test,
            calibration=calibration,
            unknown=unknown,
            encoder=encoder,
            recipe=recipe,
            champion=champion,
            calibrator=calibrator,
            engine=GRAPH_INT8 if engine == "int8" else GRAPH,
            keep_texts=keep_texts,
            versions=dict(map(_stated, identity)),
            key=signing,
            record=record,
            watch=watch,
        )
        if isinstance(watch, Tracking):
            found = built.judgement.measurements
            watch.finish({name: one.value for name, one in found.items()}, {"verdict": built.judgement.verdict})
    if json:
        say_json({**as_json(built), **({"note": UNCOUNTED} if record is None else {})})
    else:
        if record is None:
            console().print(f"[yellow]{UNCOUNTED}[/]", soft_wrap=True)
        show(built)
    return 0 if built.judgement.eligible else 1


def _stated(text: str) -> tuple[str, str]:
    """Read ``NAME=VALUE``."""
    from interlock.core.errors import InputError, Problem

    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise InputError("this says nothing of a receipt", [Problem("--identity", "", "NAME=VALUE", repr(text)[:80])])
    return name, value


def tracked(
    log_to: Tracker | None, out: Path, recipe: Recipe, screen: Watching
) -> AbstractContextManager[Tracking | Watching]:
    """Return a watcher that tells a tracker too, where one is wanted."""
    if log_to is None:
        return nullcontext(screen)
    return tracking(log_to, run=out.resolve(), about=recipe.to_json(), also=screen)


def as_json(built: Built) -> dict[str, object]:
    """Return what ``--json`` prints."""
    return {
        "run": str(built.run),
        "bundle": str(built.run / "bundle"),
        "bundle_digest": built.bundle.digest,
        "receipt": str(built.run / "receipt.json"),
        **built.judgement.to_json(),
        "measurements": {name: found.to_json() for name, found in built.judgement.measurements.items()},
        "baselines": {
            name: {key: found.to_json() for key, found in measured.items()}
            for name, measured in built.baselines.items()
        },
        "unknown": {name: found.to_json() for name, found in built.unknown.items()},
    }


def show(built: Built) -> None:
    """Print a build for people."""
    found = built.judgement.measurements
    screen = console()
    screen.print(
        measurement_table({name: found[name] for name in SHOWN if name in found}, title="Test rows, as served")
    )
    if built.unknown:
        screen.print(measurement_table(built.unknown, title="The half of --unknown that the gate was not fitted on"))
    weakest = sorted((m for name, m in found.items() if name.startswith("recall.")), key=lambda m: m.value)[:8]
    screen.print(measurement_table({m.name: m for m in weakest}, title="Weakest labels"))
    rivals: dict[str, Measurement] = {name: measured["accuracy"] for name, measured in built.baselines.items()}
    screen.print(
        measurement_table(
            {**rivals, "this router": found["accuracy"]} if "accuracy" in found else rivals,
            title="Accuracy beside the baselines",
        )
    )
    print_judgement(built.judgement, title="Limits")
    said = f"bundle  {built.run / 'bundle'}  {built.bundle.digest}\nreceipt {built.run / 'receipt.json'}"
    screen.print(said, markup=False, soft_wrap=True)
