"""The operations of version 1, and the table they stand in. Knows no server and no process."""

from __future__ import annotations

from pathlib import Path

from interlock.answer import Message
from interlock.serve.access import ADMINS, ANYONE, CLIENTS, WATCHERS
from interlock.serve.app import new_id
from interlock.serve.message import Reply, Request
from interlock.serve.metrics import KIND
from interlock.serve.refusal import Refusal
from interlock.serve.routes import Route, Table
from interlock.serve.schema import ActivateRequest, RouteRequest, read
from interlock.serve.service import Service


class Api:
    """Operations on a service."""

    def __init__(self, service: Service) -> None:
        """Operate ``service``."""
        self._service = service

    def table(self) -> Table:
        """Return every operation with its policy."""
        return Table(
            [
                Route("POST", "/v1/route", self.route, CLIENTS),
                Route("POST", "/v1/admin/activate", self.activate, ADMINS),
                Route("GET", "/livez", self.live, ANYONE),
                Route("GET", "/readyz", self.ready, ANYONE),
                Route("GET", "/metrics", self.metrics, WATCHERS),
            ]
        )

    async def route(self, request: Request) -> Reply:
        """Decide one message."""
        service = self._service
        service.admit()  # before the body is looked at: a refusal must cost little
        asked = read(RouteRequest, await request.json(limit=service.settings.max_body_bytes))
        request.request_id = asked.request_id or request.request_id
        event = await service.decide(self.message(asked, request.request_id), request.notes)
        known = [(b"x-interlock-recorded", event.at.encode())]
        return Reply(b'{"request_id":"%b",%b' % (event.request_id.encode(), event.decision[1:].encode()), headers=known)

    def message(self, asked: RouteRequest, request_id: str | None = None) -> Message:
        """Return what the walk takes."""
        settings, clock = self._service.settings, self._service.book.clock
        limit = min(settings.deadline_ms, asked.deadline_ms or settings.deadline_ms)
        return Message(
            asked.text,
            request_id or asked.request_id or new_id(),
            clock.monotonic() + limit / 1000,
            asked.conversation,
            asked.metadata,
        )

    async def activate(self, request: Request) -> Reply:
        """Let another bundle answer."""
        asked = read(ActivateRequest, await request.json(limit=self._service.settings.max_body_bytes))
        router = await self._service.activate(None if asked.bundle is None else Path(asked.bundle))
        return Reply.json({"bundle_digest": router.digest, "name": router.name, "signed": router.signed})

    async def live(self, _: Request) -> Reply:
        """Say that the server's loop turns."""
        return Reply.json({"live": True})

    async def ready(self, _: Request) -> Reply:
        """Say whether decisions can be asked for, and which bundle makes them."""
        service = self._service
        router = service.bundles.current
        if router is None:
            raise Refusal("starting")
        workers = len(service.pool.links)
        body = {
            "ready": workers > 0 and not service.draining,
            "draining": service.draining,
            "workers": workers,  # each has replayed the bundle's golden messages
            "bundle_digest": router.digest,
            "name": router.name,
            "signed": router.signed,
            "development": router.signed == "none",
        }
        return Reply.json(body, status=200 if body["ready"] else 503)

    async def metrics(self, _: Request) -> Reply:
        """Return the metrics."""
        return Reply(self._service.metrics.text(), kind=KIND)
