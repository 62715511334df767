"""Accuracy of live traffic, of which few rows or none have labels. Knows nothing of who labels them.

A review queue holds the rows the router was unsure of, so its plain accuracy is too low. What makes it usable is the
propensity: the known chance with which each row was sent to review. A row of propensity 0.01 stands for a hundred.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import ArrayLike, checked_flags, checked_level, checked_values
from interlock.measure.proportion import wilson

Values = npt.NDArray[np.float64]


def expected_accuracy(confidence: ArrayLike, *, name: str = "expected_accuracy", level: float = 0.95) -> Measurement:
    """Return the accuracy that ``(n,)`` calibrated confidences promise: their mean, with the normal interval.

    Confidence-based performance estimation (Kivimaeki et al. 2024). Right only while the confidences are calibrated on
    this traffic; nothing in unlabelled rows can show that they are.
    """
    stated = checked_values(confidence, name="confidence", low=0.0, high=1.0)
    if stated.size < 2:  # noqa: PLR2004 - a spread needs two rows
        return unmeasured(name, n=stated.size)
    half = NormalDist().inv_cdf(0.5 + checked_level(level) / 2) * float(stated.std(ddof=1)) / math.sqrt(stated.size)
    value = float(stated.mean())
    return Measurement(name, value, stated.size, max(value - half, 0.0), min(value + half, 1.0), level, "normal")


def reviewed_accuracy(
    correct: ArrayLike, propensity: ArrayLike, *, name: str = "reviewed_accuracy", level: float = 0.95
) -> Measurement:
    """Return the accuracy of all traffic from ``(n,)`` reviewed rows, each weighted by one over its propensity.

    The ratio estimator of Hajek 1971, bounded by Wilson's interval on the effective number of rows that its linearised
    variance amounts to (Korn and Graubard 1998); Kish's effective number where all rows agree.

    Args:
        correct: ``(n,)`` whether the decision on each reviewed row was right.
        propensity: ``(n,)`` chance with which it was chosen for review, above 0 and at most 1.
        name: the measurement's name.
        level: confidence level.

    Raises:
        ValueError: a propensity is not in that range, or lengths differ.
    """
    hits = checked_flags(correct, name="correct").astype(np.float64)
    weight = 1 / _checked_propensity(propensity, n=hits.size)
    if hits.size == 0:
        return unmeasured(name)
    value = float((weight * hits).sum() / weight.sum())
    variance = float(((weight * (hits - value)) ** 2).sum() / weight.sum() ** 2)
    kish = float(weight.sum() ** 2 / (weight**2).sum())
    return _bounded(name, value, variance, rows=hits.size, fallback=kish, level=level)


def prediction_powered_accuracy(
    confidence: ArrayLike,
    reviewed: ArrayLike,
    correct: ArrayLike,
    propensity: ArrayLike,
    *,
    name: str = "prediction_powered_accuracy",
    level: float = 0.95,
) -> Measurement:
    """Return the accuracy of all traffic from the reviewed rows, sharpened by every row's confidence.

    Prediction-powered inference (Angelopoulos et al. 2023), tuned so that useless confidence does no harm (2024), for
    rows reviewed with known propensity: the weighted hits, less the part that the weights' and the weighted
    confidences' known departures from their means explain. Right whether or not the confidences are calibrated.

    Args:
        confidence: ``(n,)`` stated confidence of every decided row.
        reviewed: ``(n,)`` whether the row was reviewed.
        correct: ``(n,)`` whether the decision was right; read only where reviewed.
        propensity: ``(n,)`` chance with which the row was chosen for review, above 0 and at most 1.
        name: the measurement's name.
        level: confidence level.

    Returns:
        The measurement; ``n`` counts the reviewed rows.
    """
    stated = checked_values(confidence, name="confidence", low=0.0, high=1.0)
    seen = checked_flags(reviewed, name="reviewed", shape=stated.shape)
    hits = checked_flags(np.where(seen, correct, 0), name="correct", shape=stated.shape)
    drawn = seen / _checked_propensity(propensity, n=stated.size)  # mean 1 by design, whatever was drawn
    rows = int(seen.sum())
    if rows < 2:  # noqa: PLR2004 - a spread needs two rows
        return unmeasured(name, n=rows)
    controls = np.column_stack([drawn - 1, (drawn - 1) * stated])  # both have mean 0, known without any label
    weighted = drawn * hits
    slopes = np.linalg.lstsq(controls - controls.mean(axis=0), weighted - weighted.mean(), rcond=None)[0]
    rest = weighted - controls @ slopes
    value = min(max(float(rest.mean()), 0.0), 1.0)
    spent = rows / max(rows - 3, 1)  # the mean and two slopes were fitted to the reviewed rows
    variance = spent * float(rest.var(ddof=1)) / stated.size
    kish = float(drawn.sum() ** 2 / (drawn**2).sum())
    return _bounded(name, value, variance, rows=rows, fallback=kish, level=level)


def _bounded(name: str, value: float, variance: float, *, rows: int, fallback: float, level: float) -> Measurement:
    """Bound a share of known variance by Wilson's interval on the rows a plain sample of that variance would have."""
    spread = value * (1 - value)
    effective = spread / variance if spread > 0 and variance > 0 else fallback
    low, high = wilson(value * effective, effective, level=level)
    return Measurement(name, value, rows, min(low, value), max(high, value), level, "wilson_effective")


def _checked_propensity(propensity: ArrayLike, *, n: int) -> Values:
    chance = checked_values(propensity, name="propensity", low=0.0, high=1.0, n=n)
    if (chance == 0).any():
        raise ValueError("propensity: expected chances above 0, got 0: a row that is never reviewed stands for none")
    return chance
