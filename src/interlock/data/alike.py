"""Labels that a person would take for one another. Knows no rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_LOOKS = str.maketrans(  # letters of other alphabets that look like Latin ones, after case folding
    "аеорсухіјѕԁԛԝһӏγοναικρτυχɡı",
    "aeopcyxijsdqwhlyovaikptuxgi",
)


def alike(labels: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of labels that differ only by case, spacing, Unicode form, invisible or look-alike characters."""
    first: dict[str, str] = {}
    pairs = []
    for label in labels:
        known = first.setdefault(_look(label), label)
        if known != label:
            pairs.append((known, label))
    return pairs


def _look(label: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    seen = "".join(char for char in folded if unicodedata.category(char) not in {"Cf", "Cc"} or char.isspace())
    return " ".join(seen.translate(_LOOKS).split())
