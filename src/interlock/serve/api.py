"""The operations of version 1, and the table they stand in. Knows no server and no process."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import orjson

from interlock.answer import Message
from interlock.core.event import REQUEST_ID, Event
from interlock.serve.access import ADMINS, ANYONE, CLIENTS, WATCHERS
from interlock.serve.app import new_id
from interlock.serve.decisions import Dialects
from interlock.serve.message import Reply, Request
from interlock.serve.metrics import KIND
from interlock.serve.oip import Oip
from interlock.serve.openapi import describe
from interlock.serve.refusal import MOST_PROBLEMS, Refusal
from interlock.serve.replies import ActivateReply, BatchReply, DecisionReply, LiveReply, ReadyReply
from interlock.serve.routes import Route, Table
from interlock.serve.schema import ActivateRequest, BatchRequest, RouteRequest, read
from interlock.serve.service import Service


class Api:
    """Operations on a service."""

    def __init__(self, service: Service) -> None:
        """Operate ``service``."""
        self._service = service

    def table(self) -> Table:
        """Return every operation with its policy."""
        decided = ("starting", "overloaded", "not_recorded")
        single = (*decided, "request_id_conflict")
        changed = ("bundle_refused", "starting")
        routes = [
            Route("POST", "/v1/route", self.route, CLIENTS, RouteRequest, DecisionReply, single),
            Route("POST", "/v1/route/batch", self.batch, CLIENTS, BatchRequest, BatchReply, decided),
            Route("POST", "/v1/admin/activate", self.activate, ADMINS, ActivateRequest, ActivateReply, changed),
            Route("GET", "/livez", self.live, ANYONE, gives=LiveReply),
            Route("GET", "/readyz", self.ready, ANYONE, gives=ReadyReply, refuses=("starting", "not_ready")),
            Route("GET", "/metrics", self.metrics, WATCHERS),
            Route("GET", "/openapi.json", self.openapi, ANYONE),
            *Dialects(self._service, self.message).routes(),
            *Oip(self._service, lambda text, one: self.message(RouteRequest(text=text, request_id=one))).routes(),
        ]
        self._description = Reply.json(describe(routes))
        return Table(routes)

    async def route(self, request: Request) -> Reply:
        """Decide one message."""
        service = self._service
        service.admit()  # before the body is looked at: a refusal must cost little
        asked = read(RouteRequest, await request.json(limit=service.settings.max_body_bytes))
        request.request_id = asked.request_id or request.request_id
        return Reply(decision_body(await service.decide(self.message(asked, request.request_id), request.notes)))

    async def batch(self, request: Request) -> Reply:
        """Decide several messages, each by itself and under its own request_id."""
        asked = read(BatchRequest, await request.json(limit=self._service.settings.max_batch_bytes)).messages
        ids = [_named(one) for one in asked]
        turns = [partial(self._one, one, name) for one, name in zip(asked, ids, strict=True)]
        found = await self._service.decide_all(ids, turns)
        left = MOST_PROBLEMS  # that one reply lists
        parts: list[bytes] = []
        for one, name in zip(found, ids, strict=True):
            if isinstance(one, Refusal):
                parts.append(orjson.dumps(one.to_json(name, most=left)))
                left = max(0, left - len(one.problems))
            else:
                parts.append(decision_body(one))
        request.notes |= {"messages": len(found), "refused": sum(isinstance(one, Refusal) for one in found)}
        return Reply(b'{"decisions":[%b]}' % b",".join(parts))

    def _one(self, asked: Any, name: str) -> Message:
        """Return one message of a batch, its time beginning now.

        Raises:
            Refusal: it is none.
        """
        return self.message(asked if isinstance(asked, RouteRequest) else read(RouteRequest, asked), name)

    def message(self, asked: RouteRequest, fresh: str | None = None) -> Message:
        """Return what the walk takes; ``fresh`` is the request_id of a message that names none."""
        settings, clock = self._service.settings, self._service.book.clock
        limit = min(settings.deadline_ms, asked.deadline_ms or settings.deadline_ms)
        return Message(
            asked.text,
            asked.request_id or fresh or new_id(),
            clock.monotonic() + limit / 1000,
            asked.conversation,
            asked.subject,
            asked.metadata,
            asked.request_id is not None,
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
        router = service.router()
        if not service.ready:
            raise Refusal("not_ready")
        body = {
            "ready": True,
            "workers": len(service.pool.links),
            "bundle_digest": router.digest,
            "name": router.name,
            "signed": router.signed,
            "development": service.settings.development and router.signed == "none",
        }
        return Reply.json(body)

    async def metrics(self, _: Request) -> Reply:
        """Return the metrics."""
        return Reply(self._service.metrics.text(), kind=KIND)

    async def openapi(self, _: Request) -> Reply:
        """Describe every operation."""
        return self._description


def _named(asked: Any) -> str:
    """Return the request_id that a message of a batch names, or a new one."""
    named = asked.request_id if isinstance(asked, RouteRequest) else isinstance(asked, dict) and asked.get("request_id")
    return named if isinstance(named, str) and REQUEST_ID.fullmatch(named) else new_id()


def decision_body(event: Event) -> bytes:
    """Return the reply for what is on record, byte for byte the same each time."""
    return b'{"request_id":"%b",%b' % (event.request_id.encode(), event.decision[1:].encode())
