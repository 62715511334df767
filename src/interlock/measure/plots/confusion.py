"""Which labels are taken for which, as a matrix that stays readable. Knows no files and no drawing library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from interlock.measure.plots.style import Palette, Picture, counted, dress, empty, name, plain
from interlock.measure.proportion import proportion

LETTER = 0.075  # inches
MOST = 20  # labels shown; beyond, the most confused block stands for the rest

Counts = npt.NDArray[np.int64]


def confusion_picture(counts: Counts, labels: Sequence[str]) -> Picture:
    """Return a confusion matrix: right decisions in one colour, errors in another, recall with interval at the right.

    Of more than 20 labels the most confused block is shown, neighbours being confused with each other, and one row and
    one column take all other labels together.

    Args:
        counts: ``(k labels, k labels)``, gold by row, predicted by column.
        labels: the k names.
    """
    rows, errors = int(counts.sum()), int(counts.sum() - np.trace(counts))
    if not rows:
        return empty("no rows to confuse labels on")
    kept = block(counts, most=MOST) if len(labels) > MOST else list(range(len(labels)))
    shown = _gathered(counts, kept)
    names = [plain(labels[column]) for column in kept]
    title = f"{counted(rows)}, {errors:,} errors"
    if len(kept) < len(labels):
        inside = int(shown[:-1, :-1].sum() - np.trace(shown[:-1, :-1]))
        title += f"\nthe {len(kept)} most confused of {len(labels)} labels; {inside:,} of the errors lie among them"
        names.append(f"{len(labels) - len(kept)} other labels")
    recalls = [_recall(counts, column) for column in kept]
    letters = LETTER * max(map(len, names))

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        colours = _colours(shown, palette, others=len(kept) < len(labels))
        axes.imshow(colours, aspect="auto", interpolation="nearest")
        for (row, column), count in np.ndenumerate(shown):
            if count:
                look = {"ha": "center", "va": "center", "fontsize": 7}
                axes.text(column, row, f"{count}", color=_readable(colours[row, column]), **look)
        for row, words in enumerate(recalls):
            axes.text(len(names) - 0.35, row, words, va="center", fontsize=7, color=palette.ink)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        name(axes, palette, title=title, x="decided", y="gold label")
        heading = {"fontsize": 7, "color": palette.quiet, "va": "bottom"}
        axes.text(len(names) - 0.35, -0.55, "recall (95 % interval), rows", **heading)
        dress(figure, palette)

    return Picture((2.8 + letters + 0.32 * len(names), 1.2 + letters + 0.27 * len(names)), draw)


def block(counts: Counts, *, most: int) -> list[int]:
    """Return up to ``most`` columns, those of the most confused pairs, each beside one it is confused with.

    Labels that are never confused are not taken, unless there is no error at all.
    """
    both = np.triu(counts + counts.T, 1)
    pairs = np.argwhere(both > 0)
    taken: dict[int, None] = {}
    for pair in pairs[np.argsort(-both[tuple(pairs.T)], kind="stable")].tolist():
        if len(taken.keys() | set(pair)) <= most:
            taken |= dict.fromkeys(pair)
    return _chained(list(taken), both + both.T) if taken else list(range(min(most, len(counts))))


def _chained(columns: list[int], both: Counts) -> list[int]:
    """Order columns so that each follows the ones it has most errors with; where none is left, a new chain starts."""
    chain, free = [columns[0]], columns[1:]
    while free:
        ties = both[np.ix_(free, chain)] @ 0.5 ** np.arange(len(chain))[::-1]  # near ones count most
        chain.append(free.pop(int(ties.argmax())))
    return chain


def _gathered(counts: Counts, kept: list[int]) -> Counts:
    """Return the kept labels' counts, with all others in one last row and column where there are any."""
    rest = np.setdiff1d(np.arange(len(counts)), kept)
    if not rest.size:
        return counts[np.ix_(kept, kept)]
    wide = np.hstack([counts[:, kept], counts[:, rest].sum(axis=1, keepdims=True)])
    return np.vstack([wide[kept], wide[rest].sum(axis=0, keepdims=True)])


def _recall(counts: Counts, column: int) -> str:
    found = proportion("recall", int(counts[column, column]), int(counts[column].sum()))
    if not found.n:
        return "no rows"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f}), {found.n}"


def _colours(shown: Counts, palette: Palette, *, others: bool) -> npt.NDArray[np.float64]:
    """Return ``(k, k, 3)`` colours: a cell's shade is its part of its row; all other labels together stay pale."""
    ground, right, wrong, band = (_rgb(c) for c in (palette.ground, *palette.series[:2], palette.band))
    share = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    shade = np.where(shown > 0, 0.12 + 0.88 * np.sqrt(share), 0.0)[..., None]
    tint = np.where(np.eye(len(shown), dtype=bool)[..., None], right, wrong)
    colours = ground + shade * (tint - ground)
    if others:
        colours[-1, :] = colours[:, -1] = band
    return np.asarray(colours)


def _readable(cell: npt.NDArray[np.float64]) -> str:
    """Return black or white ink, whichever stands out more from the cell (relative luminance, WCAG 2.2)."""
    linear = np.where(cell <= 0.04045, cell / 12.92, ((cell + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - sRGB
    bright = float(linear @ [0.2126, 0.7152, 0.0722])
    return "#000000" if (bright + 0.05) ** 2 > 0.0525 else "#ffffff"  # noqa: PLR2004 - sqrt(1.05 * 0.05) squared


def _rgb(colour: str) -> npt.NDArray[np.float64]:
    return np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
