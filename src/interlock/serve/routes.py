"""The table of what the server answers: method, path, who may, and who does it. Knows nothing of what is done."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from interlock.serve.access import Role
from interlock.serve.message import Reply, Request
from interlock.serve.refusal import Refusal

Handler = Callable[[Request], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. ``roles`` is its policy and has no default: whoever adds a route says who may use it."""

    method: str
    path: str  # may hold {name} for one part of a path
    handler: Handler
    roles: frozenset[Role]
    takes: type[BaseModel] | None = None  # the JSON of its requests
    gives: type[BaseModel] | None = None  # the JSON of its replies; None for text or free JSON
    refuses: tuple[str, ...] = ()  # codes that are its own; those of any request are understood


class Table:
    """All operations, found by method and path."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Index ``routes``."""
        self.routes = tuple(routes)
        self._exact: dict[str, dict[str, Route]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            if "{" in route.path:
                pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]{1,256})", route.path))
                self._patterns.setdefault(route.path, (pattern, {}))[1][route.method] = route
            else:
                self._exact.setdefault(route.path, {})[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the operation, and what stands for the parts in braces.

        Raises:
            Refusal: there is nothing at the path, or not by this method.
        """
        methods, parts = self._at(path)
        if methods is None:
            raise Refusal("not_found")
        found = methods.get("GET" if method == "HEAD" else method)
        if found is None:
            allow = ", ".join(sorted({*methods, *({"HEAD"} if "GET" in methods else ())}))
            raise Refusal("method_not_allowed", headers=[(b"allow", allow.encode())])
        return found, parts

    def _at(self, path: str) -> tuple[dict[str, Route] | None, dict[str, str]]:
        if path in self._exact:
            return self._exact[path], {}
        for pattern, methods in self._patterns.values():
            if (match := pattern.fullmatch(path)) is not None:
                return methods, match.groupdict()
        return None, {}
