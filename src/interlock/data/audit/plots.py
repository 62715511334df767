"""Pictures of an audit as SVG text. Knows no page."""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import Any

import numpy as np

from interlock.core.errors import require
from interlock.data.audit.months import months
from interlock.data.audit.pieces import token_counts
from interlock.data.audit.subject import Subject

BARS = 30  # labels shown
BINS = 60
LINES = 6  # labels followed over time
INK, ACCENT, SOFT = "#1f2933", "#2b6cb0", "#cbd5e0"


def plots(subject: Subject) -> dict[str, str]:
    """Return title -> SVG: rows of each label, tokens, doubtful labels, shares by month."""
    require("The audit's page", extra="train", modules=["matplotlib"])
    found = {"Training rows of each label": _labels(subject), "Tokens of a message": _tokens(subject)}
    if subject.held_out.learnt:
        found["Held-out probability of the given label"] = _doubt(subject)
    if len(months(subject)) > 1:
        found["Label shares by month"] = _shares(subject)
    return found


def _figure(height: float = 3.0) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8)
    return figure, axes


def _svg(figure: Any) -> str:
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "interlock", "svg.fonttype": "path"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    whole = out.getvalue()
    svg = whole[whole.index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)  # it names addresses of vocabularies


def _plain(text: str) -> str:
    """Return a label as matplotlib may draw it: no mathematics, no characters its font lacks."""
    shown = "".join(char if " " <= char < "\u0250" else "?" for char in text)
    return shown[:28].replace("$", r"\$")


def _labels(subject: Subject) -> str:
    counts = sorted(subject.counts.items(), key=lambda item: (-item[1], item[0]))
    shown = counts if len(counts) <= BARS else [*counts[: BARS // 2], *counts[-BARS // 2 :]]
    figure, axes = _figure(1.0 + 0.2 * len(shown))
    places = np.arange(len(shown))
    axes.barh(places, [count for _, count in shown], color=ACCENT)
    axes.set_yticks(places, [_plain(label) for label, _ in shown])
    axes.invert_yaxis()
    axes.set_xlabel(
        "rows" if shown == counts else f"rows (largest and smallest {BARS // 2} of {len(counts)})", fontsize=8
    )
    return _svg(figure)


def _tokens(subject: Subject) -> str:
    counts = token_counts([row.text for row in subject.rows], tokenizer=subject.tokenizer)
    limit = subject.contract.input.max_tokens
    figure, axes = _figure()
    most = int(min(counts.max(), 2 * limit))
    step = most // BINS + 1  # whole tokens, or some bars would count one length more than others
    axes.hist(np.minimum(counts, most), bins=np.arange(0, most + 2 * step, step) - 0.5, color=ACCENT)
    axes.axvline(limit, color=INK, linestyle="--", linewidth=1)
    axes.annotate(f" limit {limit}", (limit, axes.get_ylim()[1]), va="top", fontsize=8, color=INK)
    axes.set_xlabel("tokens, " + ("counted" if subject.tokenizer else "estimated"), fontsize=8)
    axes.set_ylabel("messages", fontsize=8)
    return _svg(figure)


def _doubt(subject: Subject) -> str:
    found = subject.held_out
    rows = np.flatnonzero(found.given >= 0)
    figure, axes = _figure()
    axes.hist(found.probabilities[rows, found.given[rows]], bins=50, range=(0, 1), color=ACCENT)
    axes.set_yscale("log")
    axes.set_xlabel("probability of the given label by a model that never saw the row", fontsize=8)
    axes.set_ylabel("rows", fontsize=8)
    return _svg(figure)


def _shares(subject: Subject) -> str:
    by_month = months(subject)
    names = sorted(by_month)
    counts = [Counter(subject.rows[at].label for at in by_month[name]) for name in names]
    shares = {label: [c[label] / c.total() for c in counts] for label in subject.labels}
    moved = sorted(shares, key=lambda label: -float(np.ptp(shares[label])))[:LINES]
    figure, axes = _figure()
    for label, values in shares.items():
        if label not in moved:
            axes.plot(values, color=SOFT, linewidth=1)
    for label in moved:
        axes.plot(shares[label], linewidth=1.6, label=_plain(label))
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_ylabel("share", fontsize=8)
    axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return _svg(figure)
