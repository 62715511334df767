"""Bootstrap weights, drawn fast: how often each row occurs in a resample. Knows nothing of what is summed with them.

A resample of n rows with replacement gives the rows multinomial(n; 1/n, ..., 1/n) counts. Independent Poisson counts,
given that their total is m, are multinomial(m; 1/n, ...), whatever their rate. So: draw Poisson counts at a rate a
little under one, and let n - m further rows, drawn uniformly, make up the missing. The sum is multinomial(n; 1/n, ...)
for every m up to n, and a total above n is drawn again, which depends on the total alone and so changes no law.
Four counts are drawn at once: sixteen random bits index a table of all but the last few 65536ths of their law, and the
bits that do not decide (7 in 1,000) are settled by a double-precision draw from what the table leaves of the law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MARGIN = 3.0  # standard deviations kept between the mean total and n: about one resample in 740 is drawn again
NEGLIGIBLE = 2.0**-75  # four counts rarer than this are never drawn: together they weigh less than a double resolves
TABLE = 1 << 16
FOUR = 4  # counts packed into one 32-bit entry

ByteArray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class RowWeights:
    """Draws the counts of n rows in resamples of n rows with replacement."""

    n: int
    table: npt.NDArray[np.uint32]  # four counts, a byte each, by sixteen random bits
    decided: int  # bits at or above this do not decide
    codes: npt.NDArray[np.uint32]  # every four counts there are
    undecided: npt.NDArray[np.float64]  # cumulative law of ``codes``, given that the bits did not decide

    @classmethod
    def of(cls, n: int) -> RowWeights:
        """Prepare the tables for ``n`` rows."""
        codes, law = _four_counts(max(1 - MARGIN / math.sqrt(n), 0.0))
        whole = np.floor(law * TABLE).astype(np.int64)
        table, decided = np.zeros(TABLE, np.uint32), int(whole.sum())
        table[:decided] = np.repeat(codes, whole)
        rest = np.cumsum(law - whole / TABLE)
        return cls(n, table, decided, codes, rest / max(rest[-1], NEGLIGIBLE))

    def draw(self, generator: np.random.Generator, *, resamples: int) -> ByteArray:
        """Return ``(resamples, n)`` counts whose rows each sum to n."""
        weights = self._poisson(generator, resamples)
        missing = self.n - weights[:, : self.n].sum(axis=1, dtype=np.uint32).astype(np.int64)
        while (over := np.flatnonzero(missing < 0)).size:
            weights[over] = self._poisson(generator, over.size)
            missing[over] = self.n - weights[over, : self.n].sum(axis=1, dtype=np.int64)
        starts = np.repeat(np.arange(resamples) * weights.shape[1], missing)
        np.add.at(weights.reshape(-1), starts + generator.integers(0, self.n, size=starts.size), np.uint8(1))
        return weights[:, : self.n]

    def _poisson(self, generator: np.random.Generator, resamples: int) -> ByteArray:
        """Return ``(resamples, n rounded up to fours)`` independent Poisson counts."""
        fours = -(-self.n // FOUR)
        size = resamples * fours
        # raw words: drawing full-range integers does the same work three times slower
        bits = generator.bit_generator.random_raw(-(-size // 4)).view(np.uint16)[:size]
        packed = np.take(self.table, bits)
        at = np.flatnonzero(bits >= self.decided)
        packed[at] = self.codes[np.searchsorted(self.undecided, generator.random(at.size), side="right")]
        return packed.view(np.uint8).reshape(resamples, fours * FOUR)


def _four_counts(rate: float) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64]]:
    """Return all sets of four Poisson counts that are not negligible, a byte each, and their probabilities."""
    law = [math.exp(-rate)]
    while law[-1] > NEGLIGIBLE:
        law.append(law[-1] * rate / len(law))
    counts, chance = np.arange(len(law), dtype=np.uint8)[:, None], np.array(law)
    for _ in range(2):  # one to two, two to four
        left, right = np.divmod(np.arange(chance.size**2), chance.size)
        product = chance[left] * chance[right]
        kept = np.flatnonzero(product > NEGLIGIBLE)
        counts, chance = np.hstack([counts[left[kept]], counts[right[kept]]]), product[kept]
    return np.ascontiguousarray(counts).view(np.uint32)[:, 0], chance
