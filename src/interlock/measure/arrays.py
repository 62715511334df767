"""The arrays this room accepts, and the checks at its doors. Knows nothing of what is measured on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ArrayLike = npt.ArrayLike
FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]

ROW_SUM_TOLERANCE = 1e-6  # how far a row of probabilities may be from summing to one


def checked_probabilities(probabilities: npt.ArrayLike, *, labels: int | None = None) -> npt.NDArray[np.float64]:
    """Return ``(n messages, k labels)`` probabilities in float64.

    Raises:
        ValueError: the shape is not ``(n, labels)``, a value is not finite or outside 0-1, or a row does not sum to 1.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    width = "k" if labels is None else str(labels)
    if p.ndim != 2 or (labels is not None and p.shape[1] != labels) or p.shape[1] == 0:  # noqa: PLR2004 - a matrix
        raise ValueError(f"probabilities: expected shape (n, {width}), got {p.shape}")
    bad = np.asarray(~np.isfinite(p).all(axis=1))
    if bad.any():
        raise ValueError(f"probabilities: expected finite values, got NaN or infinity in row {_first(bad)}")
    bad = np.asarray(((p < 0) | (p > 1)).any(axis=1))
    if bad.any():
        raise ValueError(f"probabilities: expected values in 0-1, got {p[_first(bad)].tolist()} in row {_first(bad)}")
    off = np.abs(p.sum(axis=1) - 1) > ROW_SUM_TOLERANCE
    if off.any():
        raise ValueError(f"probabilities: expected rows that sum to 1, got {p[_first(off)].sum()} in row {_first(off)}")
    return p


def checked_labels(values: npt.ArrayLike, *, k: int, n: int | None = None, name: str) -> npt.NDArray[np.int64]:
    """Return ``(n,)`` label indices in ``0..k-1``; raises ``ValueError`` on another shape, type or range."""
    raw = np.asarray(values)
    if raw.size == 0:
        raw = raw.astype(np.int64)
    if raw.ndim != 1 or (n is not None and raw.size != n):
        raise ValueError(f"{name}: expected shape ({'n' if n is None else n},), got {raw.shape}")
    if raw.dtype.kind not in "iu":
        raise ValueError(f"{name}: expected integer label indices, got {raw.dtype}")
    bad = (raw < 0) | (raw >= k)
    if bad.any():
        raise ValueError(f"{name}: expected indices in 0..{k - 1}, got {raw[_first(bad)]} in row {_first(bad)}")
    return raw.astype(np.int64)


def checked_flags(values: npt.ArrayLike, *, name: str, shape: Sequence[int] | None = None) -> BoolArray:
    """Return a boolean array, ``(n,)`` unless ``shape`` says more; 0 and 1 are accepted as booleans.

    Raises:
        ValueError: another shape, or a value that is neither true nor false.
    """
    raw = np.asarray(values)
    wrong = raw.ndim != 1 if shape is None else raw.shape != tuple(shape)
    if wrong:
        raise ValueError(f"{name}: expected shape {'(n,)' if shape is None else tuple(shape)}, got {raw.shape}")
    if raw.dtype.kind != "b" and not np.isin(raw, (0, 1)).all():
        raise ValueError(f"{name}: expected true or false, got other values ({raw.dtype})")
    return raw.astype(np.bool_)


def checked_values(
    values: npt.ArrayLike, *, name: str, low: float = -np.inf, high: float = np.inf, n: int | None = None
) -> npt.NDArray[np.float64]:
    """Return ``(n,)`` finite numbers in ``low..high`` as float64; raises ``ValueError`` otherwise."""
    raw = np.asarray(values, dtype=np.float64)
    if raw.ndim != 1 or (n is not None and raw.size != n):
        raise ValueError(f"{name}: expected shape ({'n' if n is None else n},), got {raw.shape}")
    bad = ~np.isfinite(raw)
    if bad.any():
        raise ValueError(f"{name}: expected finite numbers, got {raw[_first(bad)]} in row {_first(bad)}")
    bad = (raw < low) | (raw > high)
    if bad.any():
        raise ValueError(f"{name}: expected values in {low}..{high}, got {raw[_first(bad)]} in row {_first(bad)}")
    return raw


def checked_costs(matrix: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return ``(k labels, k labels)`` costs as float64; raises ``ValueError`` unless finite and none is negative."""
    costs = np.asarray(matrix, dtype=np.float64)
    if costs.ndim != 2 or costs.shape[0] != costs.shape[1] or not costs.size:  # noqa: PLR2004 - a matrix
        raise ValueError(f"matrix: expected shape (k, k), got {costs.shape}")
    if not np.isfinite(costs).all() or (costs < 0).any():
        raise ValueError(f"matrix: expected finite costs of at least 0, got {costs.min()} to {costs.max()}")
    return costs


def checked_level(level: float) -> float:
    """Return the confidence level; raises ``ValueError`` unless it lies strictly between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level: expected a share strictly between 0 and 1, got {level}")
    return float(level)


def _first(bad: BoolArray) -> int:
    return int(np.flatnonzero(bad)[0])
