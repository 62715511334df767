"""What all pictures share: colours, letters, the picture that says it has nothing to show. Knows no drawing library.

Colours are Okabe and Ito's (2008), told apart with every common colour blindness, without the ones too pale for the
ground; each stands out from its ground at 3 to 1 or more, text at 4.5 to 1 (WCAG 2.2). Series also differ in marker or
line, so that nothing is said by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement

Style = Literal["light", "dark"]
MARKERS = "osD^vP"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
LONGEST = 40  # characters of a label shown
HEADROOM = 0.06  # of a panel's height for one name above it
HALF = 0.5
LAST_DRAWN = "\u0250"  # letters from here on are not in every font


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one style."""

    ground: str
    ink: str  # text
    quiet: str  # lines and text that stand back
    band: str  # areas
    series: tuple[str, ...]


PALETTES: dict[Style, Palette] = {
    "light": Palette(
        "#ffffff", "#1f2933", "#5b6875", "#d3dae2", ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#6b4e00", "#111111")
    ),
    "dark": Palette(
        "#14181d", "#e8ecf0", "#9aa7b4", "#39424d", ("#56b4e9", "#e8711f", "#009e73", "#e39bc4", "#f0e442", "#ffffff")
    ),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """Something to draw: how large, in inches, and how, on an empty matplotlib figure in the colours given."""

    size: tuple[float, float]
    draw: Callable[[Any, Palette], None]


def empty(words: str) -> Picture:
    """Return the picture that says there is nothing to show."""

    def draw(figure: Any, palette: Palette) -> None:
        figure.set_facecolor(palette.ground)
        said = {"ha": "center", "va": "center", "fontsize": 10, "color": palette.quiet}
        figure.text(0.5, 0.5, words, **said)

    return Picture((6.4, 2.0), draw)


def plain(text: str) -> str:
    """Return a label as a picture may show it: short, no mathematics, no characters that fonts lack."""
    shown = "".join(char if char.isprintable() and char < LAST_DRAWN else "?" for char in text)
    short = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
    return short.replace("$", r"\$")


def dress(figure: Any, palette: Palette) -> None:
    """Give a drawn figure its ground, spines and tick colours."""
    figure.set_facecolor(palette.ground)
    for axes in figure.axes:
        axes.set_facecolor(palette.ground)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(palette.quiet)
        axes.tick_params(colors=palette.ink, labelsize=8, which="both")


def name(axes: Any, palette: Palette, *, title: str = "", x: str = "", y: str = "") -> None:
    """Write a panel's title and what its axes measure."""
    if title:
        axes.set_title(title, fontsize=10, color=palette.ink, loc="left")
    if x:
        axes.set_xlabel(x, fontsize=9, color=palette.ink)
    if y:
        axes.set_ylabel(y, fontsize=9, color=palette.ink)


def legend(figure: Any, palette: Palette, *, columns: int = 4) -> None:
    """Put one legend below all panels, every name once."""
    named: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, said in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(said, handle)
    look = {"frameon": False, "labelcolor": palette.ink, "fontsize": 8, "loc": "outside lower center"}
    figure.legend(list(named.values()), list(named), ncols=min(columns, len(named)), **look)


def line(axes: Any, x: npt.ArrayLike, found: list[Measurement], number: int, palette: Palette, *, said: str) -> None:
    """Draw measurements over ``(n,)`` places as a line in its interval's band; what is not known leaves a gap."""
    colour = palette.series[number % len(palette.series)]
    ends = {end: np.array([getattr(one, end) for one in found], dtype=np.float64) for end in ("value", "low", "high")}
    axes.fill_between(x, ends["low"], ends["high"], color=colour, alpha=0.22, linewidth=0)
    axes.plot(x, ends["value"], color=colour, linewidth=1.7, linestyle=LINES[number % len(LINES)], label=said)


def marks(axes: Any, at: Mapping[str, float], palette: Palette) -> None:
    """Draw named vertical lines, such as a contract's thresholds; the names stand in room made above what is drawn."""
    if at:
        low, high = axes.get_ylim()
        room = HEADROOM * len(at)
        top = high * (high / low) ** room if axes.get_yscale() == "log" else high + room * (high - low)
        axes.set_ylim(low, top)
    for number, (said, x) in enumerate(sorted(at.items(), key=lambda item: item[1])):
        axes.axvline(x, color=palette.ink, linewidth=1, linestyle=(0, (4, 2)))
        place = {"xy": (x, 1), "xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        look = {"fontsize": 7.5, "color": palette.ink, "ha": "right" if x > HALF else "left", "va": "top"}
        axes.annotate(f"{said} {x:g}", xytext=(-3 if x > HALF else 3, -2 - 11 * number), **place, **look)


def log_scale(axes: Any, *, fine: bool = False) -> None:
    """Count upwards in powers of ten, written as plain numbers; ``fine`` writes those between them too."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}" if fine else "")


def counted(n: int, what: str = "rows") -> str:
    """Return ``n = 1,234 rows``."""
    return f"n = {n:,} {what}"
