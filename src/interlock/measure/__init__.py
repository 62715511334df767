"""Arrays in, measurements with intervals out; knows nothing of contracts, files or models."""

from interlock.measure.classify import classification
from interlock.measure.compare import accuracy_difference, mcnemar
from interlock.measure.cost import cost_per_message, cost_ratio

__all__ = ["accuracy_difference", "classification", "cost_per_message", "cost_ratio", "mcnemar"]
