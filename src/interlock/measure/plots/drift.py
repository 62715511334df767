"""How far each window is from the reference, beside what chance alone would do. Knows no drawing library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from interlock.measure.drift import Distance, Drift
from interlock.measure.plots.style import Palette, Picture, dress, empty, legend, name, plain

NAMES: dict[Distance, str] = {
    "kl": "KL divergence, nats",
    "js": "Jensen-Shannon divergence, nats",
    "psi": "population stability index",
}
TICKS = 14  # windows named on the axis


def drift_picture(windows: Mapping[str, Drift], *, distance: Distance = "psi") -> Picture:
    """Return the distance of each window, its bias taken off, with its interval, over the band that chance explains.

    Args:
        windows: name -> drift, in order of time; those without rows leave a gap.
        distance: which distance.
    """
    found = [getattr(drift, distance) for drift in windows.values()]
    if not any(measured.known for measured in found):
        return empty("no window has rows to compare with the reference")

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        x = np.arange(len(found))
        value, low, high = (np.array([getattr(m, end) for m in found]) for end in ("value", "low", "high"))
        limit = np.array([_limit(drift, distance) for drift in windows.values()])
        axes.axhline(0, color=palette.quiet, linewidth=0.8)
        band = "what chance exceeds in one window of 20"
        axes.fill_between(x, 0, limit, color=palette.band, linewidth=0, step="mid", label=band)
        axes.plot(x, value, color=palette.quiet, linewidth=0.9)
        for mask, colour, marker, said in (
            (value <= limit, palette.series[0], "o", "within"),
            (value > limit, palette.series[1], "X", "beyond it"),
        ):
            if mask.any():
                bars = {"yerr": [(value - low)[mask], (high - value)[mask]], "elinewidth": 1, "linestyle": "none"}
                axes.errorbar(x[mask], value[mask], color=colour, marker=marker, markersize=6.5, label=said, **bars)
        every = -(-len(found) // TICKS)
        ticks = [f"{plain(said)}\nn = {one.n:,}" for said, one in zip(windows, found, strict=True)]
        axes.set_xticks(x[::every], ticks[::every], rotation=45, ha="right", rotation_mode="anchor")
        axes.set_xlim(-0.5, len(found) - 0.5)
        name(axes, palette, title=f"{NAMES[distance]}, bias taken off (bars: 95 % interval)", y=distance)
        legend(figure, palette)
        dress(figure, palette)

    return Picture((8.2, 4.2), draw)


def _limit(drift: Drift, distance: Distance) -> float:
    """Return the most that chance makes of the distance once its bias is taken off."""
    if not drift.limits:
        return float("nan")
    return drift.limits[distance] - drift.bias[distance]
