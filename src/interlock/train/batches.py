"""Training rows to batches of similar length. Knows token ids, not models."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import torch

WINDOW = 20  # batches whose rows are sorted by length together: short padding, yet every epoch another mix
LENGTH_STEP = 4  # lengths are rounded up to this, so that shapes repeat and their kernels are built once


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
    ids = torch.full((len(rows), width), pad_id, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row, dtype=torch.long)
        mask[i, : len(row)] = 1
    return ids, mask
