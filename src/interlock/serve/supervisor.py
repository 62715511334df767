"""The parent of a server's processes: starts them, replaces those that end, stops them in order. Knows no HTTP.

It holds the listening socket, so that callers wait while the HTTP side is replaced, and reads nothing that they send.
"""

from __future__ import annotations

import ipaddress
import json
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from interlock.core.clock import Clock
from interlock.core.errors import InputError, InterlockError, Problem, RefusedError
from interlock.serve.access import ApiKey
from interlock.serve.settings import Settings

LOOK_S = 0.2
AGAIN_S = 1.0  # a place is filled at most this often, so that what always ends does not keep the machine busy
PATIENCE_S = 5.0  # beyond the drain time, before a process that does not end is killed
LARGEST_NOTE = 65_536
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(eq=False)
class Place:
    """Where one worker is, or is to be."""

    process: subprocess.Popen[bytes] | None = None
    started: float = float("-inf")


@dataclass(eq=False)
class Supervisor:
    """One server's processes."""

    settings: Settings
    listening: socket.socket
    clock: Clock
    again: Callable[[], tuple[ApiKey, ...]] | None = None  # reads the API keys anew
    _places: list[Place] = field(default_factory=list)
    _front: subprocess.Popen[bytes] | None = None
    _front_started: float = float("-inf")
    _control: socket.socket | None = None
    _stop: bool = False
    _ready: bool = False  # whether any front has answered
    _hears: bool = False  # whether this one has
    _again: bool = False  # whether it is to be told that SIGHUP came
    _failed: InterlockError | None = None

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; return the exit code.

        Raises:
            InterlockError: the server could not start.
        """
        self._places = [Place() for _ in range(self.settings.workers)]
        here, there = socket.socketpair()
        before = {number: signal.signal(number, self._signalled) for number in SIGNALS}
        here.settimeout(0)
        there.settimeout(0)
        wakeup = signal.set_wakeup_fd(there.fileno())
        try:
            with here, there, selectors.DefaultSelector() as selector:
                selector.register(here, selectors.EVENT_READ)
                while not self._stop and self._failed is None:
                    self._fill()
                    self._pass_on()
                    self._wait(selector, here)
        finally:
            signal.set_wakeup_fd(wakeup)
            code = self._end()
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._failed is not None:
            raise self._failed
        return code

    def _signalled(self, number: int, _frame: Any) -> None:
        if number in {signal.SIGTERM, signal.SIGINT}:
            self._stop = True
        elif number == signal.SIGHUP:
            self._again = True

    def _pass_on(self) -> None:
        """Send SIGHUP on to a front that can hear it: one that is still starting would end by it."""
        if self._again and self._hears and self._front is not None:
            self._again = False
            self._renew()
            self._front.send_signal(signal.SIGHUP)

    def _renew(self) -> None:
        """Read the API keys again; after an error those before go on."""
        if self.again is None:
            return
        try:
            keys = self.again()
        except InterlockError as error:
            self._tell({"keys": None, "why": str(error)})
            return
        self.settings = self.settings.model_copy(update={"keys": keys})  # for a front that takes this one's place
        if not self._tell({"keys": [key.model_dump(mode="json") for key in keys]}):
            self._tell({"keys": None, "why": f"{len(keys)} API keys are more than are taken while it serves: restart"})

    def _tell(self, note: dict[str, Any]) -> bool:
        """Tell the front, and return whether it could be told."""
        try:
            return self._control is not None and self._control.send(json.dumps(note).encode()) > 0
        except OSError:  # too long, or the front has just ended
            return False

    def _wait(self, selector: selectors.BaseSelector, here: socket.socket) -> None:
        """Wait for a signal, a note from the front, or a little while."""
        control = self._control
        if control is not None:
            selector.register(control, selectors.EVENT_READ)
        for key, _ in selector.select(LOOK_S):
            if key.fileobj is here:
                with suppress(BlockingIOError):
                    here.recv(4096)
            elif control is not None:
                self._hear(control)
        if control is not None:
            selector.unregister(control)

    def _hear(self, control: socket.socket) -> None:
        try:
            said = control.recv(LARGEST_NOTE)
        except ConnectionError:
            return
        if not said:
            return
        note = json.loads(said)
        if "ready" in note:
            self._ready = self._hears = True
        elif "replace" in note:
            for place in self._places:
                if place.process is not None and place.process.pid == note["replace"]:
                    place.process.kill()
        elif "failed" in note and not self._ready:
            kind = RefusedError if note["code"] == RefusedError.exit_code else InputError
            self._failed = kind(note["failed"])

    def _fill(self) -> None:
        """Start whatever is not there."""
        if self._front is None or self._front.poll() is not None:
            if self._front is not None and not self._ready:
                self._failed = RefusedError(f"the HTTP process ended with code {self._front.returncode} at the start")
                return
            if self._front is not None:
                self._empty()
            if not self._may(self._front_started):
                return
            self._front_started = self.clock.monotonic()
            self._start_front()
        for place in self._places:
            if (place.process is None or place.process.poll() is not None) and self._may(place.started):
                place.started = self.clock.monotonic()
                self._start_worker(place)

    def _may(self, started: float) -> bool:
        return self.clock.monotonic() - started >= AGAIN_S

    def _start_front(self) -> None:
        self._hears = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            given = {
                "settings": self.settings.to_json(),
                "control": theirs.fileno(),
                "listening": self.listening.fileno(),
            }
            self._front = _start("interlock.serve.front", given, theirs, self.listening)
        self._control = ours

    def _start_worker(self, place: Place) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            place.process = _start("interlock.serve.worker", {"channel": theirs.fileno()}, theirs)
            note = json.dumps({"worker": place.process.pid}).encode()
            with suppress(OSError):  # the front has just ended; both are replaced
                assert self._control is not None  # noqa: S101 - the front is started first
                socket.send_fds(self._control, [note], [ours.fileno()])

    def _empty(self) -> None:
        """End the workers of a front that ended: nobody else can reach them."""
        if self._control is not None:
            self._control.close()
            self._control = None
        for place in self._places:
            if place.process is not None:
                place.process.kill()
                place.process.wait()
                place.process = None

    def _end(self) -> int:
        """Stop the front, which finishes what is under way, then the workers."""
        self.listening.close()
        code = 0
        if self._front is not None:
            self._front.terminate()
            try:
                code = self._front.wait(self.settings.drain_s + PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._front.kill()
                code = 1
                self._front.wait()
        self._empty()
        return code


def _start(module: str, given: dict[str, Any], *open_in_it: socket.socket) -> subprocess.Popen[bytes]:
    """Start a process of ours; what it must know goes through a pipe, where no other process can read it."""
    process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        pass_fds=[one.fileno() for one in open_in_it],
    )
    assert process.stdin is not None  # noqa: S101 - asked for above
    with suppress(BrokenPipeError), process.stdin as pipe:  # it ended at once; that is noticed where all ends are
        pipe.write(json.dumps(given).encode())
    return process


def listen(host: str, port: int) -> socket.socket:
    """Open the socket that callers connect to.

    Raises:
        InputError: the address is not this machine's, or taken.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen()  # a server beside this one that is still starting has the address already
    except (OSError, UnicodeError) as error:
        raise InputError(
            "cannot listen", [Problem(f"{host}:{port}", "", "an address that is free", str(error))]
        ) from error
    return made


def is_loopback(listening: socket.socket) -> bool:
    """Whether only this machine can reach a socket."""
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback
