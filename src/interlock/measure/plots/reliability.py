"""Accuracy over stated confidence, with counts. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from interlock.measure.plots.style import Palette, Picture, counted, dress, empty, legend, name
from interlock.measure.reliability import Bucket


def reliability_picture(panels: Mapping[str, Sequence[Bucket]]) -> Picture:
    """Return one reliability diagram a panel: accuracy with interval over confidence, counts below.

    The band is where a calibrated model's accuracy would lie (``Bucket.expected_low`` to ``expected_high``). A bucket
    outside it is drawn as a cross. Buckets without rows are left out.

    Args:
        panels: title -> buckets, as ``reliability`` or ``confidence_buckets`` return them.
    """
    if not any(bucket.n for buckets in panels.values() for bucket in buckets):
        return empty("no rows to compare confidence with accuracy on")

    def draw(figure: Any, palette: Palette) -> None:
        heights = {"height_ratios": [3.4, 1]}
        grid = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False, gridspec_kw=heights)
        for column, (title, buckets) in enumerate(panels.items()):
            _gaps(grid[0, column], [bucket for bucket in buckets if bucket.n], palette)
            _counts(grid[1, column], buckets, palette)
            rows = counted(sum(bucket.n for bucket in buckets))
            name(grid[0, column], palette, title=f"{title}, {rows}")
            name(grid[1, column], palette, x="stated confidence")
        name(grid[0, 0], palette, y="accuracy (bars: 95 % interval)")
        name(grid[1, 0], palette, y="rows")
        legend(figure, palette, columns=2 * len(panels))
        dress(figure, palette)

    return Picture((4.6 * len(panels), 5.4), draw)


def _gaps(axes: Any, buckets: Sequence[Bucket], palette: Palette) -> None:
    x = np.array([bucket.confidence for bucket in buckets])
    y = np.array([bucket.accuracy.value for bucket in buckets])
    low = np.array([bucket.accuracy.low for bucket in buckets])
    high = np.array([bucket.accuracy.high for bucket in buckets])
    inside = np.array([bucket.consistent for bucket in buckets], dtype=np.bool_)
    axes.plot([0, 1], [0, 1], color=palette.quiet, linewidth=1, linestyle=":", label="as stated")
    ends = [[getattr(bucket, end) for bucket in buckets] for end in ("expected_low", "expected_high")]
    axes.fill_between(x, *ends, color=palette.band, linewidth=0, label="where calibrated scores would fall (95 %)")
    for mask, colour, marker, said in (
        (inside, palette.series[0], "o", "within it"),
        (~inside, palette.series[1], "X", "outside it"),
    ):
        if mask.any():
            bars = {"yerr": [(y - low)[mask], (high - y)[mask]], "elinewidth": 1, "linestyle": "none"}
            axes.errorbar(x[mask], y[mask], color=colour, marker=marker, markersize=6.5, label=said, **bars)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)


def _counts(axes: Any, buckets: Sequence[Bucket], palette: Palette) -> None:
    counts = [bucket.n for bucket in buckets]
    wide = [0.94 * (bucket.high - bucket.low) for bucket in buckets]
    axes.bar([bucket.low for bucket in buckets], counts, width=wide, align="edge", color=palette.quiet)
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.35 * max(counts)))
    for bucket, width in zip(buckets, wide, strict=True):
        if bucket.n:
            look = {"ha": "center", "va": "bottom", "fontsize": 6.5, "color": palette.ink}
            axes.text(bucket.low + width / 2, bucket.n, f"{bucket.n}", **look)
