"""How wrong what is routed is, against how much of it there is. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from interlock.core.measurement import Measurement
from interlock.measure.plots.style import Palette, Picture, counted, dress, empty, name


class Point(Protocol):
    """What one bound brings."""

    @property
    def threshold(self) -> float:
        """Return the bound."""

    @property
    def precision(self) -> Measurement:
        """Return the share of routed rows that is right."""

    @property
    def coverage(self) -> Measurement:
        """Return the share of rows that is routed; its n counts the rows."""


def risk_picture(
    points: Sequence[Point], *, at: Mapping[str, float], beside: Mapping[str, Sequence[Point]] | None = None
) -> Picture:
    """Return the share of wrong ones among routed rows over the share routed (El-Yaniv and Wiener 2010).

    Args:
        points: by rising bound.
        at: name -> a bound to mark with a dot.
        beside: name -> what another order of the same rows brings, as a line of its own.
    """
    known = [point for point in points if point.precision.known]
    if not known:
        return empty("no row is routed at any bound")
    known = sorted(known, key=lambda point: point.coverage.value)
    x = np.array([point.coverage.value for point in known])
    risk, low, high = (
        1 - np.array([getattr(point.precision, end) for point in known]) for end in ("value", "high", "low")
    )

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        axes.fill_between(x, low, high, color=palette.series[0], alpha=0.22, linewidth=0)
        axes.plot(x, risk, color=palette.series[0], linewidth=1.7)
        for other, color in zip((beside or {}).items(), palette.series[2:], strict=False):
            line = sorted((point for point in other[1] if point.precision.known), key=lambda one: one.coverage.value)
            risks = [1 - point.precision.value for point in line]
            axes.plot([point.coverage.value for point in line], risks, "--", color=color, linewidth=1.4, label=other[0])
        if beside:
            axes.legend(fontsize=8, frameon=False, labelcolor=palette.ink)
        for said, bound in at.items():
            place = next((i for i, point in enumerate(known) if point.threshold == bound), None)
            if place is not None:
                axes.plot(x[place], risk[place], "o", color=palette.series[1], markersize=6)
                offset = {"xytext": (-6, 8), "textcoords": "offset points", "ha": "right"}
                axes.annotate(f"{said} {bound:g}", (x[place], risk[place]), fontsize=8, color=palette.ink, **offset)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, None)
        said = f"{counted(known[0].coverage.n)}; band: 95 % intervals"
        name(axes, palette, title=said, x="share routed", y="wrong, of those routed")
        dress(figure, palette)

    return Picture((6.4, 4.0), draw)
