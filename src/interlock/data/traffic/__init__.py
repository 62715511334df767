"""The simulated world of MangaAssist: customers, their messages, the labels they were given. Knows no model."""

from interlock.data.traffic.ceiling import ceiling
from interlock.data.traffic.drift import Drift, parse_drift
from interlock.data.traffic.intake import simulate_intake
from interlock.data.traffic.simulate import simulate

__all__ = ["Drift", "ceiling", "parse_drift", "simulate", "simulate_intake"]
