"""What errors come to in dollars, and whether avoiding them pays. Knows nothing of who pays.

Every figure is recomputed on each resample of the rows and its bounds are read from those recomputed figures; bounds of
one factor are never multiplied by another's. With few errors there is too little to resample; all these figures rise or
fall with one share, or with one difference of shares, so their bounds then are that one's, recomputed into dollars. All
comparisons are paired: two models on the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interlock.core.measurement import Measurement, unmeasured
from interlock.measure.arrays import ArrayLike, checked_flags
from interlock.measure.bootstrap import Sums, bootstrap
from interlock.measure.compare import accuracy_difference
from interlock.measure.proportion import proportion

FEW = 100  # rows that count, below which resampling covers up to 6 points less than it says, or 4 more
Figure = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]  # (b,) mean of the rows -> (b,) figure


@dataclass(frozen=True, slots=True)
class Retraining:
    """What a retrained model is worth against what it cost."""

    saved_usd: Measurement  # per month
    roi: Measurement  # (saved over the months - cost) / cost: 0 breaks even, 1 returns the cost once more
    payback_months: float  # from the lower bound of the saving; infinite where that bound saves nothing

    @property
    def pays(self) -> bool:
        """Whether even the lower bound brings the cost back; NaN does not."""
        return self.roi.low > 0


def usd_per_month(
    misrouted: ArrayLike,
    *,
    misroute_usd: float,
    monthly_messages: float,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return what misroutes cost in a month: share of ``(n,)`` misrouted rows times messages times dollars each.

    Args:
        misrouted: ``(n,)`` whether each row went to a wrong route.
        misroute_usd: dollars of one misroute, at least 0.
        monthly_messages: messages in a month, at least 0.
        resamples: bootstrap resamples.
        seed: the same seed gives the same bounds.
        level: confidence level.
    """
    wrong = checked_flags(misrouted, name="misrouted")
    share = _Share(wrong.astype(np.float64), proportion("share", int(wrong.sum()), wrong.size, level=level))
    scale = _amount(misroute_usd, "misroute_usd") * _amount(monthly_messages, "monthly_messages")
    return _figure("misroute_usd_per_month", share, lambda mean: mean * scale, (0.0, scale), resamples, seed, level)


def saved_per_month(
    misrouted: ArrayLike,
    champion_misrouted: ArrayLike,
    *,
    misroute_usd: float,
    monthly_messages: float,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return the dollars a month that a model saves against the champion on the same ``(n,)`` rows; may be negative.

    Arguments are ``usd_per_month``'s.
    """
    avoided = _avoided(misrouted, champion_misrouted, level)
    scale = _amount(misroute_usd, "misroute_usd") * _amount(monthly_messages, "monthly_messages")
    return _figure("saved_usd_per_month", avoided, lambda mean: mean * scale, (-scale, scale), resamples, seed, level)


def cost_per_misroute_avoided(
    misrouted: ArrayLike,
    champion_misrouted: ArrayLike,
    *,
    extra_usd: float,
    monthly_messages: float,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return ``extra_usd`` a month over the misroutes a month that the model avoids against the champion.

    A model that avoids none has no such price: unmeasured. Resamples in which it avoids none count as infinite, so the
    high bound is infinite where the rows do not show that it avoids any.
    """
    avoided = _avoided(misrouted, champion_misrouted, level)
    messages = _amount(monthly_messages, "monthly_messages")
    price = _price(_amount(extra_usd, "extra_usd"), per=messages)
    return _figure("usd_per_misroute_avoided", avoided, price, (0.0, math.inf), resamples, seed, level)


def cost_per_quality_point(
    correct: ArrayLike,
    champion_correct: ArrayLike,
    *,
    extra_usd: float,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Return ``extra_usd`` a month over the points of accuracy, in 100ths, that the model gains on the same rows.

    A model that gains nothing has no such price: unmeasured; see ``cost_per_misroute_avoided`` for the high bound.
    """
    gained = _avoided(champion_correct, correct, level)
    price = _price(_amount(extra_usd, "extra_usd"), per=100.0)
    return _figure("usd_per_quality_point", gained, price, (0.0, math.inf), resamples, seed, level)


def retraining(  # noqa: PLR0913 - two models, four amounts, and the bootstrap's own choices
    misrouted: ArrayLike,
    champion_misrouted: ArrayLike,
    *,
    misroute_usd: float,
    monthly_messages: float,
    cost_usd: float,
    months: float,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Retraining:
    """Return what retraining brings back: its saving over ``months`` against ``cost_usd`` of labels and training.

    The first six arguments are ``saved_per_month``'s; ``cost_usd`` and ``months`` are above 0. Saving and return are
    read from the same resamples.
    """
    if not (0 < cost_usd < math.inf and 0 < months < math.inf):
        raise ValueError(f"cost_usd, months: expected positive numbers, got {cost_usd}, {months}")
    avoided = _avoided(misrouted, champion_misrouted, level)
    scale = _amount(misroute_usd, "misroute_usd") * _amount(monthly_messages, "monthly_messages")
    most, how = scale * months / cost_usd, (resamples, seed, level)
    saved = _figure("saved_usd_per_month", avoided, lambda mean: mean * scale, (-scale, scale), *how)
    roi = _figure("retraining_roi", avoided, lambda mean: mean * most - 1, (-most - 1, most - 1), *how)
    return Retraining(saved, roi, cost_usd / saved.low if saved.low > 0 else math.inf)


def lower_first(found: Measurement) -> str:
    """Return a figure in dollars as business reviews should read it: the lower bound first, then the estimate."""
    if not found.known:
        return f"not shown by {found.n:,} rows"
    low, value, high = (f"{'-' if x < 0 else ''}${abs(x):,.0f}" for x in (found.low, found.value, found.high))
    return f"at least {low} (estimate {value}, at most {high}; {100 * found.level:g} %, {found.n:,} rows)"


@dataclass(frozen=True, slots=True)
class _Share:
    """What a figure is made of: a share of rows, or the difference of two."""

    rows: npt.NDArray[np.float64]  # its mean is the share
    exact: Measurement  # the share with an interval that holds for few rows too


def _avoided(wrong: ArrayLike, champion_wrong: ArrayLike, level: float) -> _Share:
    ours = checked_flags(wrong, name="first argument")
    theirs = checked_flags(champion_wrong, name="second argument", shape=ours.shape)
    return _Share(theirs.astype(np.float64) - ours, accuracy_difference(~ours, ~theirs, level=level))


def _price(usd: float, *, per: float) -> Figure:
    def price(mean: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.divide(usd, mean * per, out=np.full(mean.shape, np.inf), where=mean * per > 0))

    return price


def _figure(
    name: str,
    share: _Share,
    figure: Figure,
    support: tuple[float, float],
    resamples: int,
    seed: int,
    level: float,
) -> Measurement:
    n, exact = share.rows.size, share.exact
    value, *ends = figure(np.array([exact.value, exact.low, exact.high])).tolist()
    if n == 0 or not math.isfinite(value):
        return unmeasured(name, n=n)
    if np.count_nonzero(share.rows) < FEW:
        return Measurement(name, value, n, min(ends), max(ends), level, f"{exact.method}_recomputed")

    def statistic(sums: Sums) -> npt.NDArray[np.float64]:
        return figure(sums[:, 0] / n)

    rows = share.rows[:, None]
    return bootstrap(name, rows, statistic, support=support, method="bca", resamples=resamples, seed=seed, level=level)


def _amount(value: float, name: str) -> float:
    if not 0 <= value < math.inf:
        raise ValueError(f"{name}: expected a finite number of at least 0, got {value}")
    return float(value)
