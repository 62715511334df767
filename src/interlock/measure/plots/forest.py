"""Recall of each label with its interval, worst first. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock.core.measurement import Measurement
from interlock.measure.plots.style import Palette, Picture, dress, empty, legend, name, plain

MOST = 30  # labels shown


def forest_picture(
    recalls: Mapping[str, Measurement], *, floors: Mapping[str, float] | None = None, overall: float | None = None
) -> Picture:
    """Return each label's recall with its interval, the worst on top.

    Args:
        recalls: label -> recall; of more than 30, those with a floor and the worst are shown.
        floors: label -> the recall its interval must support; where it does not, the label is drawn as a cross.
        overall: a share to compare with, such as the recall over all rows.
    """
    known = {label: found for label, found in recalls.items() if found.known}
    if not known:
        return empty("no label has rows to be recalled")
    least = floors or {}
    worst = sorted(known, key=lambda label: (label not in least, known[label].value, known[label].low))[:MOST]
    shown = sorted(worst, key=lambda label: (known[label].value, known[label].low, label))
    whole = len(shown) == len(known)
    title = f"recall of {len(shown)} labels" if whole else f"worst {len(shown)} of {len(recalls)} labels"
    if len(known) < len(recalls):
        title += f", {len(recalls) - len(known)} without rows"

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        for place, label in enumerate(shown):
            _draw_one(axes, place, known[label], least.get(label), palette)
        if overall is not None:
            said = f"all rows together, {overall:.3f}"
            axes.axvline(overall, color=palette.quiet, linewidth=1, linestyle=":", label=said)
        axes.set_yticks(range(len(shown)), [f"{plain(label)}  n = {known[label].n:,}" for label in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(-0.02, 1.02)
        name(axes, palette, title=title, x="recall (bars: 95 % interval)")
        legend(figure, palette, columns=2)
        dress(figure, palette)

    return Picture((7.2, 1.5 + 0.23 * len(shown)), draw)


def _draw_one(axes: Any, place: int, found: Measurement, floor: float | None, palette: Palette) -> None:
    kept = floor is None or found.low >= floor
    colour, marker = (palette.series[0], "o") if kept else (palette.series[1], "X")
    said = "recall" if kept else "recall, not shown to reach its floor"
    bars = {"xerr": [[found.value - found.low], [found.high - found.value]], "elinewidth": 1.2, "linestyle": "none"}
    axes.errorbar([found.value], [place], color=colour, marker=marker, markersize=6.5, label=said, **bars)
    if floor is not None:
        look = {"color": palette.ink, "marker": "|", "markersize": 13, "markeredgewidth": 2, "linestyle": "none"}
        axes.plot([floor], [place], label="floor of the contract", **look)
