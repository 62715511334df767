"""What the rows of a few batches are like, for the step log. Knows no model and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from interlock.train.rows import Rows

PERCENTILES = (50, 90, 99)
LANGUAGES = 8  # named in a line; the rest is "other"
TRUNCATED = 0.03  # share of rows cut at the token limit from which it, or the data, needs a look
COLLAPSED = 0.5  # share of the training rows' label entropy below which batches no longer stand for them
ENOUGH = 64  # rows from which shares are worth a warning


def quality(rows: Rows, seen: Sequence[int], losses: torch.Tensor) -> dict[str, Any]:
    """Describe the rows that were trained on since the last line.

    Args:
        rows: all training rows.
        seen: the numbers of those trained on.
        losses: their losses as minimised, ``(len(seen),)``; class weights, focus and row weights included.

    Returns:
        ``mean_tokens``, ``truncated_share`` (0-1), ``label_entropy`` (nats, of the mean target shares),
        ``loss_p50``, ``loss_p90``, ``loss_p99``, and ``languages``: language -> share.
    """
    points = torch.quantile(losses.double().cpu(), torch.tensor(PERCENTILES, dtype=torch.float64) / 100)
    return {
        "mean_tokens": sum(len(rows.ids[row]) for row in seen) / len(seen),
        "truncated_share": sum(rows.truncated[row] for row in seen) / len(seen),
        "label_entropy": entropy(rows.targets[list(seen)]),
        **{f"loss_p{share}": float(point) for share, point in zip(PERCENTILES, points, strict=True)},
        "languages": _shares([rows.languages[row] for row in seen]),
    }


def entropy(targets: torch.Tensor) -> float:
    """Return the entropy in nats of the mean of ``targets`` (n, k): 0 for one label, ln k for k equal ones."""
    shares = targets.double().mean(dim=0)
    return float(torch.special.entr(shares).sum())


def concerns(line: dict[str, Any], *, n: int, whole: float, k: int) -> Iterator[tuple[str, str, str]]:
    """Yield the code of what looks wrong in a line, what was seen, and what to do about it.

    Args:
        line: what ``quality`` returned of n rows.
        n: how many rows it describes.
        whole: the label entropy of all training rows, in nats.
        k: the number of labels. A sample's entropy is too small by about (k - 1) / 2n (Miller 1955), allowed for.
    """
    if n < ENOUGH:
        return
    if line["truncated_share"] > TRUNCATED:
        cut = f"{line['truncated_share']:.1%} of the last {n} rows are cut at the token limit"
        yield "batch.truncated", cut, "raise input.max_tokens or shorten these rows; training goes on"
    if line["label_entropy"] + (k - 1) / (2 * n) < COLLAPSED * whole:
        seen = f"the last {n} rows have a label entropy of {line['label_entropy']:.2f} nats, all rows {whole:.2f}"
        yield "batch.labels", seen, "look at the order of the rows; training goes on"


def _shares(languages: Sequence[str]) -> dict[str, float]:
    counts = Counter(languages)
    named = sorted(counts, key=lambda one: (-counts[one], one))[:LANGUAGES]
    shares = {one: counts[one] / len(languages) for one in named}
    rest = len(languages) - sum(counts[one] for one in named)
    return shares | ({"other": rest / len(languages)} if rest else {})
