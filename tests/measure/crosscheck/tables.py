"""The fixed tables that independent libraries are asked about: the same numbers wherever they are made."""

from __future__ import annotations

import math

ROWS = 240


def confidence() -> list[float]:
    """Return confidences from 0.3 to 1 that lie on no bin's edge: steps of the golden ratio."""
    return [0.3 + 0.7 * ((i * 0.6180339887498949) % 1) for i in range(1, ROWS + 1)]


def correct() -> list[int]:
    """Return hits that are right a little less often than stated."""
    return [int((i * math.sqrt(2)) % 1 < stated - 0.06) for i, stated in enumerate(confidence(), start=1)]


def probabilities() -> list[list[float]]:
    """Return rows of three labels' probabilities."""
    raw = [[1 + math.sin(i * (1.1 + j)) + 0.05 * j for j in range(3)] for i in range(1, ROWS + 1)]
    return [[value / sum(row) for value in row] for row in raw]


def gold() -> list[int]:
    """Return labels that follow the probabilities."""
    out = []
    for i, row in enumerate(probabilities(), start=1):
        at = (i * math.sqrt(3)) % 1
        out.append(int(at > row[0]) + int(at > row[0] + row[1]))
    return out
