"""Where the bundle that answers comes from: a directory, or an alias of a registry. Knows no messages."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from interlock.core.errors import InputError, Problem, RefusedError
from interlock.core.registry import AliasName
from interlock.serve.settings import Settings

if TYPE_CHECKING:
    from interlock.bundle.open import Bundle


@dataclass(frozen=True, slots=True)
class Source:
    """A place that a worker opens a bundle from; all of it is text, as it travels to the worker."""

    where: str  # a bundle directory, or a registry
    trust: str | None
    alias: AliasName | None = None  # of a registry
    store: str = ""  # with the alias
    development: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what a server's settings say."""
        trust = None if settings.trust is None else str(settings.trust)
        if settings.registry is None:
            return cls(str(settings.bundle), trust)
        return cls(settings.registry, trust, settings.alias, settings.store, settings.development)

    def to_json(self) -> dict[str, Any]:
        """Return it for a worker."""
        return asdict(self)

    def at(self, path: Path) -> Self:
        """Return another directory.

        Raises:
            InputError: this server serves what its registry says.
        """
        if self.alias is not None:
            problem = Problem("activate", "bundle", f"none: what {self.alias} points at is served", "a directory")
            raise InputError("this server follows its registry", [problem], todo="Move the alias instead.")
        return replace(self, where=str(path))

    def settled(self) -> Self:
        """Return what a link points at now, so that opening it again finds the same when the link was moved."""
        return self if self.alias is not None else replace(self, where=str(Path(self.where).resolve()))

    def open(self, digest: str | None = None) -> Bundle:
        """Open the bundle; with ``digest`` that very one, which serves already.

        Raises:
            InputError: there is none.
            RefusedError: it does not verify, may not serve, or is another.
        """
        from interlock.active import open_aliases  # here, as the front has no model and loads nothing that runs one
        from interlock.bundle.open import open_bundle
        from interlock.bundle.trust import read_trust

        if self.alias is None:
            bundle = open_bundle(self.where, self.trust)
        else:
            root = None if self.trust is None else read_trust(Path(self.trust))
            with open_aliases(self.where, store=self.store) as aliases:
                if digest is not None:
                    bundle = aliases.again(self.alias, digest, trust=root)
                else:
                    bundle = aliases.active(self.alias, trust=root, development=self.development).bundle
        if digest is not None and bundle.digest != digest:
            raise RefusedError(f"the bundle at {self.where} is another than the one that was opened there")
        return bundle
