"""The walk of a bundle through its life: pushed, pointed at, served, taken back, removed. Joins bytes and records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from interlock.active import Active, Aliases
from interlock.bundle.open import Bundle, open_verified
from interlock.bundle.read import Verified, read_verified
from interlock.bundle.rollback import Token, check_token
from interlock.bundle.shelf import Shelf, open_shelf, write_verified
from interlock.bundle.trust import CLOCKS_DIFFER, Trust
from interlock.core.clock import Clock, SystemClock
from interlock.core.errors import InputError, Problem, RefusedError
from interlock.core.ledger import Deed, Entry
from interlock.core.registry import ALIASES, REVOKED, Alias, AliasName, Basis, Move, Records, State
from interlock.gate.record import Record, judge_on_record

OWNED = "registry"
STALE = timedelta(days=1)  # a push that takes longer is taken for one that died


def looked_at(folder: Path, *, trust: Trust | None = None, clock: Clock | None = None) -> tuple[Verified, Bundle]:
    """Return the bytes of a bundle and what they open to, before any registry is asked to keep them.

    Raises:
        InputError: there is no bundle.
        RefusedError: it does not verify.
    """
    verified = read_verified(folder)
    return verified, open_verified(verified, trust, where=str(folder), clock=clock or SystemClock())


@dataclass(frozen=True)
class Registry:
    """A shelf of bundles and the records of one store about it."""

    shelf: Shelf
    records: Records
    actor: str
    clock: Clock

    def push(self, folder: Path, *, trust: Trust | None = None) -> Bundle:
        """Verify a bundle, keep it, and verify what was kept. Pushing again changes nothing, but signatures are joined.

        Raises:
            InputError: there is no bundle.
            RefusedError: it does not verify, or is being removed, or the registry is another store's.
        """
        verified, bundle = looked_at(folder, trust=trust, clock=self.clock)
        self.keep(verified, bundle)
        return bundle

    def keep(self, verified: Verified, bundle: Bundle) -> None:
        """Keep what was ``looked_at``, and verify what was kept.

        Raises:
            RefusedError: it is being removed, or the registry is another store's.
        """
        receipt = bundle.receipt().digest
        self._own()
        self.records.arriving(verified.digest, at=self.clock.now())
        self.shelf.put(verified)
        self.shelf.fetch(verified.digest)
        self.records.there(verified.digest, receipt=receipt, at=self.clock.now())

    def pull(self, name: str, folder: Path, *, trust: Trust | None = None) -> Bundle:
        """Write the bundle of an alias or a digest as a new folder, after it was verified, loaded and replayed.

        Raises:
            InputError: there is no such bundle, or there is such a folder.
            RefusedError: it does not verify.
        """
        if folder.exists():
            raise InputError(f"{folder} exists", [Problem(str(folder), "", "a new directory", "one that is there")])
        verified = self.shelf.fetch(self.digest_of(name))
        bundle = open_verified(verified, trust, where=name, clock=self.clock)
        write_verified(verified, folder)
        return bundle

    def digest_of(self, name: str) -> str:
        """Return the digest an alias points at, or the digest itself.

        Raises:
            InputError: the alias points nowhere.
        """
        return self._aliases.alias(name).digest if name in ALIASES else name

    def active(self, name: AliasName = "champion", *, trust: Trust | None, development: bool = False) -> Active:
        """Open what an alias points at, as ``Aliases.active``."""
        return self._aliases.active(name, trust=trust, development=development)

    def point(
        self,
        name: AliasName,
        target: str,
        *,
        trust: Trust | None,
        token: bytes | None = None,
        development: bool = False,
        note: str = "",
    ) -> tuple[Alias, Entry | None]:
        """Let an alias point at a bundle. For ``champion`` this is the activation.

        The bundle must be signed by every role of the trust root and eligible when its receipt is judged again, on the
        record. What is older than the champion, was one before, has another name or label version, or was revoked,
        becomes champion only with a token of two approvers.

        Returns:
            The alias, and the ledger's entry; none when it pointed there already.

        Raises:
            InputError: there is no such bundle, or neither trust root nor ``development``.
            RefusedError: the bundle or the token does not hold.
        """
        before = self.records.aliases().get(name)
        verified = self.shelf.fetch(self.digest_of(target))
        if before is not None and before.digest == verified.digest:
            return before, None
        if development and name == "champion" and before is not None and before.basis is not Basis.DEVELOPMENT:
            problem = Problem("registry", name, "a champion of another development", "one somebody vouched for")
            raise RefusedError("nothing takes its place for development", [problem])
        agreed = self._agreed(token, trust, name=name, digest=verified.digest, before=before)
        if agreed is None and not development and (reasons := list(self._backwards(name, verified))):
            raise RefusedError(f"{name} moves there only with a token of two approvers", reasons)
        if agreed is not None:
            basis, note = Basis.TOKEN, f"{agreed.rollback.reason} ({', '.join(one.name for one in agreed.approvers)})"
            open_verified(verified, None, where=target, clock=self.clock)
        else:
            basis = self._vouched(verified, trust, development=development)
        move = Move(name, verified.digest, before, basis, self.actor, note, agreed.digest if agreed else "")
        return self.records.move(move, at=self.clock.now())

    def revoke(self, digest: str, *, reason: str) -> Entry:
        """Enter that a bundle shall be active no more: no server opens it anew; those that have it go on."""
        deed = Deed.of(REVOKED, digest, actor=self.actor, note=reason)
        return self.records.append(deed, at=self.clock.now())

    def gc(self) -> list[str]:
        """Remove every bundle that no alias, rollout or ledger entry names; return their digests.

        An entry about a receipt names the bundle that holds it.
        """
        self._own()
        removed = []
        for digest in self.records.condemn(stale=self.clock.now() - STALE):
            self.shelf.remove(digest)
            self.records.gone(digest)
            removed.append(digest)
        return removed

    def bundles(self) -> dict[str, State]:
        """Return every bundle that was pushed and not removed."""
        return dict(self.records.bundles())

    @property
    def _aliases(self) -> Aliases:
        return Aliases(self.shelf, self.records, self.clock)

    def _own(self) -> None:
        """Bind the registry to this store: another one could not see what this one's aliases name."""
        mine = self._id()
        if self.shelf.owner() is None:
            if mine is None:
                new = Deed(OWNED, self.actor, OWNED, str(uuid.uuid4()))
                with suppress(RefusedError):  # another process was faster
                    self.records.append(new, at=self.clock.now())
                mine = self._id()
            self.shelf.claim(str(mine))
        if (owner := self.shelf.owner()) != mine:
            problem = Problem("registry", "store", str(mine), str(owner))
            raise RefusedError("this registry belongs to another store", [problem])

    def _id(self) -> str | None:
        return next((entry.deed.subject for entry in self.records.entries() if entry.deed.action == OWNED), None)

    def _agreed(
        self, token: bytes | None, trust: Trust | None, *, name: AliasName, digest: str, before: Alias | None
    ) -> Token | None:
        if token is None:
            return None
        if trust is None:
            raise InputError("a token needs the trust root that knows its approvers", todo="Give --trust.")
        now = self.clock.now()
        last = max((datetime.fromisoformat(entry.time) for entry in self.records.entries()), default=now)
        found = check_token(token, trust, now=now)
        said, problems = found.rollback, []
        if now < last - CLOCKS_DIFFER:  # a clock set back would make an expired token good again
            problems.append(Problem("clock", "now", f"not before the ledger's {last.isoformat()}", now.isoformat()))
        wanted = {"alias": name, "bundle": digest, "replaces": before.digest if before else None}
        for field, value in wanted.items():
            if getattr(said, field) != value:
                problems.append(Problem("token", field, str(value), str(getattr(said, field))))
        if problems:
            raise RefusedError("this token is for something else", problems)
        return found

    def _backwards(self, name: AliasName, verified: Verified) -> Iterator[Problem]:
        """Yield why a bundle is no step forward."""
        done = [entry.deed for entry in self.records.entries() if entry.deed.subject == verified.digest]
        if any(deed.action == REVOKED for deed in done):
            yield Problem("registry", verified.digest, "a bundle in force", "a revoked one")
        served = [
            entry.deed.subject
            for entry in self.records.entries()
            if entry.deed.action == "alias champion" and entry.deed.evidence.get("basis") != Basis.DEVELOPMENT
        ]
        if name != "champion" or not served:
            return
        if verified.digest in served:
            yield Problem("registry", verified.digest, "a bundle that was never champion", "a former champion")
        now, then = verified.manifest, self.shelf.fetch(served[-1]).manifest
        if not _time(now.created) > _time(then.created):
            yield Problem("registry", "created", f"after the champion's {then.created}", now.created)
        if now.name != then.name:
            yield Problem("registry", "name", then.name, now.name)
        meant, means = then.identity.get("label_version", "none"), now.identity.get("label_version", "none")
        if means != meant:  # agents behind the routes were written for what the labels meant
            yield Problem("registry", "label_version", meant, means)

    def _vouched(self, verified: Verified, trust: Trust | None, *, development: bool) -> Basis:
        """Open a bundle and judge its receipt again; say why it may be pointed at."""
        if development:
            open_verified(verified, None, where=verified.digest, clock=self.clock)
            return Basis.DEVELOPMENT
        if trust is None:
            raise InputError("an alias needs the trust root", todo="Give --trust, or --development for tests.")
        bundle = open_verified(verified, trust, where=verified.digest, clock=self.clock)
        receipt, claimed = bundle.evidence()
        if problems := list(_other_evidence(bundle, receipt.identity)):
            raise RefusedError("the receipt is not about this bundle", problems)
        record = Record(self.records, self.actor, self.clock)
        found = judge_on_record(receipt, record, claimed_digest=claimed).judgement
        if not found.eligible:
            reasons = [Problem("receipt", "verdict", "eligible_for_shadow", reason) for reason in found.reasons]
            raise RefusedError("the bundle is on hold", reasons)
        return Basis.VERDICT


@contextmanager
def open_registry(
    where: str | Path, *, store: str | Path, actor: str, clock: Clock | None = None, must_exist: bool = False
) -> Iterator[Registry]:
    """Open the registry at ``where`` with the records of ``store``; ``must_exist`` as for ``open_store``."""
    from interlock.store.registry import open_records

    with open_records(store, must_exist=must_exist) as records:
        yield Registry(open_shelf(where), records, actor, clock or SystemClock())


def _time(text: str) -> datetime:
    try:
        found: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        problem = Problem("manifest", "created", "ISO 8601 with a zone", text[:40])
        raise RefusedError("a bundle without a date", [problem])
    return found


def _other_evidence(bundle: Bundle, said: Mapping[str, str]) -> Iterator[Problem]:
    """Compare what the receipt says it measured with the files that are there."""
    for field, there in bundle.components().items():
        if said.get(field) != there:
            yield Problem("receipt", f"identity.{field}", there, str(said.get(field)))
