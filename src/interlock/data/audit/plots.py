"""Pictures of an audit: rows of each label, tokens, doubtful labels, shares by month. Knows no page and no files."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from interlock.data.audit.months import months
from interlock.data.audit.pieces import token_counts
from interlock.data.audit.subject import Subject
from interlock.measure.plots.style import LINES, Palette, Picture, dress, legend, log_scale, marks, name, plain

BARS = 30  # labels shown
BINS = 60
FOLLOWED = 6  # labels followed over time
WIDE = 7.0


def plots(subject: Subject) -> dict[str, Picture]:
    """Return title -> picture."""
    found = {"Training rows of each label": _labels(subject), "Tokens of a message": _tokens(subject)}
    if subject.held_out.learnt:
        found["Held-out probability of the given label"] = _doubt(subject)
    if len(months(subject)) > 1:
        found["Label shares by month"] = _shares(subject)
    return found


def _labels(subject: Subject) -> Picture:
    counts = sorted(subject.counts.items(), key=lambda item: (-item[1], item[0]))
    shown = counts if len(counts) <= BARS else [*counts[: BARS // 2], *counts[-BARS // 2 :]]

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        axes.barh(range(len(shown)), [count for _, count in shown], color=palette.series[0])
        axes.set_yticks(range(len(shown)), [plain(label) for label, _ in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        whole = shown == counts
        name(axes, palette, x="rows" if whole else f"rows (largest and smallest {BARS // 2} of {len(counts)})")
        dress(figure, palette)

    return Picture((WIDE, 1.0 + 0.2 * len(shown)), draw)


def _tokens(subject: Subject) -> Picture:
    counts = token_counts([row.text for row in subject.rows], tokenizer=subject.tokenizer)
    limit = subject.contract.input.max_tokens
    most = int(min(counts.max(), 2 * limit))
    step = most // BINS + 1  # whole tokens, or some bars would count one length more than others

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        bins = np.arange(0, most + 2 * step, step) - 0.5
        axes.hist(np.minimum(counts, most), bins=bins, color=palette.series[0])
        marks(axes, {"limit": limit}, palette)
        name(axes, palette, x="tokens, " + ("counted" if subject.tokenizer else "estimated"), y="messages")
        dress(figure, palette)

    return Picture((WIDE, 3.0), draw)


def _doubt(subject: Subject) -> Picture:
    found = subject.held_out
    rows = np.flatnonzero(found.given >= 0)
    given = found.probabilities[rows, found.given[rows]]

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        axes.hist(given, bins=50, range=(0, 1), color=palette.series[0])
        log_scale(axes)
        axes.set_ylim(0.6, None)
        name(axes, palette, x="probability of the given label by a model that never saw the row", y="rows (log scale)")
        dress(figure, palette)

    return Picture((WIDE, 3.0), draw)


def _shares(subject: Subject) -> Picture:
    by_month = months(subject)
    names = sorted(by_month)
    counts = [Counter(subject.rows[at].label for at in by_month[month]) for month in names]
    shares = {label: [c[label] / c.total() for c in counts] for label in subject.labels}
    moved = sorted(shares, key=lambda label: -float(np.ptp(shares[label])))[:FOLLOWED]

    def draw(figure: Any, palette: Palette) -> None:
        axes = figure.subplots()
        for label, values in shares.items():
            if label not in moved:
                axes.plot(values, color=palette.band, linewidth=1)
        for number, label in enumerate(moved):
            look = {"color": palette.series[number], "linestyle": LINES[number], "linewidth": 1.6}
            axes.plot(shares[label], label=plain(label), **look)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        name(axes, palette, y="share")
        legend(figure, palette, columns=3)
        dress(figure, palette)

    return Picture((WIDE, 3.6), draw)
