"""How much a router that may abstain decides by itself, and how well. Knows nothing of why it abstained."""

from __future__ import annotations

from interlock.core.measurement import Measurement
from interlock.measure.arrays import ArrayLike, checked_flags
from interlock.measure.proportion import proportion


def coverage(accepted: ArrayLike, *, name: str = "coverage", level: float = 0.95) -> Measurement:
    """Return the share of ``(n,)`` messages that were accepted, that is, decided without a person."""
    flags = checked_flags(accepted, name="accepted")
    return proportion(name, int(flags.sum()), flags.size, level=level)


def accepted_accuracy(
    accepted: ArrayLike, correct: ArrayLike, *, name: str = "accepted_accuracy", level: float = 0.95
) -> Measurement:
    """Return the share of correct decisions among the accepted ones; n counts the accepted (selective accuracy).

    El-Yaniv and Wiener 2010, JMLR 11. Nothing accepted is unmeasured, not perfect.
    """
    flags = checked_flags(accepted, name="accepted")
    right = checked_flags(correct, name="correct", shape=flags.shape)
    return proportion(name, int((flags & right).sum()), int(flags.sum()), level=level)
