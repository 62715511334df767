"""Dropout whose masks depend on the seed and the step alone, and are quick to draw. Knows no data.

torch draws a mask one number at a time, on one core: 14 % of a training step of a small encoder. 16 bits a value are
enough for a probability, and a counter-based start (SFC64 seeded by seed and step) lets an interrupted run go on with
the very masks an uninterrupted one would have drawn.
"""

from __future__ import annotations

import numpy as np
import torch

VALUES = 2**16


class Noise:
    """Random 16-bit values, started anew at every step."""

    def __init__(self, seed: int) -> None:
        """Start before the first step."""
        self._seed = seed
        self.start(0)

    def start(self, step: int) -> None:
        """Make everything drawn from here on depend on the seed and ``step`` alone."""
        self._bits = np.random.SFC64([self._seed, step])
        torch.manual_seed(self._seed * 1_000_003 + step)  # what the encoder drops inside its attention

    def draw(self, shape: torch.Size) -> torch.Tensor:
        """Return int16 values of ``shape``, uniform over all of them."""
        count = shape.numel()
        words = self._bits.random_raw(-(-count // 4))
        return torch.from_numpy(words.view(np.int16)[:count]).view(shape)


class SeededDropout(torch.nn.Module):
    """Sets a share ``p`` of values to 0 while training, and scales up the others (Srivastava et al. 2014)."""

    def __init__(self, p: float, noise: Noise) -> None:
        """Draw masks from ``noise``; ``p`` is rounded to 1/65,536."""
        super().__init__()
        self.p = p  # what the attention of some encoders reads
        self.least = round(p * VALUES) - VALUES // 2
        self.scale = VALUES / max(1, VALUES // 2 - self.least)
        self.noise = noise

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of the same shape."""
        if not self.training or self.least == -VALUES // 2:
            return values
        mask = self.noise.draw(values.shape) >= self.least
        return values * mask.to(values.dtype).mul_(self.scale)


def seed_dropout(model: torch.nn.Module, noise: Noise) -> None:
    """Replace every dropout layer of ``model``, one that was replaced before too."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Dropout | SeededDropout):
                setattr(module, name, SeededDropout(child.p, noise))
