"""Quality against the number of labelled rows. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from interlock.core.measurement import Measurement
from interlock.measure.plots.style import MARKERS, Palette, Picture, dress, empty, legend, name

Curve = Mapping[int, Mapping[str, Measurement]]  # labelled rows -> metric -> measurement


def by_rows_picture(curves: Mapping[str, Curve], *, metrics: Mapping[str, str]) -> Picture:
    """Return measurements over the number of labelled rows, one panel a metric and one line a curve.

    Args:
        curves: name -> rows -> metric -> measurement; those not known are left out.
        metrics: metric -> the panel's title.
    """
    found = [measured for points in curves.values() for one in points.values() for measured in one.values()]
    if not any(measured.known for measured in found):
        return empty("too few rows to judge what more rows would bring")
    sizes = sorted({size for points in curves.values() for size in points})

    def draw(figure: Any, palette: Palette) -> None:
        grid = figure.subplots(1, len(metrics), squeeze=False)[0]
        for axes, (metric, title) in zip(grid, metrics.items(), strict=True):
            for number, (said, points) in enumerate(curves.items()):
                _curve(axes, number, said, len(curves), {size: one[metric] for size, one in points.items()}, palette)
            axes.set_xscale("log")
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.minorticks_off()
            axes.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.25)
            name(axes, palette, title=title, x="labelled rows fitted on (bars: 95 % of draws)")
            for size in sizes:
                if not any(points[size][metric].known for points in curves.values() if size in points):
                    look = {"ha": "center", "va": "center", "fontsize": 8, "color": palette.quiet, "rotation": 90}
                    words = "too few rows left to judge"
                    axes.text(size, 0.5, words, transform=axes.get_xaxis_transform(), **look)
        legend(figure, palette, columns=len(curves))
        dress(figure, palette)

    return Picture((4.8 * len(metrics), 4.2), draw)


def _curve(axes: Any, number: int, said: str, lines: int, points: Mapping[int, Measurement], palette: Palette) -> None:
    known = {size: found for size, found in points.items() if found.known}
    if not known:
        return
    value = np.array([found.value for found in known.values()])
    low, high = (np.array([getattr(found, end) for found in known.values()]) for end in ("low", "high"))
    beside = 1 + 0.035 * (number - (lines - 1) / 2)  # side by side, so that bars do not hide one another
    look = {"marker": MARKERS[number % len(MARKERS)], "markersize": 5, "linewidth": 1.4, "elinewidth": 0.9}
    colour = palette.series[number % len(palette.series)]
    x = np.array(list(known)) * beside
    axes.errorbar(x, value, yerr=[value - low, high - value], color=colour, label=said, **look)
