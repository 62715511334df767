"""How often each confidence is stated. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.measure.plots.style import LINES, Palette, Picture, dress, empty, legend, log_scale, marks, name

BINS = 40


def confidence_picture(
    series: Mapping[str, npt.NDArray[np.float64]], *, at: Mapping[str, float] | None = None, log: bool = False
) -> Picture:
    """Return the histogram of stated confidence, one outline a series.

    Args:
        series: name -> ``(n,)`` confidences in 0-1; those without rows are left out.
        at: name -> a confidence to mark, such as a policy's bounds.
        log: count on a logarithmic scale, where one series is far larger than another.
    """
    shown = {said: stated for said, stated in series.items() if stated.size}
    if not shown:
        return empty("no rows with a stated confidence")

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        edges = np.linspace(0, 1, BINS + 1)
        for number, (said, stated) in enumerate(shown.items()):
            colour = palette.series[number % len(palette.series)]
            counts = np.histogram(stated, bins=edges)[0]
            words = f"{said}: n = {stated.size:,}, mean {_mean(stated)}"
            axes.stairs(counts, edges, color=colour, linewidth=1.8, linestyle=LINES[number % len(LINES)], label=words)
            axes.stairs(counts, edges, color=colour, fill=True, alpha=0.15)
        axes.set_xlim(0, 1)
        if log:
            log_scale(axes)
            axes.set_ylim(0.6, None)
        marks(axes, at or {}, palette)
        name(axes, palette, x="stated confidence", y="rows" + (" (log scale)" if log else ""))
        legend(figure, palette, columns=2)
        dress(figure, palette)

    return Picture((6.8, 4.0), draw)


def _mean(stated: npt.NDArray[np.float64]) -> str:
    if stated.size == 1:
        return f"{stated[0]:.3f}"
    half = 1.96 * float(stated.std(ddof=1)) / stated.size**0.5
    return f"{stated.mean():.3f} \N{PLUS-MINUS SIGN} {half:.3f}"
