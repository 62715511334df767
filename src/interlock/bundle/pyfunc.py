"""What MLflow calls to load and ask an exported bundle. Knows no MLflow: the two names below are all it asks for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from interlock.bundle.open import Bundle, open_bundle


class Router:
    """A bundle that answers tables of messages."""

    def __init__(self, bundle: Bundle) -> None:
        """Answer with ``bundle``."""
        self._bundle = bundle

    def predict(self, model_input: Any, params: Any = None) -> list[dict[str, Any]]:  # noqa: ARG002 - MLflow's call
        """Return one decision for each message of a table with a column ``text``, or of a list of texts."""
        texts: Iterable[Any] = model_input["text"] if hasattr(model_input, "columns") else model_input
        return [self._bundle.decide(text if isinstance(text, str) else "\0").to_json() for text in texts]


def _load_pyfunc(path: str) -> Router:
    """Verify and open the bundle at ``path``."""
    return Router(open_bundle(Path(path)))
