"""Interlock: intent routers that are measured, gated, packed whole, and fail to a person.

    import interlock
    run = interlock.build(contract="contract.yaml", data="rows.jsonl", out="runs/1")
    bundle = interlock.open("runs/1/bundle")
    decision = bundle.decide("where is my order?")

Names are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interlock.build import build
    from interlock.bundle.handoff import admit
    from interlock.bundle.open import Bundle
    from interlock.bundle.open import open_bundle as open  # noqa: A004 - interlock.open is the name people look for
    from interlock.bundle.replay import ReplayGuard
    from interlock.core.decision import Decision
    from interlock.core.errors import InputError, InterlockError, RefusedError
    from interlock.serve.client import Client
    from interlock.train.estimators import EncoderClassifier, LinearClassifier

__all__ = [
    "Bundle",
    "Client",
    "Decision",
    "EncoderClassifier",
    "InputError",
    "InterlockError",
    "LinearClassifier",
    "RefusedError",
    "ReplayGuard",
    "admit",
    "build",
    "open",
]

# ONNX Runtime keeps a record of its use in the home folder and sends it to its maker. It reads this when it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOMES = {
    "Bundle": ("interlock.bundle.open", "Bundle"),
    "Client": ("interlock.serve.client", "Client"),
    "Decision": ("interlock.core.decision", "Decision"),
    "EncoderClassifier": ("interlock.train.estimators", "EncoderClassifier"),
    "InputError": ("interlock.core.errors", "InputError"),
    "InterlockError": ("interlock.core.errors", "InterlockError"),
    "LinearClassifier": ("interlock.train.estimators", "LinearClassifier"),
    "RefusedError": ("interlock.core.errors", "RefusedError"),
    "ReplayGuard": ("interlock.bundle.replay", "ReplayGuard"),
    "admit": ("interlock.bundle.handoff", "admit"),
    "build": ("interlock.build", "build"),
    "open": ("interlock.bundle.open", "open_bundle"),
}


def __getattr__(name: str) -> Any:
    """Load a public name where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'interlock' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
