"""What a threshold costs and brings. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from interlock.core.measurement import Measurement
from interlock.measure.plots.style import Palette, Picture, counted, dress, empty, legend, line, marks, name


class Point(Protocol):
    """What one threshold brings."""

    @property
    def threshold(self) -> float:
        """Return the threshold, 0-1."""

    @property
    def shares(self) -> Mapping[str, Measurement]:
        """Return name -> share, the same names at every threshold; the first one's n counts the rows."""

    @property
    def cost(self) -> Measurement:
        """Return the cost of a message."""


def tradeoff_picture(points: Sequence[Point], *, at: Mapping[str, float], unit: str) -> Picture:
    """Return recall, review load and the like over the threshold, and the cost below, all in their intervals' bands.

    Args:
        points: by rising threshold.
        at: name -> a threshold to mark, such as the contract's.
        unit: what the cost is counted in.
    """
    if not any(point.cost.known for point in points):
        return empty("no rows to try thresholds on")
    x = [point.threshold for point in points]

    def draw(figure: Any, palette: Palette) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2, 1]})
        for number, said in enumerate(points[0].shares):
            line(upper, x, [point.shares[said] for point in points], number, palette, said=said)
        line(lower, x, [point.cost for point in points], len(points[0].shares), palette, said="cost")
        upper.set_xlim(0, 1)
        upper.set_ylim(-0.02, 1.02)
        upper.set_yticks([step / 5 for step in range(6)])
        lower.set_ylim(0, None)
        marks(upper, at, palette)
        for place in at.values():
            lower.axvline(place, color=palette.ink, linewidth=1, linestyle=(0, (4, 2)))
        name(upper, palette, title=f"{counted(points[0].cost.n)}; bands: 95 % intervals", y="share")
        name(lower, palette, x="threshold", y=unit)
        legend(figure, palette, columns=4)
        dress(figure, palette)

    return Picture((7.2, 5.4), draw)
