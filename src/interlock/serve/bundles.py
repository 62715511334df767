"""Which bundles every worker holds, and which of them answers. Knows no bundle's files and no message.

A bundle answers only when every worker holds it, and a message names the bundle that decides it, so that no answer
mixes two and none is missed while one takes over from another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from interlock.core.errors import RefusedError
from interlock.serve.pool import Link, Pool, WorkerGoneError
from interlock.serve.router import Router
from interlock.serve.source import Source

KEPT = 2  # bundles that stay open: the one that answers and the one before it, to go back to


class Bundles:
    """The bundles that are open, the newest last."""

    def __init__(self, pool: Pool, *, source: Source) -> None:
        """Begin with the bundle of ``source``, opened by the first worker."""
        self._pool = pool
        self._source = source
        self._open: dict[str, tuple[Router, Source]] = {}  # in the order of activation
        self._doomed: set[str] = set()
        self._activating = asyncio.Lock()
        self.on_change: Callable[[Router], None] = lambda router: None  # noqa: ARG005 - nobody has asked yet

    @property
    def current(self) -> Router | None:
        """The bundle that answers; ``None`` until the first worker has opened one."""
        return next(reversed(self._open.values()))[0] if self._open else None

    async def welcome(self, link: Link) -> None:
        """Open every open bundle on a new worker, then give it messages.

        Raises:
            InterlockError: a bundle is not there any more, or is another.
        """
        held: set[str] = set()
        while True:
            wanted = {digest: source for digest, (_, source) in self._open.items() if digest not in held}
            if not wanted and self._open:
                break
            for digest, source in wanted.items() or [(None, self._source.settled())]:
                router = await link.load(source, digest)
                held.add(router.digest)
                if digest is None and not self._open:
                    self._enter(router, source)
        self._pool.add(link)

    async def activate(self, path: Path | None = None) -> Router:
        """Let another bundle answer, once every worker has verified, opened and replayed it.

        Args:
            path: the bundle; where the last one came from when not given, opened again.

        Raises:
            InterlockError: it was refused, and nothing changed.
        """
        async with self._activating:
            asked = self._source if path is None else self._source.at(path)
            source = asked.settled()
            holding: set[Link] = set()
            router: Router | None = None
            while missing := set(self._pool.links) - holding:
                found = await asyncio.gather(*(self._held(link, source) for link in missing), return_exceptions=True)
                self._check(found, router)
                router = router or next((one for one in found if isinstance(one, Router)), None)
                holding |= missing
            if router is None:
                raise RefusedError("there is no worker that could open a bundle")
            self._enter(router, source)
            self._source = asked
            self._let_go()
            return router

    async def _held(self, link: Link, source: Source) -> Router | None:
        try:
            return await link.load(source)
        except WorkerGoneError:  # its successor opens whatever is open by then
            return None

    def _check(self, found: list[Router | BaseException | None], router: Router | None) -> None:
        """Refuse unless all workers opened the same bundle; what some opened they let go again."""
        opened = {one.digest for one in found if isinstance(one, Router)} | ({router.digest} if router else set())
        failures = [one for one in found if isinstance(one, BaseException)]
        if failures or len(opened) > 1:
            self._doomed |= opened
            self._let_go()
            raise failures[0] if failures else RefusedError("the bundle changed while it was opened")

    def _enter(self, router: Router, source: Source) -> None:
        self._open.pop(router.digest, None)
        self._open[router.digest] = (router, source)
        while len(self._open) > KEPT:
            oldest = next(iter(self._open))
            del self._open[oldest]
            self._doomed.add(oldest)
        self.on_change(router)

    def _let_go(self) -> None:
        """Close what is not open any more, but for bundles that a message still waits for; those go the next time."""
        self._doomed -= self._open.keys()
        for digest in [one for one in self._doomed if not self._pool.waits_for(one)]:
            self._doomed.remove(digest)
            for link in self._pool.links:
                link.drop(digest)
