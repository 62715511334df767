"""Pictures to files: the only place that loads the drawing library. The same picture gives the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interlock.core.errors import require
from interlock.measure.plots.style import PALETTES, Picture, Style

MARKS: dict[Style, str] = {"light": "", "dark": ".dark"}
DOTS = 130  # of a PNG, per inch
NAMELESS = {"Date": None, "Creator": None}  # of an SVG, so that the same picture gives the same bytes


def save(folder: Path, pictures: Mapping[str, Picture]) -> list[Path]:
    """Write each picture as ``NAME.svg`` and ``NAME.png``, and for dark pages ``NAME.dark.svg`` and ``NAME.dark.png``.

    Raises:
        MissingExtraError: the drawing library is not installed; nothing was written.
    """
    require("Pictures", extra="train", modules=["matplotlib"])
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, picture in pictures.items():
        for style, mark in MARKS.items():
            with _drawn(picture, style) as figure:
                stem = folder / f"{name}{mark}"
                figure.savefig(f"{stem}.svg", format="svg", metadata=NAMELESS)
                figure.set_layout_engine("none")  # what was laid out once stays there
                figure.savefig(f"{stem}.png", format="png", dpi=DOTS)
                written += [Path(f"{stem}.svg"), Path(f"{stem}.png")]
    return written


def svg(picture: Picture) -> str:
    """Return a picture as an SVG element to put into a light page.

    Raises:
        MissingExtraError: the drawing library is not installed.
    """
    require("Pictures", extra="train", modules=["matplotlib"])
    out = io.StringIO()
    with _drawn(picture, "light") as figure:
        figure.savefig(out, format="svg", metadata=NAMELESS)
    whole = out.getvalue()
    return re.sub(r"<metadata>.*?</metadata>", "", whole[whole.index("<svg") :], flags=re.DOTALL)  # it names addresses


@contextmanager
def _drawn(picture: Picture, style: Style) -> Iterator[Any]:
    """Draw with the library's own defaults, whatever a machine's settings say."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({**mpl.rcParamsDefault, "svg.hashsalt": "interlock", "svg.fonttype": "path"}):
        figure = Figure(figsize=picture.size, layout="constrained")
        FigureCanvasAgg(figure)
        picture.draw(figure, PALETTES[style])
        yield figure
