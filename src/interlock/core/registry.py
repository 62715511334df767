"""Names that point at bundles, and what a store knows of a registry. Knows no bytes and no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, get_args

from interlock.core.ledger import Deed, Entry, Ledger

AliasName = Literal["champion", "challenger", "shadow"]
ALIASES: tuple[AliasName, ...] = get_args(AliasName)
REVOKED = "revoked"  # the action of the ledger's entry that a bundle shall be active no more


class Basis(StrEnum):
    """Why an alias may point where it points."""

    VERDICT = "verdict"  # signed by every required role, and eligible when judged again
    TOKEN = "token"  # noqa: S105 - two approvers named this very bundle
    DEVELOPMENT = "development"  # nobody vouches for it


class State(StrEnum):
    """Where a bundle is on its way in or out."""

    ARRIVING = "arriving"
    THERE = "there"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Alias:
    """A name and the bundle it points at."""

    name: AliasName
    digest: str
    epoch: int  # how often it was moved: a later move always has a higher one
    basis: Basis
    time: str  # of the move, ISO 8601, UTC

    @property
    def key(self) -> str:
        """The key of the ledger's entry about this move."""
        return f"alias {self.name} {self.epoch}"


@dataclass(frozen=True, slots=True)
class Move:
    """An alias that is to point elsewhere."""

    name: AliasName
    digest: str
    before: Alias | None  # where it points now; a move from anywhere else is refused
    basis: Basis
    actor: str
    note: str = ""
    token: str = ""  # digest of the token that allows it; used once

    @property
    def after(self) -> int:
        """The epoch after the move."""
        return (self.before.epoch if self.before else 0) + 1

    def deed(self) -> Deed:
        """Return what the ledger says of it."""
        evidence = {"basis": self.basis.value, "epoch": str(self.after)}
        if self.before is not None:
            evidence["from"] = self.before.digest
        if self.token:
            evidence["token"] = self.token
        key = f"alias {self.name} {self.after}"
        return Deed(key, self.actor, f"alias {self.name}", self.digest, evidence, self.note)


class Records(Ledger, Protocol):
    """What a store keeps about a registry; every change of an alias stands in its ledger, or did not happen."""

    def arriving(self, digest: str, *, at: datetime) -> None:
        """Say that a bundle is being pushed, so that nothing of it is removed; refused while it is being removed."""
        ...

    def there(self, digest: str, *, receipt: str, at: datetime) -> None:
        """Say that a bundle is whole, and by which receipt it is known too; refused when it was removed meanwhile."""
        ...

    def bundles(self) -> Mapping[str, State]:
        """Return every bundle that was pushed and not removed."""
        ...

    def aliases(self) -> Mapping[AliasName, Alias]:
        """Return every alias that points somewhere."""
        ...

    def move(self, move: Move, *, at: datetime) -> tuple[Alias, Entry]:
        """Move an alias and enter it in the ledger, both or neither."""
        ...

    def condemn(self, *, stale: datetime) -> Collection[str]:
        """Mark bundles that nothing names, by their digest or their receipt's, as leaving.

        Pushes that began before ``stale`` and never ended are marked too.
        """
        ...

    def gone(self, digest: str) -> None:
        """Say that a leaving bundle's files are removed."""
        ...
