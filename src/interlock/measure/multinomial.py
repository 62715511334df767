"""Bootstrap weights, drawn fast: how often each row occurs in a resample. Knows nothing of what is summed with them.

A resample of n rows with replacement gives the rows multinomial(n; 1/n, ..., 1/n) counts. Independent Poisson counts,
given that their total is m, are multinomial(m; 1/n, ...), whatever their rate. So: draw Poisson counts at a rate a
little under one, and let n - m further rows, drawn uniformly, make up the missing. The sum is multinomial(n; 1/n, ...)
for every m up to n, and a total above n is drawn again, which depends on the total alone and so changes no law.
Four counts are drawn at once: sixteen random bits index a table of all but the last few 65536ths of their law. Bits
that do not decide (7 in 1,000) are settled by a second such table, of what the first leaves of the law, and what both
leave (2 in 100 of these) by a double-precision draw.
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
ADDED = 8  # entries that may be added as whole numbers: no count exceeds 22, so that no byte reaches 256

Fours = npt.NDArray[np.uint32]  # four counts, a byte each
Law = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FourCounts:
    """A table of a law of four counts, by sixteen random bits."""

    table: Fours
    decided: int  # bits at or above this do not decide
    left: Law  # what the table leaves of the law of each code, given that it did not decide

    @classmethod
    def of(cls, codes: Fours, law: Law) -> FourCounts:
        """Tabulate the chance of each of ``codes``, rounded down to whole entries."""
        whole = np.floor(law * TABLE).astype(np.int64)
        table, decided = np.zeros(TABLE, np.uint32), int(whole.sum())
        table[:decided] = np.repeat(codes, whole)
        left = law - whole / TABLE
        return cls(table, decided, left / max(left.sum(), NEGLIGIBLE))

    def draw(self, generator: np.random.Generator, out: Fours) -> npt.NDArray[np.intp]:
        """Fill ``(size,)`` codes and return the places that the table did not decide."""
        # raw words: drawing full-range integers does the same work slower; sixteen bits never lie outside the table,
        # so nothing wraps, but the look-up is four times faster than one that checks
        bits = generator.bit_generator.random_raw(-(-out.size // 4)).view(np.uint16)[: out.size]
        np.take(self.table, bits, out=out, mode="wrap")
        return np.flatnonzero(bits >= self.decided)


@dataclass(frozen=True)
class RowWeights:
    """Draws the counts of n rows in resamples of n rows with replacement."""

    n: int
    codes: Fours  # every four counts there are
    first: FourCounts
    second: FourCounts  # for what the first does not decide
    undecided: Law  # cumulative, of ``codes``, for what neither decides

    @classmethod
    def of(cls, n: int) -> RowWeights:
        """Prepare the tables for ``n`` rows."""
        codes, law = _four_counts(max(1 - MARGIN / math.sqrt(n), 0.0))
        first = FourCounts.of(codes, law)
        second = FourCounts.of(codes, first.left)
        return cls(n, codes, first, second, np.cumsum(second.left))

    def draw(self, generator: np.random.Generator, *, out: npt.NDArray[np.float32]) -> None:
        """Fill the first n columns of contiguous ``(b resamples, n or more)`` with whole numbers, n in each line."""
        missing = self._poisson(generator, out)
        while (over := np.flatnonzero(missing < 0)).size:
            again = np.empty((over.size, self.n), np.float32)
            missing[over] = self._poisson(generator, again)
            out[over, : self.n] = again
        at = np.repeat(np.arange(len(out)) * out.shape[1], missing)
        at += generator.integers(0, self.n, size=at.size, dtype=np.uint32)
        np.add.at(out.reshape(-1), at, np.float32(1))

    def _poisson(self, generator: np.random.Generator, out: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """Fill the first n columns with independent Poisson counts and return what each line's total lacks of n."""
        packed = np.empty((len(out), ADDED, -(-self.n // (FOUR * ADDED))), np.uint32)
        flat = packed.reshape(-1)
        at = self.first.draw(generator, flat)
        settled = np.empty(at.size, np.uint32)
        rest = self.second.draw(generator, settled)
        settled[rest] = self.codes[np.searchsorted(self.undecided, generator.random(rest.size), side="right")]
        flat[at] = settled
        counts = packed.view(np.uint8).reshape(len(out), -1)
        counts[:, self.n :] = 0
        out[:, : self.n] = counts[:, : self.n]
        totals = packed.sum(axis=1, dtype=np.uint32).view(np.uint8).sum(axis=1, dtype=np.int64)
        return np.asarray(self.n - totals)


def _four_counts(rate: float) -> tuple[Fours, Law]:
    """Return all sets of four Poisson counts that are not negligible, a byte each, and their probabilities."""
    law = [math.exp(-rate)]
    while law[-1] > NEGLIGIBLE:
        law.append(law[-1] * rate / len(law))
    counts, chance = np.arange(len(law), dtype=np.uint8)[:, None], np.array(law)
    for _ in range(2):  # one to two, two to four
        product = np.multiply.outer(chance, chance)
        left, right = np.nonzero(product > NEGLIGIBLE)
        counts, chance = np.hstack([counts[left], counts[right]]), product[left, right]
    return np.ascontiguousarray(counts).view(np.uint32)[:, 0], chance
