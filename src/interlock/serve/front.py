"""The process that speaks HTTP: one event loop, the event store, and the way to the workers. Knows no model.

It is told on standard input what to do, and over one socket which workers there are; it ends when that socket closes.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import orjson
import uvicorn
import uvloop

from interlock.answer import Book
from interlock.core.clock import Clock, SystemClock
from interlock.core.errors import InterlockError
from interlock.core.event import EventStore
from interlock.serve.access import Access, ApiKey
from interlock.serve.api import Api
from interlock.serve.app import App, defect
from interlock.serve.bundles import Bundles
from interlock.serve.cache import Cache
from interlock.serve.connection import bounded
from interlock.serve.door import Door
from interlock.serve.log import Log
from interlock.serve.metrics import Metrics
from interlock.serve.pool import Link, Pool
from interlock.serve.refusal import Refusal
from interlock.serve.service import Service
from interlock.serve.settings import Settings
from interlock.serve.source import Source
from interlock.serve.tls import Tls
from interlock.serve.traces import Traces

SWITCH_S = 0.0005  # how long the loop may keep the thread that writes events waiting; the usual 5 ms are too long
YOUNG = 10_000  # objects made between two collections of the youngest; at the usual 700 they took 6 % of a flood
LARGEST_NOTE = 262_144  # bytes of one message from or to the supervisor: more than a socket takes at once


class Front:
    """A server's HTTP side, put together."""

    def __init__(self, settings: Settings, control: socket.socket, *, events: EventStore, clock: Clock) -> None:
        """Wire ``settings`` to the supervisor at the other end of ``control``."""
        self._control = control
        self._began = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self.log = Log(sys.stdout.buffer, clock)
        self.metrics = Metrics()
        pool = Pool(clock=clock, replace=self._replace, stuck_s=settings.stuck_ms / 1000)
        bundles = Bundles(pool, source=Source.of(settings))
        bundles.on_change = self.metrics.answers
        record_s = settings.record_ms / 1000
        book = Book(events, settings.key, clock, record_s, write=lambda body: orjson.dumps(body).decode())
        cache, traces = Cache(settings.cache_size, book.key), Traces.to(settings.traces, share=settings.traces_share)
        self.service = Service(settings, pool, bundles, book, self.metrics, self.log, cache, traces)
        self._show(pool)
        table = Api(self.service).table()
        self.access = Access(settings.keys)
        app = App(table, access=self.access, metrics=self.metrics, log=self.log, traces=traces, clock=clock)
        self.door = Door(room=lambda: self.service.room, metrics=self.metrics, log=self.log)
        self.tls = Tls.of(settings)
        self.server = _Server(_http(settings, app, self.door, self.tls))

    async def run(self, listening: socket.socket) -> None:
        """Serve until told to stop, then let what is under way finish."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._defect(context.get("exception")))
        loop.add_reader(self._control, self._told)
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._start(self._again()))
        self._start(self.service.pool.watch())
        self.log.say("listening", address=_address(listening))
        await self.server.serve(sockets=[listening])
        for task in self._tasks:
            task.cancel()

    def close(self) -> None:
        """Write what was acknowledged, and what was logged."""
        self.service.book.events.close()
        self.service.traces.close()
        self.door.tell()
        self.log.say("stopped")
        self.log.close()

    def _show(self, pool: Pool) -> None:
        gauge = self.metrics.gauge
        gauge("waiting", "Messages that were let in and have no reply yet", lambda: self.service.waiting)
        gauge("queued", "Messages that no worker has yet", lambda: len(pool.waiting))
        gauge("workers", "Workers that hold every open bundle", lambda: len(pool.links))
        gauge("workers_ended", "Workers that have gone since the start", lambda: pool.ended)
        gauge("connections", "Open connections", lambda: len(self.server.server_state.connections))
        gauge("log_lines_dropped", "Log lines that nobody read", lambda: self.log.dropped)

    def _told(self) -> None:
        """Hear of a worker or of other API keys, or that the supervisor has gone."""
        note, descriptors, _, _ = socket.recv_fds(self._control, LARGEST_NOTE, 1)
        if not note:
            asyncio.get_running_loop().remove_reader(self._control)
            self._stop()
            return
        said = json.loads(note)
        if "worker" in said:
            self._start(self._meet(said["worker"], socket.socket(fileno=descriptors[0])))
        elif said["keys"] is None:
            self.log.say("keys", result="refused", why=said["why"])
        else:
            self.access.renew([ApiKey.model_validate(one) for one in said["keys"]])
            self.log.say("keys", result="renewed", count=len(said["keys"]))

    async def _meet(self, pid: int, channel: socket.socket) -> None:
        channel.settimeout(0)
        loop, pool = asyncio.get_running_loop(), self.service.pool
        _, link = await loop.create_unix_connection(lambda: Link(pool, pid), sock=channel)
        try:
            await self.service.bundles.welcome(link)
        except InterlockError as error:
            self.log.say("worker", pid=pid, result="refused", why=str(error))
            if self.service.bundles.current is None:  # it never answered: whoever started it must know
                self._tell({"failed": str(error), "code": error.exit_code})
            else:
                self._replace(pid)
            return
        self.log.say("worker", pid=pid, result="ready")
        if not self._began:
            self._began = True
            router = self.service.router()
            self.log.say("ready", bundle=router.digest, name=router.name, signed=router.signed)
            self._tell({"ready": router.digest})

    def _replace(self, pid: int) -> None:
        self.metrics.replaced.inc()
        self.log.say("worker", pid=pid, result="replaced")
        self._tell({"replace": pid})

    def _tell(self, note: dict[str, Any]) -> None:
        with suppress(OSError):  # the supervisor has gone, and the end of its socket says so too
            self._control.send(orjson.dumps(note))

    async def _again(self) -> None:
        if self.tls is not None:
            self._renew(self.tls)
        with suppress(Refusal):
            await self.service.activate(None)

    def _renew(self, tls: Tls) -> None:
        try:
            tls.renew()
        except InterlockError as error:
            self.log.say("certificate", result="refused", why=str(error))
        else:
            self.log.say("certificate", result="renewed")

    def _stop(self) -> None:
        if not self.service.draining:
            self.service.draining = self.server.should_exit = True
            for server in getattr(self.server, "servers", ()):  # uvicorn itself looks only every 0.1 s
                server.close()
            for connection in tuple(self.server.server_state.connections):
                connection.shutdown()
            self.log.say("draining")

    def _start(self, work: Any) -> None:
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._defect(task.exception())

    def _defect(self, error: BaseException | None) -> None:
        if error is not None:
            self.log.say("defect", where=defect(error))


class _Server(uvicorn.Server):
    """Uvicorn's server, but for signals: it would end the process by the one that stopped it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the front."""
        yield


def _http(settings: Settings, app: Callable[..., Any], door: Door, tls: Tls | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=bounded(settings, door),
        loop="none",
        lifespan="off",
        ws="none",
        access_log=False,
        proxy_headers=False,
        log_config=None,
        server_header=False,
        date_header=False,
        backlog=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_s,  # type: ignore[arg-type] # passed to call_later, which takes parts of a second
        timeout_graceful_shutdown=settings.drain_s,  # type: ignore[arg-type] # the same
        ssl_context_factory=None if tls is None else lambda *_: tls.context,
    )


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def _give_up(control: socket.socket, error: InterlockError) -> NoReturn:
    """Tell the supervisor, which repeats it at the start alone, and the log: later it tries again every second."""
    log = Log(sys.stdout.buffer, SystemClock())
    log.say("failed", why=str(error))
    log.close()
    control.send(orjson.dumps({"failed": str(error), "code": error.exit_code}))
    sys.exit(error.exit_code)


def main() -> None:
    """Be the HTTP side of a server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor's; it sends SIGTERM
    given = json.load(sys.stdin)
    sys.setswitchinterval(SWITCH_S)
    logging.disable(logging.CRITICAL)  # libraries' own words may hold what callers sent
    settings = Settings.model_validate(given["settings"])
    from interlock.store.events import open_events

    with socket.socket(fileno=given["control"]) as control, socket.socket(fileno=given["listening"]) as listening:
        try:
            events = open_events(settings.store, key=settings.key)
            front = Front(settings, control, events=events, clock=SystemClock())
        except InterlockError as error:
            _give_up(control, error)
        gc.freeze()  # what is here stays: it need not be looked through again and again
        gc.set_threshold(YOUNG)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(front.run(listening))
        finally:
            front.close()


if __name__ == "__main__":
    main()
