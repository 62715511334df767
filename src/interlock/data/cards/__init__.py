"""The label guide and the data card: what people must know about labels and rows. Knows no run and no bundle."""

from interlock.data.cards.guide import label_guide
from interlock.data.cards.make import cards

__all__ = ["cards", "label_guide"]
