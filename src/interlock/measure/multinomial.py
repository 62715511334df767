"""Bootstrap weights, drawn fast: how often each row occurs in a resample. Knows nothing of what is summed with them.

A resample of n rows with replacement gives the rows multinomial(n; 1/n, ..., 1/n) counts. Independent Poisson counts,
given that their total is m, are multinomial(m; 1/n, ...), whatever their rate. So: draw Poisson counts at a rate a
little under one, and let n - m further rows, drawn uniformly, make up the missing. The sum is multinomial(n; 1/n, ...)
for every m up to n, and a total above n is drawn again, which depends on the total alone and so changes no law.
Poisson counts need one random byte each: a byte decides all but the last few 256ths of the law, and the bytes that do
not decide are settled by a double-precision draw from what is left of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MARGIN = 3.0  # standard deviations kept between the mean total and n: about one resample in 740 is drawn again
NEGLIGIBLE = 2.0**-60  # a count rarer than this is never drawn; doubles resolve 2^-53

ByteArray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class RowWeights:
    """Draws the counts of n rows in resamples of n rows with replacement."""

    n: int
    thresholds: ByteArray  # a byte at or above thresholds[j] means a count above j; the last one means undecided
    undecided: npt.NDArray[np.float64]  # cumulative law of the count, given an undecided byte

    @classmethod
    def of(cls, n: int) -> RowWeights:
        """Prepare the tables for ``n`` rows."""
        rate = max(1 - MARGIN / math.sqrt(n), 0.0)
        law = [math.exp(-rate)]
        while law[-1] > NEGLIGIBLE:
            law.append(law[-1] * rate / len(law))
        whole = np.floor(np.array(law) * 256)
        if whole[0] > 255:  # noqa: PLR2004 - rate 0: every byte means a count of 0, and no threshold is reached
            return cls(n, np.empty(0, np.uint8), np.ones(1))
        rest = np.array(law) - whole / 256
        thresholds = np.cumsum(whole)[whole > 0]
        return cls(n, thresholds.astype(np.uint8), np.cumsum(rest) / rest.sum())

    def draw(self, generator: np.random.Generator, *, resamples: int) -> ByteArray:
        """Return ``(resamples, n)`` counts whose rows each sum to n."""
        weights = self._poisson(generator, resamples)
        missing = self.n - weights.sum(axis=1, dtype=np.uint32).astype(np.int64)
        while (over := np.flatnonzero(missing < 0)).size:
            weights[over] = self._poisson(generator, over.size)
            missing[over] = self.n - weights[over].sum(axis=1, dtype=np.int64)
        starts = np.repeat(np.arange(resamples) * self.n, missing)
        np.add.at(weights.reshape(-1), starts + generator.integers(0, self.n, size=starts.size), np.uint8(1))
        return weights

    def _poisson(self, generator: np.random.Generator, resamples: int) -> ByteArray:
        size = resamples * self.n
        counts = np.zeros(size, np.uint8)
        if self.thresholds.size:
            draws = generator.integers(0, 2**64, size=-(-size // 8), dtype=np.uint64).view(np.uint8)[:size]
            above = np.empty(size, np.bool_)
            for threshold in self.thresholds[:-1]:
                np.greater_equal(draws, threshold, out=above)
                counts += above.view(np.uint8)
            at = np.flatnonzero(draws >= self.thresholds[-1])
            counts[at] = np.searchsorted(self.undecided, generator.random(at.size), side="right")
        return counts.reshape(resamples, self.n)
