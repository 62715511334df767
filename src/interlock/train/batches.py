"""Training rows to batches of similar length. Knows token ids, not models."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch

WINDOW = 20  # batches whose rows are sorted by length together: short padding, yet every epoch another mix
LENGTH_STEP = 4  # lengths are rounded up to this, so that shapes repeat and their kernels are built once


def shown_rows(repeats: Sequence[float], *, seed: int) -> list[int]:
    """Return the row numbers one epoch shows: row i floor(repeats[i]) times, and once more for the share left over.

    The rows that are shown once more are drawn by ``seed``, their number is not: every epoch has as many rows.
    """
    shown = [row for row, times in enumerate(repeats) for _ in range(int(times))]
    left: dict[float, list[int]] = {}
    for row, times in enumerate(repeats):
        if times % 1:
            left.setdefault(times % 1, []).append(row)
    chance = random.Random(seed)
    for share, rows in sorted(left.items()):
        shown += chance.sample(rows, round(share * len(rows)))
    return sorted(shown)


def epoch_batches(lengths: Sequence[int], *, batch_size: int, seed: int) -> list[list[int]]:
    """Return one epoch's row numbers in batches of similar length: every row once, the order decided by ``seed``."""
    chance = random.Random(seed)
    order = list(range(len(lengths)))
    chance.shuffle(order)
    batches: list[list[int]] = []
    for start in range(0, len(order), batch_size * WINDOW):
        near = sorted(order[start : start + batch_size * WINDOW], key=lambda row: lengths[row])
        batches += [near[i : i + batch_size] for i in range(0, len(near), batch_size)]
    chance.shuffle(batches)
    return batches


def scoring_batches(lengths: Sequence[int], *, batch_size: int = 128) -> Iterator[list[int]]:
    """Yield every row number once, shortest rows first."""
    order = sorted(range(len(lengths)), key=lambda row: lengths[row])
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and attention mask, both of shape (len(rows), longest row rounded up)."""
    longest = max(len(row) for row in rows)
    width = -(-longest // LENGTH_STEP) * LENGTH_STEP
    ids = np.full((len(rows), width), pad_id, dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    mask = np.arange(width) < np.array([len(row) for row in rows])[:, None]
    return torch.from_numpy(ids), torch.from_numpy(mask.astype(np.int64))
