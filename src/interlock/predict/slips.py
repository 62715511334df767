"""Known words one slip away from another, among hundreds of strings that are not words. Knows checksums, not words.

CRC-32 is linear: changing a byte changes the checksum by something that depends on the change and on how many bytes
follow, and on nothing else. So the checksums of all strings with one letter changed or more come from a table, and a
sieve of one bit for each checksum leaves a handful of strings to be looked at.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

LONGEST = 24  # letters of a word that is looked for
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"
SIEVE_BITS = 20  # of a checksum, that choose its place in the sieve: one string in forty passes by chance
_LETTERS = np.frombuffer(ALPHABET, dtype=np.uint8)
_PLACES = np.arange(LONGEST + 1)


@dataclass(frozen=True)
class Sieve:
    """What lets the checksums of known words pass, and few others."""

    checksums: frozenset[int]  # CRC-32 of the known words, UTF-8

    def one_slip_away(self, word: str) -> Iterator[str]:
        """Yield all known words one slip away from ``word``, and other strings: the caller has to look.

        A slip is a letter too many, too few, another, or two swapped (Damerau 1964). In a word with letters beyond
        ASCII letters are only left out and swapped.

        Args:
            word: 1 to LONGEST letters.
        """
        for place, letter in enumerate(word):
            yield word[:place] + word[place + 1 :]
            if place:
                yield word[: place - 1] + letter + word[place - 1] + word[place + 1 :]
        if not word.isascii():
            return
        data, size = word.encode(), len(word)
        begins = [zlib.crc32(data[:place] + b"\0" + data[place:]) for place in range(size + 1)]
        longer = np.array(begins, dtype=np.uint32)[:, None] ^ self._change[size - _PLACES[: size + 1, None], _LETTERS]
        behind, turned = size - 1 - _PLACES[:size, None], np.frombuffer(data, dtype=np.uint8)[:, None] ^ _LETTERS
        changed = np.uint32(zlib.crc32(data)) ^ self._change[behind, turned]
        for place, column in np.argwhere(self._passes(longer)).tolist():
            yield word[:place] + chr(ALPHABET[column]) + word[place:]
        for place, column in np.argwhere(self._passes(changed)).tolist():
            yield word[:place] + chr(ALPHABET[column]) + word[place + 1 :]

    def _passes(self, checksums: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
        own = checksums & np.uint32((1 << SIEVE_BITS) - 1)
        out: npt.NDArray[np.uint8] = (self._bits[own >> 3] >> (own & 7).astype(np.uint8)) & np.uint8(1)
        return out

    @cached_property
    def _bits(self) -> npt.NDArray[np.uint8]:
        marked = np.zeros(1 << SIEVE_BITS, dtype=np.uint8)
        marked[[checksum & ((1 << SIEVE_BITS) - 1) for checksum in self.checksums]] = 1
        return np.packbits(marked, bitorder="little")

    @cached_property
    def _change(self) -> npt.NDArray[np.uint32]:
        """What a checksum changes by, (bytes behind, bits of the byte that change)."""
        none = [zlib.crc32(bytes(behind + 1)) for behind in range(LONGEST + 1)]
        rows = [[zlib.crc32(bytes([byte]) + bytes(behind)) ^ none[behind] for byte in range(128)] for behind in _PLACES]
        return np.array(rows, dtype=np.uint32)
