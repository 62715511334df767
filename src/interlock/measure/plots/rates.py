"""Learning rates and gradient norms over the steps of a run. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from interlock.measure.plots.style import LINES, Palette, Picture, counted, dress, empty, legend, log_scale, name

SHORT_WAY = 30  # the highest over the lowest norm below which powers of ten alone are too few ticks


def rates_picture(log: Sequence[Mapping[str, Any]], *, clip_norm: float | None = None) -> Picture:
    """Return the learning rates and the gradient norm over optimiser steps, and where gradients are clipped.

    Args:
        log: the step log; its norms are those of the steps logged.
        clip_norm: the norm that gradients are clipped to.
    """
    steps = [line_ for line_ in log if line_["event"] == "step"]
    if not steps:
        return empty("the step log holds no step")
    at = [step["step"] for step in steps]

    def draw(figure: Any, palette: Palette) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True)
        for number, (key, said) in enumerate({"lr_head": "head and top layer", "lr_bottom": "bottom layer"}.items()):
            look = {"color": palette.series[number], "linewidth": 1.7, "linestyle": LINES[number]}
            upper.plot(at, [step[key] for step in steps], label=said, **look)
        norms = np.array([step["grad_norm"] for step in steps])
        lower.plot(at, norms, color=palette.series[2], linewidth=1.2, marker=".", markersize=4, label="gradient norm")
        scaled = bool(norms.max() > 0)  # a model that has nothing left to learn has no gradient
        if scaled:
            log_scale(lower, fine=bool(norms.max() < SHORT_WAY * norms.min()))
        if clip_norm is not None:
            said = f"clipped to {clip_norm:g}"
            lower.axhline(clip_norm, color=palette.series[1], linewidth=1.4, linestyle="--", label=said)
        clipped = sum(step["clipped"] for step in steps)
        name(upper, palette, title="learning rate", y="rate")
        rows = counted(steps[-1]["step"], "steps")
        name(
            lower,
            palette,
            title=f"gradient norm, {rows}, {clipped:,} clipped",
            x="step",
            y="norm (log scale)" if scaled else "norm",
        )
        legend(figure, palette)
        dress(figure, palette)

    return Picture((7.2, 5.2), draw)
