"""Loss and accuracy over the epochs of a run. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlock.core.measurement import Measurement
from interlock.measure.plots.style import LINES, MARKERS, Palette, Picture, counted, dress, empty, legend, line, name
from interlock.measure.proportion import proportion

Log = Sequence[Mapping[str, Any]]  # a run's step log: lines with the key "event", "step" or "epoch"
LOSSES = {"train_loss": "training, mean of the epoch", "val_loss": "validation"}
WATCHED = {"val_macro_recall": "mean recall of labels", "val_worst_recall": "worst label's recall"}


def learning_picture(log: Log, *, watched: int = 0) -> Picture:
    """Return training and validation loss, and validation accuracy, over epochs.

    Args:
        log: the step log.
        watched: rows the accuracies rest on; 0 draws them without interval.
    """
    epochs = [line_ for line_ in log if line_["event"] == "epoch"]
    if not epochs:
        return empty("the step log holds no finished epoch")

    def draw(figure: Any, palette: Palette) -> None:
        losses, shares = figure.subplots(1, 2)
        _losses(losses, log, epochs, palette)
        _shares(shares, epochs, watched, palette)
        for axes in (losses, shares):
            axes.locator_params(axis="x", integer=True)
            name(axes, palette, x="epoch")
        legend(figure, palette, columns=3)
        dress(figure, palette)

    return Picture((9.2, 4.2), draw)


def _losses(axes: Any, log: Log, epochs: Log, palette: Palette) -> None:
    steps = [line_ for line_ in log if line_["event"] == "step"]
    if steps:
        per_epoch = steps[-1]["steps"] / epochs[-1]["epochs"]
        x = [step["step"] / per_epoch for step in steps]
        axes.plot(x, [step["loss"] for step in steps], color=palette.quiet, linewidth=0.9, label="training, as logged")
    for number, (key, said) in enumerate(LOSSES.items()):
        found = [(line_["epoch"], line_[key]) for line_ in epochs if key in line_]
        look = {"color": palette.series[number], "linestyle": LINES[number], "marker": MARKERS[number]}
        if found:
            axes.plot(*zip(*found, strict=True), linewidth=1.7, markersize=4, label=said, **look)
    name(axes, palette, title="loss", y="loss")


def _shares(axes: Any, epochs: Log, watched: int, palette: Palette) -> None:
    seen = [line_ for line_ in epochs if "val_acc" in line_]
    x = [line_["epoch"] for line_ in seen]
    line(axes, x, [_accuracy(line_["val_acc"], watched) for line_ in seen], 0, palette, said="validation accuracy")
    for number, (key, said) in enumerate(WATCHED.items(), start=1):
        look = {"color": palette.series[number + 1], "linestyle": LINES[number], "marker": MARKERS[number]}
        axes.plot(x, [line_[key] for line_ in seen], linewidth=1.0, markersize=3.5, label=said, **look)
    axes.set_ylim(-0.02, 1.02)
    rows = f", {counted(watched)}, band: 95 % interval" if watched else ""
    name(axes, palette, title=f"validation{rows}" if seen else "no rows were held back to validate on", y="share")


def _accuracy(share: float, rows: int) -> Measurement:
    if not rows:
        return Measurement("accuracy", share, 0, share, share)
    return proportion("accuracy", round(share * rows), rows)
