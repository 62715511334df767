"""What an alias points at, opened: the one question a server asks. Joins bytes and records, and changes neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from interlock.bundle.open import Bundle, open_verified
from interlock.bundle.shelf import Shelf, open_shelf
from interlock.bundle.sign import check_time
from interlock.bundle.trust import Trust
from interlock.core.clock import Clock, SystemClock
from interlock.core.errors import InputError, Problem, RefusedError
from interlock.core.registry import REVOKED, Alias, AliasName, Basis, Records


@dataclass(frozen=True)
class Active:
    """What an alias points at, opened."""

    alias: Alias
    bundle: Bundle


@dataclass(frozen=True)
class Aliases:
    """A shelf of bundles, and the records that say which of them may serve."""

    shelf: Shelf
    records: Records
    clock: Clock

    def alias(self, name: AliasName) -> Alias:
        """Return where an alias points.

        Raises:
            InputError: nowhere.
        """
        known = self.records.aliases().get(name)
        if known is None:
            raise InputError(f"{name} points nowhere", [Problem("registry", name, "a bundle", "none")])
        return known

    def active(self, name: AliasName, *, trust: Trust | None, development: bool = False) -> Active:
        """Open what an alias points at.

        Args:
            name: the alias.
            trust: the trust root; what points there by verdict must still be signed by every role it requires.
            development: whether a bundle that nobody vouches for may serve.

        Raises:
            InputError: the alias points nowhere.
            RefusedError: it was moved past the ledger, or its bundle was revoked since, does not verify or may not
                serve; or the trust root expired.
        """
        alias, entries = self.alias(name), list(self.records.entries())
        entry = next((entry for entry in entries if entry.deed.key == alias.key), None)
        if entry is None or (entry.deed.subject, entry.deed.evidence.get("basis")) != (alias.digest, alias.basis.value):
            raise RefusedError(
                f"{name} was moved past the ledger", [Problem("registry", name, "the move's entry", "none, or another")]
            )
        later = [one.deed for one in entries if one.sequence > entry.sequence]
        if any((deed.action, deed.subject) == (REVOKED, alias.digest) for deed in later):
            problem = Problem("registry", alias.digest, "a bundle in force", "a revoked one")
            raise RefusedError(f"{name} may not serve", [problem])
        if alias.basis is Basis.DEVELOPMENT and not development:
            problem = Problem("registry", name, "a bundle somebody vouches for", "one moved there for development")
            raise RefusedError(f"{name} may not serve", [problem])
        return Active(alias, self._open(alias.digest, alias.basis, trust))

    def again(self, name: AliasName, digest: str, *, trust: Trust | None) -> Bundle:
        """Open a bundle that serves already once more, wherever the alias points by now.

        Raises:
            RefusedError: the alias never pointed there, or the bundle does not verify.
        """
        moves = [entry.deed for entry in self.records.entries() if entry.deed.action == f"alias {name}"]
        move = next((deed for deed in reversed(moves) if deed.subject == digest), None)
        if move is None:
            problem = Problem("registry", name, digest, "no move there in the ledger")
            raise RefusedError(f"{name} never pointed there", [problem])
        return self._open(digest, Basis(move.evidence["basis"]), trust)

    def _open(self, digest: str, basis: Basis, trust: Trust | None) -> Bundle:
        if trust is not None:
            check_time(trust, now=self.clock.now())
        vouched = trust if basis is Basis.VERDICT else None  # two approvers named what a token put there
        return open_verified(self.shelf.fetch(digest), vouched, where=digest, clock=self.clock)


@contextmanager
def open_aliases(where: str | Path, *, store: str | Path, clock: Clock | None = None) -> Iterator[Aliases]:
    """Open the aliases of the registry at ``where`` with the records of ``store``."""
    from interlock.store.registry import open_records

    with open_records(store) as records:
        yield Aliases(open_shelf(where), records, clock or SystemClock())
