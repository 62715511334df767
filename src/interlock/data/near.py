"""Texts that are one, and pairs of texts that are nearly one: the house's only definition. Knows no rows and no labels.

Two texts are one when ``loose_key`` makes them so. Two texts are nearly one when their letters are alike or when they
are one word apart. Among a few texts every pair is measured. Among many, candidates come from two places: MinHash
signatures cut into bands (Broder 1997), and words put aside one at a time, which meets pairs that differ by one word.
Each candidate is then measured exactly, so a pair can be missed but never invented; of all pairs alike in their letters
in CLINC150 (6,321 of 22,434 texts) and 55,000 simulated messages (6,052 of 51,141) none was missed.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from interlock.core.errors import require
from interlock.predict.normalise import same_text_key

SHINGLE = 3  # letters
ALIKE = 0.7  # Jaccard of shingles from which any two texts are near duplicates
ONE_WORD = 0.3  # the same when the texts differ by one word
WORDS = 2  # that two texts one word apart must share
LONGEST = 60  # words of a text that is looked at word by word
PERMUTATIONS, BANDS = 128, 32  # four signature values a band: of all pairs at Jaccard 0.7, 99.98 % meet
NEIGHBOURS = 64  # candidates of one text within one bucket, nearest in alphabetical order
FEW = 400  # texts of which every pair is measured


def loose_key(text: str) -> str:
    """Return the form under which texts differ only by case, spacing, punctuation or what cannot be seen."""
    whole = same_text_key(text)
    if whole.isascii():
        words = "".join(char if char.isalnum() or char in "+#$%&@<>=^|~`" else " " for char in whole)
    else:
        words = "".join(" " if unicodedata.category(char)[0] == "P" else char for char in whole)
    return " ".join(words.split()) or whole


@dataclass(frozen=True, slots=True)
class NearTexts:
    """Which texts have near duplicates."""

    pairs: tuple[tuple[int, int, float], ...]  # positions and likeness, the most alike first

    def families(self) -> list[list[int]]:
        """Return texts joined by pairs, directly or through others."""
        parent: dict[int, int] = {}

        def root(at: int) -> int:
            while parent.setdefault(at, at) != at:
                parent[at] = parent[parent[at]]
                at = parent[at]
            return at

        for one, other, _ in self.pairs:
            parent[root(one)] = root(other)
        members: dict[int, list[int]] = defaultdict(list)
        for at in sorted(parent):
            members[root(at)].append(at)
        return sorted(members.values())


def near_texts(texts: Sequence[str]) -> NearTexts:
    """Return the pairs of different texts that are nearly the same; a very large family is met through neighbours."""
    shingles = _shingles(texts)
    few = len(texts) <= FEW
    reach = len(texts) if few else NEIGHBOURS
    alike = combinations(range(len(texts)), 2) if few else _candidates(_signature_buckets(shingles), texts, reach=reach)
    apart = _candidates(_one_word_buckets(texts), texts, reach=reach)
    found: dict[tuple[int, int], float] = {}
    for pairs, least in ((alike, ALIKE), (apart, ONE_WORD)):
        for one, other in pairs:
            if (one, other) not in found:
                likeness = _jaccard(shingles[one], shingles[other])
                if likeness >= least:
                    found[one, other] = likeness
    order = sorted(found, key=lambda pair: (-found[pair], pair))
    return NearTexts(tuple((one, other, found[one, other]) for one, other in order))


def _shingles(texts: Sequence[str]) -> list[frozenset[str]]:
    shared: dict[str, str] = {}  # one object a shingle keeps 55,000 texts within tens of megabytes
    out = []
    for text in texts:
        padded = f" {text} "
        cuts = (padded[i : i + SHINGLE] for i in range(max(1, len(padded) - SHINGLE + 1)))
        out.append(frozenset(shared.setdefault(cut, cut) for cut in cuts))
    return out


def _signature_buckets(shingles: Sequence[frozenset[str]]) -> Iterator[list[int]]:
    signatures = _minhash(shingles)
    width = PERMUTATIONS // BANDS
    for band in range(BANDS):
        values = np.ascontiguousarray(signatures[:, band * width : (band + 1) * width])
        yield from _equal(values.view([("", values.dtype)] * width).ravel())


def _minhash(shingles: Sequence[frozenset[str]]) -> npt.NDArray[np.uint32]:
    require("Finding near duplicates", extra="train", modules=["rensa"])
    from rensa import RMinHash

    matrix = RMinHash.digest_matrix_from_token_sets([list(cuts) for cuts in shingles], PERMUTATIONS, 1)
    return np.asarray(matrix.to_rows(), dtype=np.uint32)


def _equal(values: npt.NDArray[np.void]) -> Iterator[list[int]]:
    _, bucket, counts = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(bucket, kind="stable")
    for start, count in zip(np.cumsum(counts) - counts, counts, strict=True):
        if count > 1:
            yield order[start : start + count].tolist()


def _one_word_buckets(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield texts that become the same when one word is put aside, or one of which is the other with a word less."""
    buckets: dict[int, list[int]] = defaultdict(list)
    for at, text in enumerate(texts):
        words = text.split()
        if len(words) > LONGEST:
            continue
        if len(words) >= WORDS:
            buckets[hash(tuple(words))].append(at)
        if len(words) > WORDS:
            for i in range(len(words)):
                buckets[hash((*words[:i], *words[i + 1 :]))].append(at)  # a word less
    yield from (list(dict.fromkeys(rows)) for rows in buckets.values() if len(rows) > 1)


def _candidates(buckets: Iterable[list[int]], texts: Sequence[str], *, reach: int) -> set[tuple[int, int]]:
    pairs: set[tuple[int, int]] = set()
    for bucket in buckets:
        rows = sorted(bucket, key=texts.__getitem__) if len(bucket) > reach else bucket
        for place, one in enumerate(rows):
            for other in rows[place + 1 : place + 1 + reach]:
                pairs.add((one, other) if one < other else (other, one))
    return pairs


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
