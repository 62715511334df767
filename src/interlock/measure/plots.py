"""Measurements drawn on a figure the caller made. Knows no files, and no drawing library: figures are handed in.

Colours are Okabe and Ito's (2008), told apart with every common colour blindness, lightened or darkened for the
background. Series also differ in marker or line, so that nothing is said by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement
from interlock.measure.reliability import Bucket

Style = Literal["light", "dark"]
MARKERS = "osD^vP"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one style."""

    ground: str
    ink: str
    quiet: str
    band: str
    series: tuple[str, ...]


PALETTES: dict[Style, Palette] = {
    "light": Palette(
        "#ffffff", "#1f2933", "#7b8794", "#d3dae2", ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a67c00", "#56b4e9")
    ),
    "dark": Palette(
        "#14181d", "#e8ecf0", "#8b98a5", "#39424d", ("#56b4e9", "#ff9a4d", "#2ecc9b", "#e39bc4", "#f0e442", "#b9c6d3")
    ),
}


def draw_reliability(figure: Any, panels: Mapping[str, Sequence[Bucket]], *, style: Style = "light") -> None:
    """Draw one reliability diagram a panel: accuracy with interval over confidence, counts below.

    The band is where a calibrated model's accuracy would lie (``Bucket.expected_low`` to ``expected_high``). A bucket
    outside it is drawn as a cross. Buckets without rows are left out.

    Args:
        figure: an empty matplotlib figure.
        panels: title -> buckets, as ``reliability`` or ``confidence_buckets`` return them.
        style: light or dark.
    """
    palette = PALETTES[style]
    grid = figure.subplots(
        2, len(panels), sharex=True, sharey="row", squeeze=False, gridspec_kw={"height_ratios": [3.4, 1]}
    )
    for column, (title, buckets) in enumerate(panels.items()):
        upper, lower = grid[0, column], grid[1, column]
        _gaps(upper, [bucket for bucket in buckets if bucket.n], palette)
        _counts(lower, buckets, palette)
        upper.set_title(title, fontsize=10, color=palette.ink, loc="left")
        lower.set_xlabel("stated confidence", fontsize=9, color=palette.ink)
    grid[0, 0].set_ylabel("accuracy", fontsize=9, color=palette.ink)
    grid[1, 0].set_ylabel("rows", fontsize=9, color=palette.ink)
    handles, names = grid[0, 0].get_legend_handles_labels()
    for axes in grid[0, 1:]:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            if name not in names:
                handles, names = [*handles, handle], [*names, name]
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=8, **_legend(palette))
    _dress(figure, palette)


def draw_confidence(figure: Any, series: Mapping[str, npt.NDArray[np.float64]], *, style: Style = "light") -> None:
    """Draw how often each confidence is stated, one outline a series of (n,) confidences in 0-1."""
    palette = PALETTES[style]
    axes = figure.subplots()
    edges = np.linspace(0, 1, 41)
    for number, (name, stated) in enumerate(series.items()):
        colour = palette.series[number % len(palette.series)]
        counts = np.histogram(stated, bins=edges)[0]
        line = "-" if number == 0 else "--"
        axes.stairs(
            counts, edges, color=colour, linewidth=1.8, linestyle=line, label=f"{name} (mean {stated.mean():.3f})"
        )
        axes.stairs(counts, edges, color=colour, fill=True, alpha=0.15)
    axes.set_xlim(0, 1)
    axes.set_xlabel("stated confidence", fontsize=9, color=palette.ink)
    axes.set_ylabel("rows", fontsize=9, color=palette.ink)
    axes.legend(fontsize=8, loc="upper left", **_legend(palette))
    _dress(figure, palette)


def draw_by_labels(
    figure: Any,
    curves: Mapping[str, Mapping[int, Mapping[str, Measurement]]],
    *,
    metrics: Mapping[str, str],
    style: Style = "light",
) -> None:
    """Draw measurements over the number of labelled rows, one panel a metric and one line a curve.

    Args:
        figure: an empty matplotlib figure.
        curves: name -> rows -> metric -> measurement; those not known are left out.
        metrics: metric -> the panel's title.
        style: light or dark.
    """
    palette = PALETTES[style]
    grid = figure.subplots(1, len(metrics), squeeze=False)[0]
    sizes = sorted({size for points in curves.values() for size in points})
    for axes, (metric, title) in zip(grid, metrics.items(), strict=True):
        for number, (name, points) in enumerate(curves.items()):
            _curve(axes, number, name, len(curves), {size: found[metric] for size, found in points.items()}, palette)
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.25)
        axes.set_xlabel("labelled rows fitted on (bars: 95 % of draws)", fontsize=9, color=palette.ink)
        axes.set_title(title, fontsize=10, color=palette.ink, loc="left")
        for size in sizes:
            if not any(points[size][metric].known for points in curves.values() if size in points):
                at = axes.get_xaxis_transform()
                said = {"ha": "center", "va": "center", "fontsize": 8, "color": palette.quiet}
                axes.text(size, 0.5, "too few rows left to judge", rotation=90, transform=at, **said)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=8, **_legend(palette))
    _dress(figure, palette)


def _curve(axes: Any, number: int, name: str, lines: int, points: Mapping[int, Measurement], palette: Palette) -> None:
    known = {size: found for size, found in points.items() if found.known}
    if not known:
        return
    value = np.array([found.value for found in known.values()])
    low, high = (np.array([getattr(found, end) for found in known.values()]) for end in ("low", "high"))
    beside = 1 + 0.035 * (number - (lines - 1) / 2)  # side by side, so that bars do not hide one another
    axes.errorbar(
        np.array(list(known)) * beside,
        value,
        yerr=[value - low, high - value],
        color=palette.series[number % len(palette.series)],
        marker=MARKERS[number % len(MARKERS)],
        markersize=5,
        linewidth=1.4,
        elinewidth=0.9,
        label=name,
    )


def _gaps(axes: Any, buckets: Sequence[Bucket], palette: Palette) -> None:
    x = np.array([bucket.confidence for bucket in buckets])
    y = np.array([bucket.accuracy.value for bucket in buckets])
    low = np.array([bucket.accuracy.low for bucket in buckets])
    high = np.array([bucket.accuracy.high for bucket in buckets])
    inside = np.array([bucket.consistent for bucket in buckets], dtype=np.bool_)
    axes.plot([0, 1], [0, 1], color=palette.quiet, linewidth=1, linestyle=":", label="as stated")
    axes.fill_between(
        x,
        [bucket.expected_low for bucket in buckets],
        [bucket.expected_high for bucket in buckets],
        color=palette.band,
        linewidth=0,
        label="where calibrated scores would fall (95 %)",
    )
    for mask, colour, marker, name in (
        (inside, palette.series[0], "o", "within"),
        (~inside, palette.series[1], "X", "outside"),
    ):
        if mask.any():
            bars = [(y - low)[mask], (high - y)[mask]]
            axes.errorbar(
                x[mask],
                y[mask],
                yerr=bars,
                color=colour,
                marker=marker,
                markersize=6,
                elinewidth=1,
                linestyle="none",
                label=name,
            )
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)


def _counts(axes: Any, buckets: Sequence[Bucket], palette: Palette) -> None:
    axes.bar(
        [bucket.low for bucket in buckets],
        [bucket.n for bucket in buckets],
        width=[0.94 * (bucket.high - bucket.low) for bucket in buckets],
        align="edge",
        color=palette.quiet,
    )
    most = max((bucket.n for bucket in buckets), default=0)
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.35 * max(most, 1)))
    for bucket in buckets:
        if bucket.n:
            middle = bucket.low + 0.47 * (bucket.high - bucket.low)
            axes.text(middle, bucket.n, f"{bucket.n}", ha="center", va="bottom", fontsize=6.5, color=palette.ink)


def _legend(palette: Palette) -> dict[str, Any]:
    return {"frameon": False, "labelcolor": palette.ink}


def _dress(figure: Any, palette: Palette) -> None:
    figure.set_facecolor(palette.ground)
    for axes in figure.axes:
        axes.set_facecolor(palette.ground)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(palette.quiet)
        axes.tick_params(colors=palette.ink, labelsize=8)
