"""What rows with several annotators say of their agreement, as lines of a page. Knows no formula."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from interlock.core.dataset import Dataset, Example
from interlock.core.measurement import Measurement
from interlock.data.cards.markdown import name, table
from interlock.measure.agreement import MISSING, NO_OVERLAP, ONE_LABEL, Agreement, agreement, cohen_kappa

Ints = npt.NDArray[np.int64]
WORST = 20  # labels shown, those least agreed on
PAIRS = 10  # pairs of annotators shown, those with most rows in common
RESAMPLES = 1000  # behind an interval: a page is read to two digits
SCALE = (
    "Of labels given independently; 1 is full agreement, 0 what chance alone would give (observed agreement is a plain "
    "share). Intervals are 95 %, by bootstrap over rows."
)
SAID = {
    "observed_agreement": "observed agreement",
    "fleiss_kappa": "Fleiss' kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
}


def agreement_lines(rows: Dataset, labels: Sequence[str], *, detailed: bool = True) -> list[str]:
    """Return the section on annotator agreement, with pairs and labels if ``detailed``; nothing without annotations."""
    annotated = sorted((row for row in rows if row.annotations), key=lambda row: (row.id, row.text))
    if not annotated:
        return []
    found = agreement(_ratings(annotated, labels), labels=labels, resamples=RESAMPLES)
    lines = [
        SCALE,
        "",
        *table(["measure", "value", "95 % interval", "rows"], [_line(SAID[key], found, key) for key in SAID]),
        "",
    ]
    return [*lines, *_pairs(annotated, labels), *_labels(found, labels)] if detailed else lines


def _ratings(rows: Sequence[Example], labels: Sequence[str]) -> Ints:
    """Return each row's labels side by side, (n, most ratings of a row): here who gave them does not matter."""
    column = {label: at for at, label in enumerate(labels)}
    out = np.full((len(rows), max(len(row.annotations) for row in rows)), MISSING, dtype=np.int64)
    for at, row in enumerate(rows):
        for place, (_, label) in enumerate(row.annotations):
            out[at, place] = column[label]
    return out


def _pairs(rows: Sequence[Example], labels: Sequence[str]) -> list[str]:
    """Return Cohen's kappa of the pairs with most rows in common; annotators are numbered, as names are personal."""
    number = {who: at for at, who in enumerate(sorted({who for row in rows for who, _ in row.annotations}), start=1)}
    shared: Counter[tuple[str, str]] = Counter()
    for row in rows:
        shared.update(combinations([who for who, _ in row.annotations], 2))
    if not shared:
        return []
    best = sorted(shared, key=lambda pair: (-shared[pair], pair))[:PAIRS]
    column = {label: at for at, label in enumerate(labels)}
    said = [dict(row.annotations) for row in rows]
    cells = []
    for one, other in best:
        first, second = (
            np.array([column[row[who]] if who in row else MISSING for row in said]) for who in (one, other)
        )
        kappa = cohen_kappa(first, second, k=len(labels), resamples=RESAMPLES)
        cells.append([f"{number[one]} and {number[other]}", *_cells(kappa, NO_OVERLAP if not kappa.n else ONE_LABEL)])
    of_all = f"{len(number)} annotators, numbered; {len(best)} of {len(shared)} pairs"
    return [
        f"Cohen's kappa of annotators who labelled the same rows ({of_all}).",
        "",
        *table(["annotators", "value", "95 % interval", "rows"], cells),
        "",
    ]


def _labels(found: Agreement, labels: Sequence[str]) -> list[str]:
    seen = [label for label in labels if not math.isnan(found.measurements[f"agreement.{label}"].value)]
    worst = sorted(seen, key=lambda label: (found.measurements[f"agreement.{label}"].value, label))[:WORST]
    if not worst:
        return []
    return [
        "Given that one annotator says the label, how probably another does too"
        + (f" (the {WORST} least agreed on of {len(seen)})." if len(seen) > WORST else "."),
        "",
        *table(
            ["label", "value", "95 % interval", "rows"],
            [_line(name(label), found, f"agreement.{label}") for label in worst],
        ),
        "",
    ]


def _line(said: str, found: Agreement, key: str) -> list[str]:
    return [said, *_cells(found.measurements[key], found.reasons.get(key, ""))]


def _cells(found: Measurement, reason: str) -> list[str]:
    if math.isnan(found.value):
        return [f"not known: {reason}", "", str(found.n)]
    bounds = f"{found.low:.3f} to {found.high:.3f}" if found.known else "not known: too few rows"
    return [f"{found.value:.3f}", bounds, str(found.n)]
