"""A process that holds opened bundles and decides one message at a time. Knows no HTTP and no other worker.

It is told over one socket what to load, what to decide and what to let go, and ends when that socket closes.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import Any

from interlock.bundle.open import Bundle
from interlock.core.clock import Clock, SystemClock
from interlock.core.decision import Outcome
from interlock.core.errors import InterlockError
from interlock.serve import frames
from interlock.serve.source import Source


class Worker:
    """Opened bundles by digest, and the one thread that runs them."""

    def __init__(self, channel: socket.socket, clock: Clock) -> None:
        """Serve whoever is at the other end of ``channel``; deadlines are ``clock``'s, which all processes share."""
        self._channel, self._clock = channel, clock
        self._writing = threading.Lock()
        self._bundles: dict[str, Bundle] = {}

    def run(self) -> None:
        """Do what is asked until the other side goes away."""
        with self._channel.makefile("rb") as stream:
            while (asked := frames.read(stream)) is not None:
                self._do(asked)

    def _do(self, asked: dict[str, Any]) -> None:
        kind = asked["do"]
        if kind == "decide":
            self._say(self._decided(asked))
        elif kind == "load":  # beside the messages, which go on being decided by the bundles that are there
            threading.Thread(target=self._load, args=(asked,), daemon=True).start()
        elif kind == "drop":
            self._bundles.pop(asked["digest"], None)

    def _decided(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Decide one message, unless it is too late: nobody waits for it then."""
        nothing = {"id": asked["id"], "decision": None}
        if not self._clock.monotonic() < asked["deadline"]:
            return nothing
        try:
            trace = self._bundles[asked["digest"]].predictor.trace(asked["text"], asked["conversation"])
        except Exception:  # noqa: BLE001 - whatever a model does wrong, a person decides
            return nothing
        usable = asked["shares"] and trace.decision.outcome is not Outcome.UNAVAILABLE  # else they may be anything
        return {
            "id": asked["id"],
            "decision": trace.decision.to_json(),
            "probabilities": trace.probabilities.tolist() if usable and trace.probabilities is not None else [],
        }

    def _load(self, asked: dict[str, Any]) -> None:
        try:
            bundle = Source(**asked["source"]).open(asked["digest"])
        except (InterlockError, OSError) as error:
            code = error.exit_code if isinstance(error, InterlockError) else 2
            self._say({"load": asked["load"], "refused": str(error), "code": code})
            return
        except Exception as error:  # noqa: BLE001 - a store or a far shelf fails in ways of its own: nothing is loaded
            self._say({"load": asked["load"], "refused": f"cannot be opened: {type(error).__name__}", "code": 1})
            return
        self._bundles[bundle.digest] = bundle
        self._say({"load": asked["load"], "loaded": described(bundle)})

    def _say(self, message: dict[str, Any]) -> None:
        with self._writing:
            self._channel.sendall(frames.pack(message))


def described(bundle: Bundle) -> dict[str, Any]:
    """Return what the server must know of a bundle."""
    contract = bundle.contract
    return {
        "digest": bundle.digest,
        "name": contract.name,
        "signed": bundle.signed,
        "labels": {name: label.route for name, label in contract.labels.items()},
        "failure": contract.fallback.failure,
        "uncertain": contract.fallback.uncertain,
        "max_chars": contract.input.max_chars,
    }


def main() -> None:
    """Be a worker: standard input says which open socket to serve."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the supervisor's; it closes the socket instead
        signal.signal(ignored, signal.SIG_IGN)
    given = json.load(sys.stdin)
    with socket.socket(fileno=given["channel"]) as channel, suppress(BrokenPipeError, ConnectionResetError):
        Worker(channel, SystemClock()).run()


if __name__ == "__main__":
    main()
